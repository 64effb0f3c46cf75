"""TinyZero's countdown: its reward and its generator, as their description has them.

The published reward also prints one completion in 64; this one prints nothing.
"""

import random
import re


def reward(text, truth):
    """Of prompt + completion; truth: (target, numbers)."""
    target, numbers = truth
    for header in ("Assistant:", "<|im_start|>assistant"):
        if header in text:
            text = text.split(header, 1)[1]
            break
    else:
        return 0.0
    matches = list(re.finditer(r"<answer>(.*?)</answer>", text.split("\n")[-1]))
    if not matches:
        return 0.0
    equation = matches[-1].group(1).strip()
    try:
        if sorted(int(n) for n in re.findall(r"\d+", equation)) != sorted(numbers):
            return 0.1
        if not re.match(r"^[\d+\-*/().\s]+$", equation):
            return 0.1
        value = eval(equation, {"__builtins__": None}, {})  # the published rule is Python's eval
        return 1.0 if abs(value - target) < 1e-5 else 0.1
    except Exception:
        return 0.1


def generate(rng=random.Random(42), size=4, high=99, max_target=100):
    """One puzzle, without a look at whether it can be solved."""
    return rng.randint(1, max_target), [rng.randint(1, high) for _ in range(size)]
