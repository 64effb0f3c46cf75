"""A step without any advantage changes no weight, and says so."""

from harness import NUM_RL, NUM_SFT, WITHOUT_EVAL, check, hashes, rl_rows, temporary_folder, train

CASES = {
    # A group of one has no spread.
    "groups of one": ("rollout.group_size=1",),
    # A model as good as new never finds the format: every reward is 0.
    "rewards all 0": ("stage.1.train.lr=1e-9",),
}

with temporary_folder() as folder:
    for name, sets in CASES.items():
        run = folder / name
        said = train(run, (*WITHOUT_EVAL, "checkpoint.keep=9", "stage.2.eval.every=0", *sets))
        found = rl_rows(run)
        check(len(found) == NUM_RL, f"{name}: {len(found)} rl steps instead of {NUM_RL}")
        for row in found:
            check(row["critic/advantages/max"] == 0 == row["critic/advantages/min"],
                  f"{name}: step {row['step']} has an advantage, so this case tests nothing")
            check(row["actor/num_updates"] == 0 and row["actor/grad_norm"] == 0,
                  f"{name}: step {row['step']} says that it made an update")
        line = "step 1: every advantage is 0, so no weight was changed: "
        check(line in said and said.count("every advantage is 0") == 1, f"{name}: it says\n{said}")
        before, *after = (hashes(run / "checkpoints" / str(step))["model.safetensors"]
                          for step in (NUM_SFT, NUM_SFT + 2, NUM_SFT + NUM_RL))
        check(after == [before, before], f"{name}: the weights changed")
print(f"no weight changed: {', '.join(CASES)}")
