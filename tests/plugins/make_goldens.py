#!/usr/bin/env python3
"""Writes plugins/*/*/golden/ of the plugins without a script of their own.

Every expected number is computed here, from the published formula or the published regular
expression, and never by qed. tests/plugins/golden_test.cpp reads the files.
"""

import json
import math
import re
import struct
from fractions import Fraction
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
TAGS = ("<think>", "</think>", "<answer>", "</answer>")


def write(name, file, rows):
    path = PLUGINS / name / "golden" / file
    path.parent.mkdir(exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(line + "\n" for line in lines))


def f32(x):
    """x as the ABI carries it."""
    return struct.unpack("f", struct.pack("f", x))[0]


# ---- tasks ----


def think_answer(text):
    """The answer, if the text is the four tags once each, in order, with nothing outside."""
    m = re.fullmatch(r"<think>(.*)</think><answer>(.*)</answer>", text, re.DOTALL)
    return m[2] if m and all(text.count(tag) == 1 for tag in TAGS) else None


def arithmetic_exact(text, expected):
    answer = think_answer(text)
    return 0.0 if answer is None else 1.0 if answer == str(expected) else 0.1


def arithmetic_tinyzero(text, expected, per_character=0.0):
    """TinyZero's multiply.py; its branch len_reward pays a 3000th per character."""
    if "Assistant:" not in text:
        return 0.0
    matches = list(re.finditer(r"<answer>(.*?)</answer>", text.split("Assistant:", 1)[1]))
    try:
        answer = int(matches[-1].group(1).strip())
    except (IndexError, ValueError):
        return 0.0
    return 1.0 + per_character * len(text) if answer == expected else 0.1


def arithmetic():
    rows = []
    for item, expected in (("784+737", 1521), ("12-99", -87), ("30*0", 0)):
        for text in (f"<think></think><answer>{expected}</answer>",
                     f"<think>so</think><answer>{expected} </answer>",
                     f"<think>so</think> <answer>{expected}</answer>",
                     f"<think></think><answer>{expected}</answer><answer>",
                     "<think></think><answer>7</answer>"):
            rows.append({"options": {}, "item": item, "completion": text,
                         "reward": arithmetic_exact(text, expected)})
        for text in (f"Assistant: é<answer> {expected}\n</answer><answer>+{expected}</answer>",
                     f"Assistant: <answer>1_0</answer>", f"<answer>{expected}</answer>",
                     f"Assistant: <answer>{expected}.0</answer>"):
            for rule, each in (("tinyzero", 0), ("tinyzero_len", 1 / 3000)):
                rows.append({"options": {"reward": rule}, "item": item, "completion": text,
                             "reward": arithmetic_tinyzero(text, expected, each)})
    write("tasks/arithmetic", "verify.jsonl", rows)


def is_equal(verifier, answer, gold):
    if verifier == "exact":
        return answer.split() == gold.split()
    if verifier == "regex":
        return re.fullmatch(gold, answer) is not None
    if verifier == "choice":
        letter = re.fullmatch(r"\(?([A-Za-z])([).:, \n].*)?", answer, re.DOTALL)
        return letter is not None and letter[1].upper() == gold
    number = re.sub(r"[,$% ]", "", answer)
    return re.fullmatch(r"-?[\d.]+(/\d+)?", number) is not None and Fraction(number) == gold


def find_answer(where, text):
    if where == "tag":
        found = re.findall(r"<answer>(.*?)</answer>", text, re.DOTALL)
    elif where == "boxed":
        found = re.findall(r"\\boxed{([^{}]*)}", text)
    else:
        found = text.strip().split("\n")[-1:] if where == "last_line" else [text]
    return found[-1].strip() if found and found[-1].strip() else None


def table():
    answers = {"exact": ("the  cat", ["the cat", "the\ncat ", "The cat", "cat"]),
               "number": ("1234.5", ["$1,234.50", "2469/2", "1234.51", "many"]),
               "choice": ("B", ["B", "(b) two", "B.", "Bad", "C"]),
               "regex": ("(a|b)*c{2,3}", ["abcc", "ccc", "abc", "acccc"])}
    frames = {"tag": "<answer>no</answer> <answer>@</answer>", "boxed": "so \\boxed{1} \\boxed{@}",
              "last_line": "first\n @ ", "all": "@"}
    rows = []
    for verifier, (gold, texts) in answers.items():
        for where, frame in frames.items():
            for text in [frame.replace("@", t) for t in texts] + [" "]:
                answer = find_answer(where, text)
                value = Fraction(gold) if verifier == "number" else gold
                reward = -0.5 if answer is None else 0.0
                if answer is not None and is_equal(verifier, answer, value):
                    reward = 1.0
                rows.append({"options": {"verifier": verifier, "answer": where, "missing": -0.5},
                             "item": {"prompt": "?", "gold": gold}, "completion": text,
                             "reward": reward})
    write("tasks/table", "verify.jsonl", rows)


# ---- math: what unsloth's second notebook pays for an answer ----

def unsloth(text, gold):
    found = re.search(UNSLOTH[0], text, UNSLOTH[1])
    if found is None:
        reward = -2.0
    elif found.group(1) == gold:
        reward = 5.0
    elif found.group(1).strip() == gold.strip():
        reward = 3.5
    else:
        try:
            ratio = float(found.group(1)) / float(gold)
            reward = 2.0 if 0.9 <= ratio <= 1.1 else 1.5 if 0.8 <= ratio <= 1.2 else -2.5
        except (ValueError, ZeroDivisionError):
            reward = -4.5
    number = re.search(r"<SOLUTION>.*?[\s]{0,}([-]?[\d\.\,]{1,})", text, re.DOTALL | re.MULTILINE)
    if number is None:
        return reward - 2.5
    try:
        is_right = float(number.group(1).strip().replace(",", "")) == float(gold.strip())
        return reward + (3.5 if is_right else -1.5)
    except ValueError:
        return reward


def math_rows():
    solutions = ["12", " 12\n", "12.0", "+12", "-12", "11", "9.7", "9", "14.4", "14.5", "1_2", "1__2",
                 "_12", "12_", "1,2", "1e1", "1.2e1", "1e999", "-1e999", "1e-999", "inf", "-Infinity",
                 "nan", "x", ".", "-.", "1.2.3", "5.", ".5", "0x1F", "\u0661\u0662", "\u00b2", "\u00a012",
                 "so 12", "12 apples", "a - 12", "a -12", "--12", "$12$", "0", "-0", "", " ", "1 2",
                 "\\boxed{12}", "1e", "e5", "1e5.0", "12j", "(12)"]
    texts = [f"a<end_working_out>b<SOLUTION>{s}</SOLUTION>" for s in solutions]
    texts += TEXTS + ["<SOLUTION>12", "<SOLUTION>12</SOLUTION>", "12",
                      "<end_working_out><SOLUTION>a</SOLUTION>b</SOLUTION>12"]
    rows = [{"options": {"reward": "unsloth"}, "item": {"gold": gold}, "completion": text,
             "reward": unsloth(text, gold)}
            for gold in ("12", "-0.5", "0", "x", "1,000") for text in texts]
    write("tasks/math", "unsloth.jsonl", rows)


# ---- rewards: rows of one group of samples ----

FORMATS = {  # rule: (expression, flags, value of a match at the start)
    "open_r1": (r"^<think>\n.*?\n</think>\n<answer>\n.*?\n</answer>$", re.DOTALL | re.MULTILINE, 1),
    "open_r1_v1": (r"^<think>.*?</think>\s*<answer>.*?</answer>$", 0, 1),
    "open_r1_v2": (r"^<think>.*?</think>\s*<answer>.*?</answer>$", re.DOTALL, 1),
    "open_r1_code": (r"^<think>\n.*?\n</think>\n<answer>\n.*?```python.*?```.*?\n</answer>$",
                     re.DOTALL | re.MULTILINE, 1),
    "grpo_demo_strict": (r"^<reasoning>\n.*?\n</reasoning>\n<answer>\n.*?\n</answer>\n$", 0, 0.5),
    "grpo_demo_soft": (r"<reasoning>.*?</reasoning>\s*<answer>.*?</answer>", 0, 0.5),
    "grpo_demo_strict_dotall": (
        r"^<reasoning>\n.*?\n</reasoning>\n<answer>\n.*?\n</answer>\n$", re.DOTALL, 0.5),
    "grpo_demo_soft_dotall": (
        r"<reasoning>.*?</reasoning>\s*<answer>.*?</answer>", re.DOTALL, 0.5),
}
UNSLOTH = (r"<end_working_out>.*?<SOLUTION>(.+?)</SOLUTION>[\s]{0,}(?:<\|endoftext\|>)?[\s]{0,}$",
           re.DOTALL | re.MULTILINE)
MINI_R1 = r"^<think>([^<]*(?:<(?!/?think>)[^<]*)*)<\/think>\n<answer>([\s\S]*?)<\/answer>$"
TEXTS = [
    "a < b </think>\n<answer>1</answer>",
    "<answer>1</answer><think>a</think>",
    "<think>\na\nb\n</think>\n<answer>\n1\n</answer>",
    "<think>a</think> <answer>1</answer>",
    "<think>a\n</think><answer>1</answer> ",
    "<think>\na\n</think>\n<answer>\n```python\n1\n```\n</answer>",
    "<reasoning>\na\n</reasoning>\n<answer>\n12\n</answer>\n",
    "<reasoning>\na\nb\n</reasoning>\n<answer>\n1\n</answer>\n",
    "<reasoning>a</reasoning><answer>٣</answer> more",
    "First, a\nStep 1: b\n- c\n* d",
    "1. a",
    "",
    "a<end_working_out><SOLUTION>12</SOLUTION>",
    "a<end_working_out>b\n<SOLUTION> 12 </SOLUTION> \nmore <SOLUTION>",
    "a<end_working_out><SOLUTION></SOLUTION>b</SOLUTION> <|endoftext|>  ",
    "<SOLUTION>12</SOLUTION><end_working_out>",
    "<end_working_out><SOLUTION>12</SOLUTION> or so",
]


def one(component, options, text, expected, **more):
    return {"component": component, "options": options, "samples": [{"text": text, **more}],
            "expected": [expected]}


def format_rows():
    rows = []
    for text in TEXTS:
        for rule, (expression, flags, value) in FORMATS.items():
            found = re.match(expression, text, flags) is not None
            rows.append(one("format", {"rule": rule}, text, float(value if found else 0)))
        # mini-deepseek-r1 puts back the tag that its prompt ends with.
        found = re.search(MINI_R1, "<think>" + text) is not None
        rows.append(one("format", {"rule": "mini_r1"}, text, float(found)))
        found = re.search(UNSLOTH[0], text, UNSLOTH[1]) is not None
        rows.append(one("format", {"rule": "unsloth"}, text, 3.0 if found else 0.0))
        notebook = ("<end_working_out>", "<SOLUTION>", "</SOLUTION>")
        rows.append(one("tag_count", {"rule": "unsloth"}, text,
                        sum(0.5 if text.count(t) == 1 else -1.0 for t in notebook)))
        places = [text.find(tag) for tag in TAGS]
        good = all(text.count(tag) == 1 for tag in TAGS) and places == sorted(places)
        rows.append(one("format", {"rule": "logic_rl"}, text, 1.0 if good else -1.0))
        tags = ("<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>")
        rows.append(one("tag_count", {}, text, sum(0.25 for t in tags if text.count(t) == 1)))
        rows.append(one("xml_count", {}, text, xml_count(text)))
        steps = re.findall(r"(Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,)", text)
        rows.append(one("reasoning_steps", {}, text, min(1.0, len(steps) / 3)))
        answer = text.split("<answer>")[-1].split("</answer>")[0].strip()
        rows.append(one("integer", {}, text, 0.5 if answer.isdigit() else 0.0))
    return rows


def xml_count(text):  # grpo_demo's count_xml
    count = 0.0
    if text.count("<reasoning>\n") == 1:
        count += 0.125
    if text.count("\n</reasoning>\n") == 1:
        count += 0.125
    if text.count("\n<answer>\n") == 1:
        count += 0.125
        count -= len(text.split("\n</answer>\n")[-1]) * 0.001
    if text.count("\n</answer>") == 1:
        count += 0.125
        count -= (len(text.split("\n</answer>")[-1]) - 1) * 0.001
    return count


def cosine(n, limit, begin, end):
    return end + 0.5 * (begin - end) * (1 + math.cos(math.pi * n / limit))


def length_rows():
    rows = []
    group = [("a" * 10, "right"), ("é" * 30, "right"), ("a" * 50, "wrong"), ("a" * 20, "wrong")]
    lengths = [len(text) for text, _ in group]
    shares = [0.5 - (n - min(lengths)) / (max(lengths) - min(lengths)) for n in lengths]
    rows.append({"component": "length", "options": {},
                 "samples": [{"text": text, "verdict": verdict} for text, verdict in group],
                 "expected": [s if v == "right" else min(0.0, s)
                              for s, (_, v) in zip(shares, group)]})
    for n in (0, 100, 1000, 1500):
        rows.append(one("cosine", {}, "x" * n, cosine(n, 1000, 1, 0.5), verdict="right"))
        rows.append(one("cosine", {}, "x" * n, cosine(n, 1000, 0, -0.5), verdict="wrong"))
    for n in (1, 100, 240, 256):
        wave = cosine(n, 256, 2, 1)
        options = {"unit": "tokens", "max_len": 256, "max_right": 2, "min_right": 1, "exceed": -3,
                   "punish_exceed": True}
        late = n + 16 >= 256
        rows.append(one("cosine", options, "", -3.0 if late else wave, tokens=[1] * n,
                        verdict="right"))
        c = n / 256
        options = {"max_len": 256, "risk": 0.25, "exceed": -3, "punish_exceed": True}
        value = (0.25 + 0.75 * c) * (1 - c)
        rows.append(one("length_scaled", options, "", -3.0 if late else value, tokens=[1] * n,
                        verdict="right"))
        rows.append(one("length_scaled", {}, "", c - 1, tokens=[1] * n, verdict="wrong",
                        max_new_tokens=256))
        rows.append(one("classic", {"exceed": -3, "punish_exceed": True}, "",
                        -3.0 if late else 1.0, tokens=[1] * n, verdict="right",
                        max_new_tokens=256))
        ramp = 0.0 if n <= 192 else (192 - n) / 64  # DAPO, eq. 13
        rows.append(one("soft_overlong", {"cache": 64}, "", ramp, tokens=[1] * n,
                        max_new_tokens=256))
    rows.append(one("soft_overlong", {"max_len": 100, "cache": 10}, "", -1.0, tokens=[1] * 101))
    return rows


def repetition_rows():
    rows = []
    for text in ("a b c a b c a b c", "A b c a B C", "a b", "a a a a", "x y z", ""):
        for n in (1, 3):
            words = text.lower().split()
            grams = [tuple(words[i:i + n]) for i in range(len(words) - n + 1)]
            value = (1 - len(set(grams)) / len(grams)) * -0.5 if grams else 0.0
            rows.append(one("repetition", {"ngram": n, "max_penalty": -0.5}, text, value))
    for ids in ([1, 2, 1, 2, 3, 1, 2], [5] * 6, [1, 2, 3]):
        dense = [0.0] * len(ids)
        seen = set()
        for i in range(len(ids) - 1):
            gram = tuple(ids[i:i + 2])
            if gram in seen:
                dense[i] = dense[i + 1] = -0.25
            seen.add(gram)
        row = one("repetition_dense", {"ngram": 2, "penalty": -0.25}, "", 0.0, tokens=ids)
        rows.append(row | {"expected_tokens": dense})
    return rows


def rewards():
    write("rewards/format", "rows.jsonl", format_rows())
    write("rewards/length", "rows.jsonl", length_rows())
    write("rewards/repetition", "rows.jsonl", repetition_rows())
    shell = "while read -r line; do echo '{\"value\": -0.25, \"note\": \"n\"}'; done"
    write("rewards/command", "rows.jsonl", [one("command", {"command": shell}, "é\n", -0.25)])


# ---- algorithms: three groups, with different, equal and no failed rewards ----

LENGTHS = [3, 1, 2, 4, 2, 2, 1, 2]
GROUPS = [0, 0, 0, 0, 7, 7, 9, 9]
REWARDS = [1.0, 0.0, 0.25, 0.0, 0.5, 0.5, 0.0, 1.0]
BASELINE = [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.0, 0.0]
NUM_TOKENS = sum(LENGTHS)
OLD = [f32(-0.1 - 0.37 * ((7 * t) % 5)) for t in range(NUM_TOKENS)]
NEW = [f32(OLD[t] + 0.21 * (((5 * t) % 7) - 3)) for t in range(NUM_TOKENS)]
VALUES = [f32(0.1 * ((3 * t) % 8) - 0.2) for t in range(NUM_TOKENS)]
MOVED = [f32(VALUES[t] + 0.3 * (((2 * t) % 5) - 2)) for t in range(NUM_TOKENS)]
WEIGHT = f32(1 / NUM_TOKENS)
SPANS = [(sum(LENGTHS[:b]), sum(LENGTHS[:b + 1])) for b in range(len(LENGTHS))]


def mean(xs):
    return sum(xs) / len(xs)


def std(xs):  # unbiased
    return math.sqrt(sum((x - mean(xs)) ** 2 for x in xs) / (len(xs) - 1))


def per_token(values):
    return [v for v, n in zip(values, LENGTHS) for _ in range(n)]


def of_group(b, values=REWARDS):
    return [v for v, g in zip(values, GROUPS) if g == GROUPS[b]]


def by_group(advantage):
    """advantage(b, rewards of the group) where they differ, else 0; per token."""
    return per_token([advantage(b, of_group(b)) if len(set(of_group(b))) > 1 else 0.0
                      for b in range(len(REWARDS))])


def whitened(values, eps=1e-8):
    """Mean 0, unbiased variance 1: (x - mean) / sqrt(var + eps)."""
    m, v = mean(values), std(values) ** 2
    return [(x - m) / math.sqrt(v + eps) for x in values]


def clipped(adv, low=0.2, high=0.2):
    """PPO's surrogate (Schulman et al. 2017, eq. 7): loss and gradient per token."""
    loss, grad = 0.0, []
    for a, new, old in zip(adv, NEW, OLD):
        r = math.exp(new - old)
        bound = min(max(r, 1 - low), 1 + high)
        loss += WEIGHT * max(-a * r, -a * bound)
        grad.append(WEIGHT * -a * r if -a * r >= -a * bound else 0.0)
    return loss, grad


def gspo_loss(adv, low=3e-4, high=4e-4):
    """One ratio per completion, the mean log-ratio's (Zheng et al. 2025, eq. 5 to 7)."""
    loss, grad = 0.0, [0.0] * NUM_TOKENS
    for begin, end in SPANS:
        s = math.exp(mean([NEW[t] - OLD[t] for t in range(begin, end)]))
        bound = min(max(s, 1 - low), 1 + high)
        for t in range(begin, end):
            loss += WEIGHT * max(-adv[t] * s, -adv[t] * bound)
            if -adv[t] * s >= -adv[t] * bound:
                for u in range(begin, end):
                    grad[u] += WEIGHT * -adv[t] * s / (end - begin)
    return loss, grad


def cispo_loss(adv, most=5.0):
    """-sg(clip(r)) A logp (MiniMax-M1, eq. 4 and 5)."""
    slope = [-WEIGHT * min(math.exp(n - o), most) * a for a, n, o in zip(adv, NEW, OLD)]
    return sum(s * n for s, n in zip(slope, NEW)), slope


def reinforce_loss(adv):
    grad = [-WEIGHT * a for a in adv]
    return sum(g * n for g, n in zip(grad, NEW)), grad


def gae(gamma, lam):
    """Schulman et al. 2016, eq. 16, and the returns."""
    adv = [0.0] * NUM_TOKENS
    for (begin, end), reward in zip(SPANS, REWARDS):
        last = 0.0
        for t in reversed(range(begin, end)):
            r, after = (reward, 0.0) if t == end - 1 else (0.0, VALUES[t + 1])
            adv[t] = last = r + gamma * after - VALUES[t] + gamma * lam * last
    return adv, [a + v for a, v in zip(adv, VALUES)]


def value_loss(ret, clip):
    loss, grad = 0.0, []
    for v, old, r in zip(MOVED, VALUES, ret):
        far, near = (v - r) ** 2, (min(max(v, old - clip), old + clip) - r) ** 2
        loss += WEIGHT / 2 * max(far, near)
        grad.append(WEIGHT * (v - r) if far >= near else 0.0)
    return loss, grad


def case(options, adv, loss, **more):
    adv = [f32(a) for a in adv]
    value, grad = loss(adv)
    return {"options": options, "adv": adv, "loss": value, "grad": grad, **more}


def algorithms():
    def grpo(b, rewards):
        return (REWARDS[b] - mean(rewards)) / (std(rewards) + 1e-6)

    def centred(b, rewards):
        return REWARDS[b] - mean(rewards)

    def left_out(b):
        return REWARDS[b] - (sum(of_group(b)) - REWARDS[b]) / (len(of_group(b)) - 1)

    def opo(b, rewards):
        lengths = of_group(b, LENGTHS)
        return REWARDS[b] - sum(n * r for n, r in zip(lengths, rewards)) / sum(lengths)

    step = std(REWARDS)
    write("algorithms/grpo", "cases.jsonl", [
        case({}, by_group(grpo), clipped),
        case({"normalize": "mean", "clip_high": 0.28}, by_group(centred),
             lambda a: clipped(a, 0.2, 0.28)),
        case({"normalize": "batch_std"},
             by_group(lambda b, r: centred(b, r) / (step + 1e-6)), clipped),
        case({"normalize": "mean", "leave_one_out": True},
             by_group(lambda b, r: left_out(b)), clipped)])
    write("algorithms/gspo", "cases.jsonl", [
        case({}, by_group(grpo), gspo_loss),
        case({"clip_low": 0.1, "clip_high": 0.3}, by_group(grpo), lambda a: gspo_loss(a, 0.1, 0.3))])
    write("algorithms/cispo", "cases.jsonl", [
        case({}, by_group(grpo), cispo_loss),
        case({"max_ratio": 1.1}, by_group(grpo), lambda a: cispo_loss(a, 1.1))])
    write("algorithms/rloo", "cases.jsonl", [
        case({}, per_token([left_out(b) for b in range(len(REWARDS))]), clipped)])
    write("algorithms/opo", "cases.jsonl", [case({}, by_group(opo), clipped)])
    live = sum(len(set(of_group(b))) > 1 for b in range(len(REWARDS)))
    nonzero = sum(r != 0 for r in REWARDS)
    write("algorithms/gpg", "cases.jsonl", [
        case({"alpha": name}, by_group(lambda b, r: alpha * centred(b, r)), reinforce_loss)
        for name, alpha in (("paper", 8 / live), ("verl", 8 / nonzero), ("none", 1.0))])
    write("algorithms/maxrl", "cases.jsonl", [
        case({}, by_group(lambda b, r: centred(b, r) / (mean(r) + 1e-6)), clipped)])
    write("algorithms/remax", "cases.jsonl", [
        case({}, per_token([r - b for r, b in zip(REWARDS, BASELINE)]), clipped)])
    discounted = [REWARDS[b] * 0.9 ** (end - 1 - t)
                  for b, (begin, end) in enumerate(SPANS) for t in range(begin, end)]
    write("algorithms/reinforce_pp", "cases.jsonl", [
        case({}, whitened(per_token(REWARDS)), clipped),
        case({"gamma": 0.9}, whitened(discounted), clipped),
        case({"baseline": True},
             whitened(per_token([centred(b, of_group(b)) for b in range(len(REWARDS))])), clipped)])
    rows = []
    for gamma, lam, clip in ((1.0, 1.0, 0.5), (0.95, 0.9, 0.2)):
        adv, ret = gae(gamma, lam)
        ret = [f32(r) for r in ret]
        loss, grad = value_loss(ret, clip)
        more = {"ret": ret, "value_loss": loss, "grad_value": grad}
        options = {"gamma": gamma, "lambda": lam, "value_clip": clip}
        rows.append(case(options, whitened(adv), clipped, **more))
        rows.append(case(options | {"whiten": False}, adv, clipped, **more))
    write("algorithms/ppo", "cases.jsonl", rows)
    batch = {"lengths": LENGTHS, "groups": GROUPS, "rewards": REWARDS, "baseline": BASELINE,
             "old_logp": OLD, "logp": NEW, "old_value": VALUES, "value": MOVED, "weight": WEIGHT}
    (Path(__file__).parent / "golden_batch.json").write_text(json.dumps(batch) + "\n")


# ---- samplers ----


def plan(options, ops, step=1, num_steps=11, index=0):
    return {"options": options, "step": step, "num_steps": num_steps, "index": index, "ops": ops}


def samplers():
    all_knobs = {"temperature": 0.5, "top_k": 40, "top_p": 0.25, "min_p": 0.125,
                 "repetition_penalty": 2.0, "presence_penalty": 0.5, "frequency_penalty": -1.0}
    order = ["repetition_penalty", "presence_penalty", "frequency_penalty", "temperature", "top_k",
             "top_p", "min_p"]
    every = [[name, float(all_knobs[name])] for name in order]
    write("samplers/standard", "plans.jsonl", [
        plan({}, []), plan(all_knobs, every),
        plan({"temperature": 0, "top_k": 4}, [["temperature", 0.0]]),
        *(plan({name: all_knobs[name]}, [[name, float(all_knobs[name])]]) for name in order)])
    write("samplers/greedy_one", "plans.jsonl", [
        plan({}, [["temperature", 0.0]]), plan({}, [], index=1),
        plan(all_knobs, every[:3] + [["temperature", 0.0]]), plan(all_knobs, every, index=3)])
    rows = []
    for step in (1, 2, 6, 11, 40):
        x = min(1.0, (step - 1) / 10)
        ends = {"temperature_start": 1.25, "temperature_end": 0.75}
        rows.append(plan(ends, [["temperature", 1.25 - 0.5 * x]], step))
        y = (1 - math.cos(math.pi * x)) / 2
        rows.append(plan(ends | {"shape": "cosine"}, [["temperature", 1.25 - 0.5 * y]], step))
        z = min(1.0, (step - 1) / 4)
        rows.append(plan({"top_k_start": 100, "top_k_end": 20, "span": 5},
                         [["top_k", float(math.floor(100 - 80 * z + 0.5))]], step))
    for row in rows:  # a temperature of exactly 1 is not asked for
        row["ops"] = [op for op in row["ops"] if op != ["temperature", 1.0]]
    write("samplers/anneal", "plans.jsonl", rows)


if __name__ == "__main__":
    arithmetic()
    table()
    math_rows()
    rewards()
    algorithms()
    samplers()
