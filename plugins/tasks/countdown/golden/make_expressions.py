#!/usr/bin/env python3
"""Writes expressions.jsonl: expressions as a model might write them, and what Python makes of them.

    python3.11 make_expressions.py > expressions.jsonl

The reward is that of RAGEN's rule: 0 where the digit runs are not the numbers, 1 where the value is
within 1e-5 of the target, else 0.1.
"""

import json
import math
import random
import re
import warnings

ATOMS = ["007", "00", "0", "1.5", ".5", "5.", "1.2", "100000000000000000000", "9007199254740993",
         "3.000001", "0.0", "1e3", "0x1f", "0b11", "1_0", "2j", "1e400", "True", "0o7", "1E-5",
         "1_", "0_1", "1e", "012.5", "0or 1", "1.j", "x", "18446744073709551616"]
OPERATORS = ["+", "-", "*", "/"] * 4 + ["//", "**", "%", "<<", ">>", "&", "|", "^", "<", ">", "<=",
                                        "==", "!=", " and ", " or ", " if 1 else ", "@", "<>", "="]
NOISE = "0123456789+-*/(). \t\r\n\f\v#\\xj_eE~%<>=!&|^,@:"


def atom(rng, depth):
    pick = rng.random()
    if depth > 0 and pick < 0.35:
        return "(" + expression(rng, depth - 1) + ")"
    if pick < 0.8:
        return str(rng.randint(0, 12))
    if pick < 0.9:
        return rng.choice(ATOMS)
    return rng.choice("+-~") + atom(rng, depth)


def expression(rng, depth):
    text = atom(rng, depth)
    for _ in range(rng.randint(0, 3)):
        text += rng.choice(["", " ", "\t"]) + rng.choice(OPERATORS) + rng.choice(["", " "])
        text += atom(rng, depth)
    return text


def damaged(rng, text):
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(NOISE) + text[at + rng.randint(0, 1):]


def is_quick(text):
    """Whether Python is done at once: no tower of powers, no huge shift."""
    towers = text.count("**") + text.count("<<")
    if towers == 0:
        return True
    return towers == 1 and not re.search(r"\d{4}|[xeE_]", text)


def evaluate(text):
    try:
        return eval(text, {"__builtins__": None}, {})  # the published rule is Python's eval
    except BaseException:
        return None


def reward(text, numbers, target):
    try:
        if sorted(int(n) for n in re.findall(r"\d+", text)) != sorted(numbers):
            return 0
        return 1 if abs(evaluate(text) - target) < 1e-5 else 0.1
    except BaseException:
        return 0.1


def main():
    warnings.simplefilter("ignore")
    rng = random.Random(7)
    rows = 0
    while rows < 400:
        text = expression(rng, 2)
        if rng.random() < 0.3:
            text = damaged(rng, text)
        if not is_quick(text) or len(text) > 120:
            continue
        value = evaluate(text)
        if value is None and rng.random() < 0.6:
            continue
        is_real = isinstance(value, (int, float)) and math.isfinite(value) and abs(value) < 1e300
        target = value if is_real and rng.random() < 0.8 else rng.randint(0, 20)
        numbers = [int(n) for n in re.findall(r"\d+", text)]
        item = {"target": int(target) if isinstance(target, bool) else target, "nums": numbers}
        row = {"item": item, "completion": text, "reward": reward(text, numbers, target)}
        print(json.dumps(row))
        rows += 1


if __name__ == "__main__":
    main()
