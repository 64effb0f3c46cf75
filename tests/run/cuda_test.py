"""Runs with device = "cuda", on a GPU that this CPU plays (tests/cuda/host_gpu): they learn what runs
on the CPU learn, apart from rounding; with exact numerics rollout and training agree to the bit; the
same command gives the same bytes, whatever thread of the GPU is first; stopping and resuming changes
none; and what does not fit is refused with numbers."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(os.environ["QED_SOURCE_DIR"]) / "tests" / "cuda"))

import gpu_run
from harness import check, check_same, rl_rows, rows, small_model, temporary_folder
from harness import train_small as train

# The reward is a completion's length, so that groups always vary.
RUN = """
[model]
config = "model/config.json"
[task]
name = "faulty"
[algorithm]
name = "grpo"
[sampler]
name = "standard"
[rollout]
prompts = 4
group_size = 8
max_new_tokens = 12
[train]
lr = 1e-3
[kl]
coef = 0.01
[checkpoint]
every = 1
keep = 9
[[stage]]
kind = "sft"
steps = 2
demonstrations = 32
[[stage]]
kind = "rl"
steps = 3
"""
PPO = ("algorithm.name=ppo", "critic.lr=1e-3", "train.entropy_coef=0.01", "train.checkpointing=true",
       "sampler.top_k=5", "sampler.temperature=0.8", "model.dtype=bfloat16")


def near(a, b, tolerance):
    return abs(a - b) <= tolerance * max(1, abs(b))


def as_on_the_cpu(folder, gpu):
    """The same tokens, and the same losses and norms but for rounding."""
    said = train(folder / "cuda", ("run.device=cuda",), environment=gpu)
    check("float32 on NVIDIA H100" in said, said)
    train(folder / "cpu", ("run.device=cpu",))
    # Of the first two steps: then rounding may have drawn another token.
    a, b = ((folder / name / "samples.jsonl").read_text().splitlines() for name in ("cuda", "cpu"))
    check(a and len(a) == len(b), f"{len(a)} and {len(b)} samples")
    for name in ("loss", "actor/loss", "actor/grad_norm", "actor/entropy", "critic/rewards/mean"):
        for one, other in zip(rows(folder / "cuda")[:4], rows(folder / "cpu")):
            if name in other:
                check(near(one[name], other[name], 1e-4), f"{name}: {one[name]} and {other[name]}")
    for row in rl_rows(folder / "cuda"):
        check(row["mismatch/max_abs_logp"] < 1e-5, f"rollout and training differ: {row}")


def exact(folder, gpu, sets=()):
    """Rollout and training agree to the bit, which the fast products' order of additions prevents."""
    for numerics in ("fast", "exact"):
        run = folder / f"{numerics} {len(sets)}"
        train(run, ("run.device=cuda", f"run.numerics={numerics}", "sampler.top_p=0.9", *sets), environment=gpu)
        largest = max(row["mismatch/max_abs_logp"] for row in rl_rows(run))
        check((largest == 0) == (numerics == "exact"), f"{numerics}: they differ by up to {largest}")


def to_the_byte(folder, gpu, reverse):
    """Threads in another order, and a run in parts."""
    sets = ("run.device=cuda", *PPO)
    said = train(folder / "ppo", sets, environment=gpu)
    check("bfloat16 on NVIDIA H100" in said and "critic" in said, said)
    for row in rl_rows(folder / "ppo"):
        check(row["actor/num_updates"] > 0 and row["actor/grad_norm"] > 0, f"no update: {row}")
        check(row["mismatch/max_abs_logp"] < 0.05, f"rollout and training differ: {row}")
    train(folder / "reverse", sets, environment=reverse)
    check_same(folder / "ppo", folder / "reverse", "threads in reverse order")
    train(folder / "parts", (*sets, "stage.2.steps=1"), environment=gpu)
    train(folder / "parts", sets, environment=gpu)
    check_same(folder / "ppo", folder / "parts", "a run in parts", all_checkpoints=False)


def refusals(folder, gpu, small):
    said = train(folder / "tight", ("run.device=cuda",), expect=1, environment=small)
    check("error: training needs " in said and "; this machine has " in said, said)
    said = train(folder / "penalty", ("run.device=cuda", "sampler.repetition_penalty=1.2"), expect=1,
                 environment=gpu)
    check("error: rl step 1: penalties, biases and bans of a sampler cannot be trained with on a GPU" in said
          and 'hint: write run.device = "cpu", or take them out of [sampler]' in said, said)


with temporary_folder() as folder:
    gpu = gpu_run.fake_gpu(folder / "gpu", gpu_bytes=64 << 20)
    biases, norms = folder / "biases", folder / "norms"
    for work in (biases, norms):
        work.mkdir()
    small_model(biases, RUN, "faulty", num_hidden_layers=2)
    small_model(norms, RUN, "faulty", architectures=["Qwen3ForCausalLM"], model_type="qwen3", head_dim=16,
                num_hidden_layers=2, tie_word_embeddings=False)
    as_on_the_cpu(biases, gpu)
    as_on_the_cpu(norms, gpu)
    exact(biases, gpu)
    exact(norms, gpu, ("model.dtype=bfloat16",))
    to_the_byte(norms, gpu, gpu | {"FAKE_GPU_ORDER": "reverse"})
    refusals(biases, gpu, gpu | {"FAKE_GPU_BYTES": str(1 << 20)})
print("runs on a GPU that the CPU plays learn like those on the CPU, and repeat to the byte")
