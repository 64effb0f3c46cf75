"""What the tests against transformers share.

Such a test takes the python of scripts/dev_env; where that environment has not been made it is
skipped, unless CI=true: then it is made. A test ends with `sys.exit(peer.main(__file__, inside))`:
`inside` runs in the environment.
"""

import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["QED_SOURCE_DIR"])
BINARY = pathlib.Path(os.environ["QED_BINARY_DIR"])
TOLERANCE = 2e-5  # of the largest logit
SKIPPED = 77


def run(*command):
    """Returns what the command prints; ends the test where it fails."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True)
    if done.returncode != 0:
        text = " ".join(map(str, command))
        sys.exit(f"FAILED: exit code {done.returncode}: {text}\n{done.stderr}")
    return done.stdout


def find_python():
    """The python of the environment, or None where it would have to be made first."""
    script = SOURCE / "scripts" / "dev_env"
    ask = [script] if os.environ.get("CI") == "true" else [script, "--if-ready"]
    return run(*ask).strip() or None


def main(file, inside):
    """Puts `inside` to work in the environment. Returns an exit code."""
    if "--inside" in sys.argv[1:]:
        return inside()
    python = find_python()
    if python is None:
        print("SKIPPED: there is no environment with transformers; scripts/dev_env makes it")
        return SKIPPED
    # One thread: beside other tests more of them only wait for each other.
    return subprocess.run([python, file, "--inside", *sys.argv[1:]],
                          env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode


# ---- Inside the environment.


def quiet_transformers():
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    return transformers


def logits_of_qed(folder, sequences, work, save=None, max_shard_bytes=5_000_000_000):
    """[sum of lengths, V]. `save` is a folder into which qed writes the model it has read."""
    import numpy

    ids, out = work / "ids", work / "logits"
    ids.write_text("".join(" ".join(map(str, sequence)) + "\n" for sequence in sequences))
    run(BINARY / "tests" / "bin" / "dump_logits", folder, ids, out,
        *([save, max_shard_bytes] if save else []))
    rows = sum(map(len, sequences))
    return numpy.fromfile(out, dtype=numpy.float32).reshape(rows, -1)


def logits_of_transformers(model, sequences):
    import numpy
    import torch

    with torch.no_grad():
        return numpy.concatenate([model(torch.tensor([s])).logits[0].numpy() for s in sequences])


def same_logits(model, folder, sequences, work, name, **save):
    """Compares transformers' model with what qed reads in `folder`; returns transformers' logits."""
    ours = logits_of_qed(folder, sequences, work, **save)
    theirs = logits_of_transformers(model, sequences)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    difference, largest = abs(ours - theirs).max(), abs(theirs).max()
    print(f"{name}: max |difference| {difference:.2e}, max |logit| {largest:.2f}, "
          f"ratio {difference / largest:.1e}", flush=True)
    assert largest > 0 and difference <= TOLERANCE * largest, "qed and transformers disagree"
    return theirs
