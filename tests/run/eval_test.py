"""Evaluation: what eval.jsonl keeps gives the numbers of metrics.jsonl, and `qed eval` outside the
run gives the same ones to the bit."""

import collections
import json
import math
import os
import subprocess

from harness import NUM_RL, WITHOUT_EVAL, check, eval_rows, temporary_folder, train

QED = os.environ["QED_BIN"]
ITEMS, K = 24, 3
SETS = (*WITHOUT_EVAL, "stage.1.steps=300", "stage.1.checkpoint.every=0", "stage.2.eval.every=3",
        f"eval.items={ITEMS}", f"eval.samples={K}", "stage.2.checkpoint.every=3")
TASK = ("--task", "arithmetic", "--set", "operator=add", "--set", "digits=3", "--set", "working=0.4",
        "--max-new-tokens", 48)


def qed(*args, expect=0):
    done = subprocess.run([QED, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    check(done.returncode == expect,
          f"exit code {done.returncode} instead of {expect}; qed said:\n{done.stderr}")
    return done


def refuses(args, message):
    said = qed("eval", *args, expect=2).stderr
    check(f"error: {message}" in said, f"stderr does not say\n{message}\nbut\n{said}")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def mean_and_error(x):
    mean = sum(x) / len(x)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in x)) / len(x)


def close(a, b):
    return abs(a - b) <= 1e-12


def check_rows(run):
    found = collections.defaultdict(list)
    for row in lines(run / "eval.jsonl"):
        check((row["stage"], row["task"]) == ("rl", "arithmetic"), f"{row}")
        check(len(row["samples"]) == (1 if row["temperature"] == 0 else K), "greedy ones are alike")
        found[row["step"], row["temperature"]].append(row)
    rows = eval_rows(run)
    check(sorted(rows) == [0, 3, 6] and len(found) == 6, f"evaluated at {sorted(rows)}")
    for (step, temperature), items in found.items():
        check(len({row["item"] for row in items}) == ITEMS, f"{len(items)} items")
        right = [[s["verdict"] == "right" for s in row["samples"]] for row in items]
        name = "val-core/arithmetic/mean@1" if temperature == 0 else f"val-aux/arithmetic/mean@{K}_t1"
        mean, error = mean_and_error([sum(r) / len(r) for r in right])
        check(close(rows[step][name], mean) and close(rows[step][name + "_se"], error),
              f"{name} at step {step} is not what eval.jsonl says: {mean} ± {error}")
        if temperature == 0:
            continue
        solved, _ = mean_and_error([any(r) for r in right])
        pairs, _ = mean_and_error([1 - math.comb(K - sum(r), 2) / math.comb(K, 2) for r in right])
        check(close(rows[step][f"val-aux/arithmetic/pass@{K}_t1"], solved), "pass@k")
        check(close(rows[step]["val-aux/arithmetic/pass@2_t1"], pairs), "pass@2")
        maj = rows[step][f"val-aux/arithmetic/maj@{K}_t1"]
        check(0 <= maj <= solved, f"maj@{K} is {maj}, and {solved} are solved")
    return found


def check_outside(run, found, folder):
    """The same model, items and random numbers outside of the run."""
    model = run / "checkpoints" / str(300 + NUM_RL)
    row = eval_rows(run)[NUM_RL]
    inside = {"": ("val-core/arithmetic/mean@1", (0,), "mean@1"),
              "_t1": (f"val-aux/arithmetic/mean@{K}_t1", (1, "-n", K), f"mean@{K}")}
    for end, (metric, temperature, name) in inside.items():
        file = folder / f"rows{end}.jsonl"
        said = qed("eval", model, *TASK, "--items", ITEMS, "--json", "-o", file, "--temperature",
                   *temperature).stdout
        result = json.loads(said)
        check(result["items"] == ITEMS and result["split"] == "test", said)
        check(result[name] == row[metric] and result[name + "_se"] == row[metric + "_se"],
              f"{said} is not {metric} = {row[metric]}")
        kept = [(r["item"], r["samples"]) for r in lines(file)]
        check(kept == [(r["item"], r["samples"]) for r in found[NUM_RL, 0 if end == "" else 1]],
              f"the completions at temperature {temperature[0]} are others")
    check(qed("eval", model, *TASK, "--items", ITEMS, "--json").stdout
          == qed("eval", model, *TASK, "--items", ITEMS, "--json", "--threads", 1, "--max-batch",
                 5).stdout, "greedy is the default, and threads and batch change nothing")
    text = qed("eval", model, *TASK, "--items", 8, "-n", 4, "--temperature", 1).stdout
    check(text.startswith("arithmetic, split test: 8 items x 4\n  mean@4 "), text)
    check("  pass@2 " in text and "  pass@4 " in text and "  maj@4 " in text, text)
    return model


with temporary_folder() as folder:
    said = train(folder / "run", SETS)
    check(f", pass@{K} " in said and f", maj@{K} " in said, f"the live line says\n{said}")
    found = check_rows(folder / "run")
    model = check_outside(folder / "run", found, folder)
    refuses((model, *TASK, "-n", 4), "all 4 completions of an item would be alike: the sampler "
            "`standard` is greedy")
    refuses((model, *TASK, "--items", 0), "--items must be at least 1, not 0")
    refuses((model, *TASK, "--max-failure-frac", 2),
            "--max-failure-frac must be between 0 and 1, not 2")
    refuses((model, *TASK[:-1], 2000), "the prompt of item ")
print("eval.jsonl, metrics.jsonl and `qed eval` agree")
