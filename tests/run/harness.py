"""What the run tests share: starting qed, and comparing what two runs left behind.

A test works in a temporary folder of its own. Everything compared here must be equal to the byte,
apart from the clocks: metrics whose name starts with timing_ or perf/.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(os.environ["QED_SOURCE_DIR"])
BINARY = pathlib.Path(os.environ["QED_BINARY_DIR"])
QUICKSTART = str(SOURCE / "configs" / "quickstart.toml")
CLOCKS = ("timing_", "perf/")

# The quick start in seconds: both stages, evaluations and several checkpoints, on a model that has
# learned next to nothing, so that its completions are of many kinds.
NUM_SFT, NUM_RL = 40, 6
WITHOUT_EVAL = (f"stage.1.steps={NUM_SFT}", "stage.1.checkpoint.every=10",
                f"stage.2.steps={NUM_RL}", "stage.2.checkpoint.every=2")
REDUCED = (*WITHOUT_EVAL, "eval.items=32", "stage.2.eval.every=3")


# A small model for tasks of the tests' own, whose texts are a few characters; see small_model.
SMALL = dict(architectures=["Qwen2ForCausalLM"], model_type="qwen2", vocab_size=16, hidden_size=32,
             num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, intermediate_size=32,
             hidden_act="silu", rms_norm_eps=1e-6, rope_theta=10000.0, max_position_embeddings=64,
             tie_word_embeddings=True, initializer_range=0.02)


def small_model(folder, run_file, task="largest", **changes):
    """Writes <folder>/model, its tokenizer made for the task, and <folder>/run.toml."""
    qed(folder, "tokenizer", "train", "--kind", "chars", "--task", task, "--vocab", 16, "-o", "model")
    (folder / "model/config.json").write_text(json.dumps(SMALL | changes))
    (folder / "run.toml").write_text(run_file)


def qed_words(words, sets=(), program=os.environ["QED_BIN"]):
    """A command of qed that finds the plugins of the tests."""
    return [program, *map(str, words), *(part for text in sets for part in ("--set", text)),
            "--plugin-dir", str(BINARY / "test_plugins")]


def qed(folder, *words, sets=(), expect=0, environment=()):
    """Runs a command of qed in the folder; returns its stderr."""
    environment = os.environ | dict(environment)
    words = qed_words(words, sets, environment["QED_BIN"])
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment)
    check(done.returncode == expect,
          f"exit code {done.returncode} instead of {expect}; {' '.join(words[1:])} said:\n{done.stderr}")
    return done.stderr


def train_small(run, sets=(), expect=0, environment=()):
    """Trains in the folder `run`, which stands beside small_model's run.toml; returns stderr."""
    return qed(run.parent, "train", "run.toml", "--run", run, sets=sets, expect=expect,
               environment=environment)


def command(folder, sets=(), flags=()):
    overrides = [part for text in sets for part in ("--set", text)]
    return [os.environ["QED_BIN"], "train", QUICKSTART, "--run", str(folder), *overrides, *flags]


def start(folder, sets=(), flags=()):
    """Starts qed and does not wait; what it says goes to <folder>.log."""
    return start_words(folder, command(folder, sets, flags))


def start_small(folder, sets=()):
    """The same of train_small."""
    return start_words(folder, qed_words(("train", "run.toml", "--run", folder), sets))


def start_words(folder, words):
    with open(f"{folder}.log", "a") as log:
        return subprocess.Popen(words, cwd=pathlib.Path(folder).parent, stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log)


def train(folder, sets=(), flags=(), expect=0):
    """Runs qed to its end and returns what it said on stderr."""
    done = subprocess.run(command(folder, sets, flags), cwd=pathlib.Path(folder).parent,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(done.returncode == expect,
          f"exit code {done.returncode} instead of {expect}; qed said:\n{done.stderr}")
    return done.stderr


def train_with_room(folder, limit_bytes, sets=()):
    """Runs qed where no file can grow beyond `limit_bytes`, as on a disk that fills: it must end with
    one clear message, which is returned, and leave nothing half written."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # write() fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    done = subprocess.run(command(folder, sets), cwd=pathlib.Path(folder).parent, preexec_fn=limit,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(done.returncode == 1, f"exit code {done.returncode} instead of 1; qed said:\n{done.stderr}")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    check(len(errors) == 1 and "cannot write" in errors[0],
          f"no single clear message; qed said:\n{done.stderr}")
    check("free some space, then run the same command again" in done.stderr, done.stderr)
    left = [path.name for path in folder.glob("checkpoints/.unfinished-*")]
    check(not left, f"a failed write left {left} behind")
    return errors[0]


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def check(is_true, what):
    if not is_true:
        sys.exit(f"FAILED: {what}")


@contextlib.contextmanager
def temporary_folder():
    with tempfile.TemporaryDirectory(prefix="qed-run-test-") as folder:
        yield pathlib.Path(folder).resolve()


# ---- What a run left behind.


def rows(folder, stage=None):
    """The rows of metrics.jsonl without an unfinished last line; of one stage, or of all."""
    try:
        text = (folder / "metrics.jsonl").read_text()
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]
    return [row for row in found if stage in (None, row["stage"])]


def rl_rows(folder):
    return [row for row in rows(folder, "rl") if "actor/lr" in row]


def eval_rows(folder):
    """Evaluations by step of the rl stage."""
    return {row["step"]: row for row in rows(folder, "rl") if "timing_s/testing" in row}


def without_clocks(row):
    return {key: value for key, value in row.items() if not key.startswith(CLOCKS)}


def checkpoint_steps(folder):
    """Steps of the complete checkpoints, ascending."""
    return sorted(int(done.parent.name) for done in folder.glob("checkpoints/*/DONE")
                  if done.parent.name.isdigit())


def hashes(checkpoint):
    """{file: sha256} of a checkpoint."""
    return {str(path.relative_to(checkpoint)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(checkpoint.rglob("*")) if path.is_file()}


def largest_file(folder):
    return max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)


def check_same(expected, actual, what, all_checkpoints=True):
    """Fails unless the run in folder `actual` left the same bytes as the one in `expected`."""
    old, new = rows(expected), rows(actual)
    for number, (a, b) in enumerate(zip(old, new), start=1):
        a, b = without_clocks(a), without_clocks(b)
        differing = [key for key in {**a, **b} if a.get(key) != b.get(key)]
        check(list(a) == list(b) and not differing,
              f"{what}: row {number} of metrics.jsonl differs in "
              + ", ".join(f"{key}: {a.get(key)} and {b.get(key)}" for key in differing))
    check(len(old) == len(new), f"{what}: {len(old)} and {len(new)} rows in metrics.jsonl")
    sizes = [(folder / "metrics.jsonl").stat().st_size for folder in (expected, actual)]
    check(sizes[0] == sizes[1], f"{what}: metrics.jsonl has {sizes[0]} and {sizes[1]} bytes")
    samples = [(folder / "samples.jsonl").read_bytes() for folder in (expected, actual)]
    check(samples[0] and samples[0] == samples[1], f"{what}: samples.jsonl differs, or is empty")
    evals = [(folder / "eval.jsonl").read_bytes() for folder in (expected, actual)]
    check(evals[0] == evals[1], f"{what}: eval.jsonl differs")

    steps = checkpoint_steps(expected)
    check(steps and steps == checkpoint_steps(actual),
          f"{what}: checkpoints {steps} and {checkpoint_steps(actual)}")
    for step in steps if all_checkpoints else steps[-1:]:
        a, b = (hashes(folder / "checkpoints" / str(step)) for folder in (expected, actual))
        check(a == b, f"{what}: checkpoint {step} differs in "
              + ", ".join(name for name in {**a, **b} if a.get(name) != b.get(name)))


# ---- Waiting for a moment in a run.


def wait_for_rows(process, folder, count, limit_s=300):
    """Waits until metrics.jsonl has `count` rows. False when the process ended before."""
    path, deadline = folder / "metrics.jsonl", time.monotonic() + limit_s
    while process.poll() is None:
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return True
        check(time.monotonic() < deadline, f"no row {count} of metrics.jsonl in {limit_s} s")
        time.sleep(0.002)
    return False
