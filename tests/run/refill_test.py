"""Dynamic sampling: groups of equal rewards are replaced, the ones that vary most are kept, and a
killed run goes on with the same bytes."""

import collections
import json

from harness import (check, check_same, kill, rl_rows, small_model, start_small, temporary_folder,
                     train_small, wait_for_rows)

PROMPTS, STEPS = 16, 60
# The reward is the length of a completion: often equal in a group of two.
RUN = f"""
[model]
config = "model/config.json"
[task]
name = "faulty"
[algorithm]
name = "grpo"
[sampler]
name = "standard"
[rollout]
prompts = {PROMPTS}
group_size = 2
max_new_tokens = 12
[train]
lr = 1e-4
[checkpoint]
every = 10
[[stage]]
kind = "rl"
steps = {STEPS}
"""


def groups(run):
    """Rewards by step and group."""
    out = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in (run / "samples.jsonl").read_text().splitlines():
        row = json.loads(line)
        out[row["step"]][row["group"]].append(row["reward"])
    return out


def varies(rewards):
    return max(rewards) > min(rewards)


def check_refill(plain, run):
    before, after = groups(plain), groups(run)
    dropped = sum(not varies(r) for r in before[1].values())
    check(0 < dropped < PROMPTS, f"{dropped} of {PROMPTS} groups are equal: this tests nothing")
    refilled = False
    for row in rl_rows(run):
        step = row["step"]
        check(all(varies(r) for r in after[step].values()), f"a group of step {step} has no variance")
        check(len(after[step]) <= PROMPTS and 1 <= row["train/num_gen_batches"] <= 3, f"{row}")
        check(len(after[step]) == PROMPTS or row["train/num_gen_batches"] == 3,
              f"step {step} stopped early")
        check(row["train/num_gen_groups"] >= PROMPTS, f"{row}")
        check(row["group/frac_zero_std"] == 0, f"{row}")
        refilled |= row["train/num_gen_batches"] > 1
    check(refilled, "no step was refilled")
    # What the first round of the first step kept is what the plain run drew.
    kept = [r for r in before[1].values() if varies(r)]
    check(list(after[1].values())[:len(kept)] == kept, "the first groups are others")


def check_keep(plain, run):
    before, after = groups(plain)[1], groups(run)[1]
    check(len(after) == 5, f"{len(after)} groups instead of 5")

    def spread(rewards):
        mean = sum(rewards) / len(rewards)
        return sum((r - mean) ** 2 for r in rewards)

    best = sorted((spread(r) for r in before.values()), reverse=True)[:5]
    kept = [spread(r) for r in after.values()]
    check(max(abs(a - b) for a, b in zip(sorted(kept, reverse=True), best)) < 1e-9,
          f"{kept} are not the largest of {list(before.values())}")


with temporary_folder() as folder:
    small_model(folder, RUN, "faulty")
    train_small(folder / "plain")
    refill = ("rollout.refill=2",)
    train_small(folder / "refill", refill)
    check_refill(folder / "plain", folder / "refill")
    process = start_small(folder / "killed", refill)
    check(wait_for_rows(process, folder / "killed", STEPS // 2), "the run ended early")
    kill(process)
    train_small(folder / "killed", refill)
    check_same(folder / "refill", folder / "killed", "killed while refilling")
    train_small(folder / "keep", ("rollout.keep_groups=5",))
    check_keep(folder / "plain", folder / "keep")
print("groups without variance are replaced, and those of largest variance kept")
