"""Before a step's first update the training forward gives each token the very log-prob that the
rollout recorded. A step that trains on nothing has no such forward: null."""

from harness import NUM_RL, WITHOUT_EVAL, check, rl_rows, temporary_folder, train

SAMPLERS = {
    "plain": (),
    "tempered": ("sampler.temperature=0.7",),
    "truncated": ("sampler.temperature=0.7", "sampler.top_k=5", "sampler.top_p=0.9"),
}

with temporary_folder() as folder:
    for name, sets in SAMPLERS.items():
        train(folder / name, (*WITHOUT_EVAL, "stage.2.eval.every=0", *sets))
        found = [row["mismatch/max_abs_logp"] for row in rl_rows(folder / name)]
        check(len(found) == NUM_RL and set(found) <= {0, None} and 0 in found,
              f"{name} sampler: mismatch/max_abs_logp per step is {found}")
        updates = sum(row["actor/num_updates"] for row in rl_rows(folder / name))
        check(updates > 0, f"{name} sampler: no update was made, so later steps show nothing")
print(f"max |logp - behavior_logp| is exactly 0 in every step: {', '.join(SAMPLERS)}")
