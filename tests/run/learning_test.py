"""The quick start learns: the bars that it must pass, on seeds 1, 2 and 3, and two controls.

    learning_test.py            seed 1 with grpo, up to step 20
    learning_test.py --long     everything
    learning_test.py --bfloat16 seed 1 with grpo in bfloat16, up to step 20

Prints a table: accuracies are those of the 512 held-out sums.
"""

import sys

from harness import BINARY, check, eval_rows, temporary_folder, train

GREEDY = "val-core/arithmetic/mean@1"
SAMPLED = "val-aux/arithmetic/mean@1_t1"
LENGTH = "val-aux/arithmetic/response_length_t1"
SEEDS = (1, 2, 3)
# Algorithms that learn with the quick start's numbers, and what is set where it is not the name.
OTHERS = ("reinforce_pp", "rloo", "gspo", "cispo", "dr_grpo", "ppo")
PRESETS = {"grpo": [], "dr_grpo": ["algorithm.normalize=mean", "train.aggregation=constant"]}
CONTROLS = ("--plugin-dir", str(BINARY / "test_plugins"))
failures = []


def expect(is_true, what):
    if not is_true:
        failures.append(what)


def learn(folder, algorithm, seed, steps=40, flags=(), also=()):
    """{step: evaluation} of one run; prints its lines of the table."""
    sets = [f"run.seed={seed}", f"stage.2.steps={steps}", *also,
            *PRESETS.get(algorithm, [f"algorithm.name={algorithm}"])]
    run = folder / f"{algorithm}-{seed}"
    train(run, sets, flags)
    found = eval_rows(run)
    for step, row in found.items():
        print(f"{algorithm:<14}{seed:>4}{step:>6}  {row[GREEDY]:6.3f} ± {row[GREEDY + '_se']:.3f}"
              f"  {row[SAMPLED]:8.3f}  {row[LENGTH]:8.1f}", flush=True)
    check(sorted(found) == list(range(0, steps + 1, 10)), f"evaluated at {sorted(found)}")
    return found


def expect_learnt(found, name):
    """The bars of grpo; those of step 40 if the run went so far."""
    start, at_20 = found[0], found[20]
    for step in (s for s in (20, 40) if s in found):
        expect(found[step][GREEDY] >= 0.95, f"{name}: greedy below 0.95 at step {step}")
    for step in (s for s in found if s >= 10):
        expect(found[step][GREEDY] >= 0.90, f"{name}: greedy below 0.90 at step {step}")
    expect(at_20[SAMPLED] >= 0.70, f"{name}: temperature 1 below 0.70 at step 20")
    expect(at_20[SAMPLED] >= start[SAMPLED] + 0.15, f"{name}: temperature 1 gained less than 0.15")
    expect(start[LENGTH] <= 26, f"{name}: completions start with more than 26 tokens")
    expect(found[max(found)][LENGTH] >= 35, f"{name}: completions end with fewer than 35 tokens")


with temporary_folder() as folder:
    print("algorithm     seed  step  greedy           at t = 1    length")
    if "--long" in sys.argv[1:]:
        for seed in SEEDS:
            expect_learnt(learn(folder, "grpo", seed), f"grpo, seed {seed}")
        for algorithm in OTHERS:
            for seed in SEEDS:
                found = learn(folder, algorithm, seed)
                expect(found[40][GREEDY] >= 0.85, f"{algorithm}, seed {seed}: below 0.85 greedy")
                expect(found[40][SAMPLED] >= found[0][SAMPLED] + 0.15,
                       f"{algorithm}, seed {seed}: temperature 1 gained less than 0.15")
        found = learn(folder, "grpo_flipped", 1, 20, CONTROLS)
        expect(found[20][GREEDY] <= 0.05, "grpo_flipped: above 0.05 at step 20")
        found = learn(folder, "grpo_shuffled", 1, 20, CONTROLS)
        expect(found[20][GREEDY] < 0.5, "grpo_shuffled: 0.5 greedy, or more")
        expect(found[20][SAMPLED] < found[0][SAMPLED], "grpo_shuffled: not weaker than its start")
    elif "--bfloat16" in sys.argv[1:]:
        found = learn(folder, "grpo", 1, 20, also=["model.dtype=bfloat16"])
        expect_learnt(found, "grpo in bfloat16, seed 1")
    else:
        expect_learnt(learn(folder, "grpo", 1, 20), "grpo, seed 1")
check(not failures, "; ".join(failures))
