"""samples.jsonl says where each completion came from, and on request its tokens and log-probs.

The log-probs are those of the policy before the step: `qed score` finds the same with the checkpoint
that the step began from.
"""

import json
import os
import subprocess

from harness import NUM_SFT, WITHOUT_EVAL, check, rl_rows, temporary_folder, train

NUM_SAMPLES = 16 * 16


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


with temporary_folder() as folder:
    run = folder / "run"
    train(run, (*WITHOUT_EVAL, "stage.2.steps=1", "stage.2.checkpoint.every=0", "run.log_tokens=true",
                "checkpoint.keep=9"))
    samples, row = lines(run / "samples.jsonl"), rl_rows(run)[0]
    check(len(samples) == NUM_SAMPLES, f"{len(samples)} samples instead of {NUM_SAMPLES}")
    for index, s in enumerate(samples):
        check((s["group"], s["sample"], s["turn"]) == (index // 16, index % 16, 0), s)
        check(s["num_tokens"] == len(s["completion_ids"]) == len(s["logp"]) == len(s["behavior_logp"]), s)
    check(len({s["seed"] for s in samples}) == NUM_SAMPLES, "two completions share their random numbers")
    right = sum(s["verdict"] == "right" for s in samples) / NUM_SAMPLES
    check(row["reward/right_frac"] == right, f"{row['reward/right_frac']} and {right} are right")
    groups = [sum(s["verdict"] == "right" for s in samples[i:i + 16]) for i in range(0, NUM_SAMPLES, 16)]
    for name, count in (("all_1", groups.count(16)), ("all_0", groups.count(0)),
                        ("mixed", sum(0 < g < 16 for g in groups))):
        check(row[f"group/frac_{name}"] == count / 16, f"group/frac_{name} is not {count} of 16")

    scored = subprocess.run([os.environ["QED_BIN"], "score", run / "checkpoints" / str(NUM_SFT), "--input",
                             run / "samples.jsonl", "--json"], check=True, capture_output=True, text=True).stdout
    for sample, line in zip(samples, scored.splitlines(), strict=True):
        found = json.loads(line)["logp"]
        check(found == sample["logp"], f"qed score finds {found} for {sample}")
print(f"{NUM_SAMPLES} samples, each log-prob found again by qed score")
