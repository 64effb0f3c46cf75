"""Reinforcement learning without any warm-up: a model of random weights learns the largest of three
digits (`385>` is to be answered by `8`), on three seeds; with the rewards negated it does not.
"""

import json
import os
import subprocess

from harness import BINARY, check, eval_rows, temporary_folder

QED, PLUGINS = os.environ["QED_BIN"], ("--plugin-dir", str(BINARY / "test_plugins"))
GREEDY = "val-core/largest/mean@1"
MODEL = dict(architectures=["Qwen2ForCausalLM"], model_type="qwen2", vocab_size=16, hidden_size=32,
             num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
             intermediate_size=96, hidden_act="silu", rms_norm_eps=1e-6, rope_theta=10000.0,
             max_position_embeddings=64, tie_word_embeddings=True, initializer_range=0.02)
RUN = """
[model]
config = "model/config.json"
[task]
name = "largest"
[algorithm]
name = "grpo"
[sampler]
name = "standard"
[rollout]
prompts = 64
group_size = 16
max_new_tokens = 3
[train]
lr = 1e-3
warmup = 10
mini_batches = 4
[eval]
every = 60
items = 195                        # the whole split
[[stage]]
kind = "rl"
steps = 60
"""


def qed(folder, *words):
    done = subprocess.run([QED, *words, *PLUGINS], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    check(done.returncode == 0, f"qed {' '.join(words)} said:\n{done.stderr}")


def learn(folder, seed, algorithm):
    name = f"{algorithm}-{seed}"
    qed(folder, "train", "largest.toml", "--run", str(folder / name), "--set", f"run.seed={seed}", "--set",
        f"algorithm.name={algorithm}")
    found = {step: row[GREEDY] for step, row in eval_rows(folder / name).items()}
    print(f"{name}: greedy on 195 held-out items {found[0]:.3f} before, {found[60]:.3f} after 60 "
          "steps", flush=True)
    return found


with temporary_folder() as folder:
    qed(folder, "tokenizer", "train", "--kind", "chars", "--task", "largest", "--vocab", "16", "-o",
        "model")
    (folder / "model/config.json").write_text(json.dumps(MODEL))
    (folder / "largest.toml").write_text(RUN)
    for seed in (1, 2, 3):
        found = learn(folder, seed, "grpo")
        check(found[0] <= 0.1, f"seed {seed}: {found[0]} before the first step")
        check(found[60] >= 0.85, f"seed {seed}: only {found[60]} after 60 steps")
    check(learn(folder, 1, "grpo_flipped")[60] <= 0.1, "it learns from negated rewards")
