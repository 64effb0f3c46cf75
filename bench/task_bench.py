"""Times a task plugin and the Python rule it reproduces in turn, on the same completions."""

import json
import random
import time
import warnings

import common
from common import Worker, build, median, one_core, table, target

LENGTH = 300       # characters of a completion
REPEATS = 7
SECONDS = 0.3      # of CPU time, for each measurement
KINDS = ("right", "right", "wrong", "wrong", "off_format", "off_format", "no_answer", "cut_off")

# What a model writes while it looks for an answer.
THOUGHTS = ("Let me think about this step by step.", "First, I will look at what is given.",
            "Suppose that this is so.", "Then the other one would have to be as well.",
            "That does not work, since 3 * 7 = 21 is too much.", "Wait, let me check that again.",
            "If (a) holds, then 12 + 5 - 4 = 13 is what remains.", "So that leads to nothing.",
            "Let me try another way.", "Hmm, 96 / 8 = 12, which is closer.",
            "This one is a knight, so what they say is true.", "That is a contradiction.",
            "Now this fits with everything that was said.", "Let me write down the result.")


def completion(kind, answer, wrong, rng):
    """One completion of LENGTH characters behind the prefill `<think>`."""
    tail = f"\n</think>\n<answer>{wrong if kind == 'wrong' else answer}</answer>"
    if kind == "off_format":
        tail = rng.choice([f"\n<answer>{answer}</answer>",                  # the thought is open
                           f"\n</think>\n<answer>{answer}",                 # the answer is
                           f"\n</think>\nThe answer is {answer}.",
                           f"\n</think>\n<answer>{answer}</answer></answer>",
                           f"\n</think>\n<answer>{answer}</answer>\nI hope that this helps."])
    if kind == "no_answer":
        tail = "\n</think>\n<answer>There is no answer, since nothing fits.</answer>"
    if kind == "cut_off":
        tail = ""
    thought = ""
    while len(thought) + len(tail) < LENGTH:
        thought += (" " if thought else "") + rng.choice(THOUGHTS)
    return thought[:LENGTH - len(tail)] + tail


def completions(rows, wrong_answer):
    """For each item one completion; the kinds in turn. `wrong_answer(answer, rng)` spoils one."""
    rng = random.Random(1)
    out = []
    for i, row in enumerate(rows):
        answer = row["demonstration"].split("<answer>")[1].split("</answer>")[0]
        kind = KINDS[i % len(KINDS)]
        text = completion(kind, answer, wrong_answer(answer, rng), rng)
        assert len(text) == LENGTH, (kind, text)
        out.append({"completion": text, "finish": "length" if kind == "cut_off" else "stop"})
    return out


def python_rate(f):
    """Calls of f, which says how many things it did, per second of CPU time of this process."""
    begin, done = time.process_time(), 0
    while time.process_time() - begin < SECONDS:
        done += f()
    return done / (time.process_time() - begin)


def parse(text):
    parser = common.parser(text)
    parser.add_argument("--completions", type=int, default=1024,
                        help="different ones, each of an item of its own; default: 1024")
    return parser.parse_args()


def measure(args, task, sets, generators):
    """Prints one table.

    sets: (what, options, wrong_answer, rule, prepare); rule None: qed's own. generators: (what,
    options, least, peer, peer's name); peer() makes one item.
    """
    folder = build(args, "bench_task")
    one_core()
    warnings.simplefilter("ignore")  # the peers' eval warns of what a model wrote
    timed = []  # what, least, peer's name, measure qed, measure peer
    workers = []
    for what, options, wrong_answer, rule, prepare in sets:
        worker = Worker(folder, task, options)
        workers.append(worker)
        rows = worker.ask(f"make {args.completions}")
        texts = completions(rows, wrong_answer)
        worker.ask("completions", *(json.dumps(text) for text in texts))
        rewards = worker.ask("rewards")
        peer = None
        if rule is not None:
            cases = [(row["prompt"] + text["completion"], prepare(row["item"]))
                     for row, text in zip(rows, texts)]
            for i, case in enumerate(cases):
                if abs(rule(*case) - rewards[i]) > 1e-9:
                    raise SystemExit(f"{task}: {rewards[i]} here, {rule(*case)} in Python:\n"
                                     f"{case[0]}\n{case[1]}")

            def peer(rule=rule, cases=cases):
                for case in cases[:512]:
                    rule(*case)
                return 512
        parts = ", ".join(f"{rewards.count(r) / len(rewards):.0%} {r:g}"
                          for r in sorted(set(rewards)))
        timed.append((f"verify, {what} ({parts})", 1_000_000, peer,
                      lambda w=worker: w.ask(f"verify {SECONDS}")))
    for what, options, least, make in generators:
        worker = Worker(folder, task, options)
        workers.append(worker)

        def peer(make=make):
            for _ in range(100):
                make()
            return 100
        timed.append((f"make, {what}", least, make and peer,
                      lambda w=worker: w.ask(f"items {SECONDS}")))

    ours, theirs = [[] for _ in timed], [[] for _ in timed]
    for _ in range(REPEATS):  # both sides in turn, so that they see the same machine
        for i, (_, _, peer, measure_qed) in enumerate(timed):
            ours[i].append(measure_qed())
            if peer:
                theirs[i].append(python_rate(peer))
    for worker in workers:
        worker.close()
    rows = []
    for (what, least, _, _), qed, python in zip(timed, ours, theirs):
        rate = median(qed)
        rows.append([what, f"{rate:,.0f}", f"{median(python):,.0f}" if python else "-",
                     f"{rate / median(python):,.0f}" if python else "-", target(rate, least)])
    table(f"{task}: {args.completions} different completions of {LENGTH} characters in batches of "
          f"64; per second of CPU time of one thread, medians of {REPEATS}",
          ["what (rewards)", "qed/s", "Python/s", "ratio", "target"], rows, folder)
