"""Reinforcement learning without any warm-up: a model of random weights learns the largest of three
digits (`385>` is to be answered by `8`), on three seeds; with the rewards negated it does not.
"""

from harness import check, eval_rows, qed, small_model, temporary_folder

GREEDY = "val-core/largest/mean@1"
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


def learn(folder, seed, algorithm):
    name = f"{algorithm}-{seed}"
    qed(folder, "train", "run.toml", "--run", folder / name,
        sets=(f"run.seed={seed}", f"algorithm.name={algorithm}"))
    found = {step: row[GREEDY] for step, row in eval_rows(folder / name).items()}
    print(f"{name}: greedy on 195 held-out items {found[0]:.3f} before, {found[60]:.3f} after 60 "
          "steps", flush=True)
    return found


with temporary_folder() as folder:
    small_model(folder, RUN, num_hidden_layers=2, intermediate_size=96)
    for seed in (1, 2, 3):
        found = learn(folder, seed, "grpo")
        check(found[0] <= 0.1, f"seed {seed}: {found[0]} before the first step")
        check(found[60] >= 0.85, f"seed {seed}: only {found[60]} after 60 steps")
    check(learn(folder, 1, "grpo_flipped")[60] <= 0.1, "it learns from negated rewards")
