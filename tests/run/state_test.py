"""What a plugin remembers (qed.state/1) is in the checkpoints: a resumed run leaves the same bytes."""

from harness import BINARY, check, check_same, rl_rows, temporary_folder, train

STEPS = 4
SETS = ("stage.1.steps=20", f"stage.2.steps={STEPS}", "stage.2.eval.every=0", "rollout.prompts=4",
        "rollout.group_size=4", "stage.2.checkpoint.every=1", "checkpoint.keep=9",
        "algorithm.name=running_baseline",
        "stage.2.reward.length_scaled={weight=-1.0, max_len=48}")
PLUGINS = ("--plugin-dir", str(BINARY / "test_plugins"))


def state(run, step):
    return (run / "checkpoints" / str(20 + step) / "plugins" / "algorithm.state").read_text()


with temporary_folder() as folder:
    run, parts = folder / "whole", folder / "parts"
    train(run, SETS, PLUGINS)
    means = [row["baseline/mean"] for row in rl_rows(run)]
    check(len(set(means)) == STEPS, f"the baseline did not move: {means}")
    for step, mean in enumerate(means, start=1):
        check(float(state(run, step)) == mean, f"step {step}: {state(run, step)}, not {mean}")
    for steps in (1, 3, STEPS):
        train(parts, (*SETS, f"stage.2.steps={steps}"), PLUGINS)
    check_same(run, parts, "a resumed run whose algorithm remembers", all_checkpoints=False)

    newest = parts / "checkpoints" / str(20 + STEPS) / "plugins" / "algorithm.state"
    for text, problem, code in (
            ("half", "its state cannot be restored: the state is not a number", 3),
            (None, "lacks plugins/algorithm.state", 1)):
        newest.write_text(text) if text else newest.unlink()
        said = train(parts, (*SETS, f"stage.2.steps={STEPS + 1}"), PLUGINS, expect=code)
        check(problem in said, said)
print("what plugins remember is in the checkpoints")
