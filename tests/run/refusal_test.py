"""Models, data and settings that cannot work end with one sentence and the right exit code."""

import json
import shutil

from harness import SOURCE, check, temporary_folder, train

QUICK = ("stage.1.steps=2", "stage.2.steps=1", "stage.2.eval.every=0")


def model(folder, name, **changes):
    """A copy of the quick start's model with other values in its config.json."""
    copy = folder / name
    shutil.copytree(SOURCE / "configs" / "quickstart", copy)
    file = copy / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return f"model.config={file}"


def refuses(run, sets, expect, *texts):
    said = train(run, (*QUICK, *sets), expect=expect)
    for text in texts:
        check(text in said, f"{run.name}: stderr does not say `{text}` but:\n{said}")


with temporary_folder() as folder:
    refuses(folder / "long demonstration",
            (model(folder, "short window", max_position_embeddings=20), "rollout.max_new_tokens=4"), 1,
            "error: a demonstration of task `arithmetic` has 50 tokens, more than the model's window of 20",
            "hint: choose shorter items, or a model with a larger max_position_embeddings")
    refuses(folder / "long rollout", (model(folder, "window", max_position_embeddings=54),), 1,
            "error: a prompt of 9 tokens and 48 new ones exceed the model's window of 54",
            "hint: lower rollout.max_new_tokens")
    refuses(folder / "small vocabulary", (model(folder, "vocabulary", vocab_size=20),), 1,
            "has 21 tokens, but the model's vocabulary is 20")
    run = folder / "diverged"
    refuses(run, ("stage.1.train.lr=1e30", "stage.1.train.clip_norm=0"), 1,
            "error: sft step 2: ", "not finite", f"its samples are in {run}/failed_step.jsonl")
    rows = [json.loads(line) for line in (run / "failed_step.jsonl").read_text().splitlines()]
    check(len(rows) == 32 and all(row["step"] == 2 and row["completion_ids"] for row in rows), f"{rows[:1]}")
    refuses(folder / "greedy", ("sampler.temperature=0",), 2,
            "error: sampler `standard` is greedy, and a greedy rollout cannot be trained on",
            "hint: use a temperature above 0")
    blocked = folder / "a file"
    blocked.write_text("")
    refuses(blocked, (), 2, f"error: cannot write to run folder {blocked}",
            "hint: name another one with --run")
print("every refusal says what, where and what to do")
