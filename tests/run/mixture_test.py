"""Several tasks in one stage: prompts by weight, metrics and evaluations by label, difficulty windows,
and a killed run goes on with the same bytes."""

import collections
import json

from harness import check, eval_rows, qed, rl_rows, small_model, temporary_folder

RUN = """
[model]
config = "model/config.json"
[[task]]
name = "largest"
weight = 3
[[task]]
name = "largest"
label = "chosen"
window = [0.1, 0.9]
[algorithm]
name = "grpo"
[sampler]
name = "standard"
[rollout]
prompts = 64
group_size = 4
max_new_tokens = 3
[train]
lr = 1e-3
[eval]
every = 10
items = 20
[checkpoint]
every = 10
[[stage]]
kind = "rl"
steps = 60
"""


def samples(run):
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]


def check_mixture(run):
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in samples(run):
        groups[row["step"]][row["group"]].append(row)
    counts = collections.Counter()
    for row in rl_rows(run):
        for label in ("largest", "chosen"):
            mine = [rows for rows in groups[row["step"]].values() if rows[0]["task"] == label]
            check(row[f"task/{label}/num_groups"] == len(mine), f"{label} at step {row['step']}")
            rewards = [r["reward"] for rows in mine for r in rows]
            if rewards:
                mean = sum(rewards) / len(rewards)
                check(abs(row[f"task/{label}/reward/mean"] - mean) < 1e-9, f"{row}")
            counts[label] += len(mine)
    check(abs(counts["chosen"] / counts.total() - 0.25) < 0.04, f"weights 3 and 1 gave {counts}")
    evaluated = eval_rows(run)
    check({f"val-core/{label}/mean@1" for label in ("largest", "chosen")} <= set(evaluated[60]),
          f"{evaluated[60]}")
    held_out = {json.loads(line)["item"] for line in (run / "eval.jsonl").read_text().splitlines()}
    check(not held_out & {row["item"] for row in samples(run)}, "an item is trained on and held out")


def check_window(run):
    """An item that was all wrong or all right is not asked again at once."""
    visits = collections.defaultdict(list)  # by item: the share right of each visit
    rows = [row for row in samples(run) if row["task"] == "chosen"]
    by_group = collections.defaultdict(list)
    for row in rows:
        by_group[row["step"], row["group"]].append(row)
    for group in by_group.values():
        visits[group[0]["item"]].append(sum(r["verdict"] == "right" for r in group) / len(group))
    left_out = sum(row["training/num_skipped_items"] for row in rl_rows(run))
    check(left_out > 0, "the window left nothing out")
    check(max(map(len, visits.values())) > 1, "no item came twice")


with temporary_folder() as folder:
    small_model(folder, RUN)
    said = qed(folder, "train", "run.toml", "--run", folder / "whole")
    check("tasks largest 3, chosen 1, algorithm grpo" in said, said)
    check_mixture(folder / "whole")
    check_window(folder / "whole")
    # More steps for a finished run are the same as all of them at once.
    qed(folder, "train", "run.toml", "--run", folder / "parts", sets=("stage.1.steps=30",))
    for line in ("metrics", "eval"):
        start = (folder / "parts" / f"{line}.jsonl").stat().st_size
        check(start > 0, f"{line}.jsonl is empty")
    said = qed(folder, "train", "run.toml", "--run", folder / "parts")
    check("resuming" in said, said)
    last = [f"checkpoints/60/{name}" for name in ("model.safetensors", "optimizer.safetensors")]
    states = [json.loads((folder / run / "checkpoints/60/trainer.json").read_text())["data"]
              for run in ("whole", "parts")]
    check(states[0] == states[1] and states[0]["position"] == 64 * 60, "the state of the data")
    for name in last:
        check((folder / "whole" / name).read_bytes() == (folder / "parts" / name).read_bytes(), name)
    said = qed(folder, "train", "run.toml", "--run", folder / "other",
               sets=("task.1.window=[0.5, 0.4]",), expect=2)
    check("error: `window` ends below where it begins" in said, said)
print("tasks are mixed by weight, told apart by label, and resumed")
