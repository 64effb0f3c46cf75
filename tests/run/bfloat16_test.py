"""Training in bfloat16: float32 weights beside their rounded copy, which generates and learns. Before
a step's first update the ratio is exactly 1, also under a sampler's mask and bans; a checkpoint holds
both; stopping, resuming and other threads change no byte; and the critic and the reference are there."""

import json
import shutil

from harness import BINARY, check, check_same, rl_rows, temporary_folder, train

STEPS = 4
SETS = ("model.dtype=bfloat16", "stage.1.steps=20", f"stage.2.steps={STEPS}", "rollout.prompts=4",
        "rollout.group_size=8", "stage.2.eval.every=0", "stage.2.checkpoint.every=1",
        "checkpoint.keep=9", "algorithm.name=ppo", "critic.lr=1e-3", "kl.coef=0.01",
        "sampler.name=thirds",
        "stage.2.reward.length_scaled={weight=-1.0, max_len=48}")
PLUGINS = ("--plugin-dir", str(BINARY / "test_plugins"))


def tensors(file):
    """{name: format} of a safetensors file."""
    data = file.read_bytes()
    head = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
    return {name: entry["dtype"] for name, entry in head.items() if name != "__metadata__"}


def check_files(checkpoint):
    for folder in (checkpoint, checkpoint / "critic"):
        check(set(tensors(folder / "model.safetensors").values()) == {"BF16"}, f"{folder}: format")
        check(set(tensors(folder / "master.safetensors").values()) == {"F32"}, f"{folder}: master")
    check(set(tensors(checkpoint / "reference/model.safetensors").values()) == {"BF16"}, "reference")
    check(not (checkpoint / "reference/master.safetensors").exists(), "a reference is not trained")


with temporary_folder() as folder:
    run, parts = folder / "whole", folder / "parts"
    said = train(run, (*SETS, "run.threads=2"), PLUGINS)
    check("bfloat16 on cpu" in said and "critic" in said and "reference" in said, said)
    found = rl_rows(run)
    check(len(found) == STEPS, f"{len(found)} steps")
    for row in found:
        check(row["mismatch/max_abs_logp"] == 0, f"rollout and training differ: {row}")
        check(row["actor/num_updates"] > 0 and row["actor/grad_norm"] > 0, f"no update: {row}")
        check(0 <= row["grad/clipped_frac"] <= 1, f"clipped_frac: {row}")
    check(abs(found[0]["actor/kl_loss"]) < 0.1, f"the reference is not the policy: {found[0]}")
    check_files(run / "checkpoints" / str(20 + STEPS))

    # Stopped in the first stage's end, and in the second; with one thread.
    train(parts, (*SETS, "run.threads=1", "stage.2.steps=1"), PLUGINS)
    shutil.rmtree(parts / "checkpoints" / "21")  # as if it had been stopped between the stages
    for steps in (2, STEPS):
        train(parts, (*SETS, "run.threads=1", f"stage.2.steps={steps}"), PLUGINS)
    check_same(run, parts, "a resumed run in bfloat16 with one thread", all_checkpoints=False)

    (parts / "checkpoints" / str(20 + STEPS) / "master.safetensors").unlink()
    said = train(parts, (*SETS, "run.threads=1", f"stage.2.steps={STEPS + 1}"), PLUGINS, expect=1)
    check("master.safetensors" in said, said)
print("training in bfloat16 resumes to the bit")
