"""A disk that fills: one clear message, and a run folder that goes on to the same bytes.

The file size limit of a process stands for the disk: a write beyond it fails in the middle.
"""

import pathlib
import resource
import signal
import subprocess

from harness import (NUM_RL, NUM_SFT, WITHOUT_EVAL, check, check_same, checkpoint_steps, command,
                     temporary_folder, train)


def train_with_room(folder, limit_bytes):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # write() fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    return subprocess.run(command(folder, WITHOUT_EVAL), cwd=pathlib.Path(folder).parent, preexec_fn=limit,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)


def fails(folder, limit_bytes, file):
    done = train_with_room(folder, limit_bytes)
    check(done.returncode == 1, f"exit code {done.returncode} instead of 1; qed said:\n{done.stderr}")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    check(len(errors) == 1 and "cannot write" in errors[0] and file in errors[0],
          f"no single clear message about {file}; qed said:\n{done.stderr}")
    check("free some space, then run the same command again" in done.stderr, done.stderr)
    left = [path.name for path in folder.glob("checkpoints/.unfinished-*")]
    check(not left, f"a failed write left {left} behind")


with temporary_folder() as folder:
    train(folder / "undisturbed", WITHOUT_EVAL)
    last = folder / "undisturbed" / "checkpoints" / str(NUM_SFT + NUM_RL)
    run = folder / "run"
    fails(run, (last / "model.safetensors").stat().st_size // 2, "model.safetensors")
    check(checkpoint_steps(run) == [], "a checkpoint of half a model looks complete")
    samples = (folder / "undisturbed" / "samples.jsonl").stat().st_size
    biggest = max(path.stat().st_size for path in last.iterdir())
    if samples // 2 > biggest:
        fails(run, samples // 2, "samples.jsonl")
    train(run, WITHOUT_EVAL)
    check_same(folder / "undisturbed", run, "after a full disk")
print("after a full disk: the same bytes")
