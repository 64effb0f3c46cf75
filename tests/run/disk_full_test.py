"""A disk that fills: one clear message, and a run folder that goes on to the same bytes.

The file size limit of a process stands for the disk: a write beyond it fails in the middle.
"""

from harness import (NUM_RL, NUM_SFT, WITHOUT_EVAL, check, check_same, checkpoint_steps, largest_file,
                     temporary_folder, train, train_with_room)


def fails(folder, limit_bytes, file):
    said = train_with_room(folder, limit_bytes, WITHOUT_EVAL)
    check(file in said, f"no clear message about {file}: {said}")


with temporary_folder() as folder:
    train(folder / "undisturbed", WITHOUT_EVAL)
    last = folder / "undisturbed" / "checkpoints" / str(NUM_SFT + NUM_RL)
    run = folder / "run"
    fails(run, (last / "model.safetensors").stat().st_size // 2, "model.safetensors")
    check(checkpoint_steps(run) == [], "a checkpoint of half a model looks complete")
    samples = (folder / "undisturbed" / "samples.jsonl").stat().st_size
    if samples // 2 > largest_file(last):
        fails(run, samples // 2, "samples.jsonl")
    train(run, WITHOUT_EVAL)
    check_same(folder / "undisturbed", run, "after a full disk")
print("after a full disk: the same bytes")
