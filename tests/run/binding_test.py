"""A run folder is bound to its config: what is refused, what may change, and how a run goes on."""

import signal

from harness import (NUM_RL, NUM_SFT, REDUCED, check, check_same, checkpoint_steps, eval_rows,
                     hashes, kill, rl_rows, rows, start, temporary_folder, train, wait_for_rows)


def another_config_is_refused(run):
    before = hashes(run / "checkpoints" / str(NUM_SFT + NUM_RL))
    said = train(run, (*REDUCED, "run.seed=7", "sampler.temperature=0.5"), expect=2)
    for text in ("run.seed", "sampler.temperature", "--run", "--fresh"):
        check(text in said, f"the refusal does not name {text}; it was:\n{said}")
    check("train.lr" not in said, f"the refusal names a key that is the same:\n{said}")
    after = hashes(run / "checkpoints" / str(NUM_SFT + NUM_RL))
    check(after == before, "the refusal changed the checkpoint")


def finished_run_says_so(run, expected):
    said = train(run, REDUCED)
    for text in ("is finished", "--fresh"):
        check(text in said, f"a finished run does not say `{text}`; it said:\n{said}")
    check_same(expected, run, "a finished run, started again")


def fresh_starts_again(run, expected):
    said = train(run, REDUCED, flags=("--fresh",))
    check("first update" in said, f"--fresh made no update; it said:\n{said}")
    check_same(expected, run, "--fresh")
    train(run, (*REDUCED, "run.seed=7"), flags=("--fresh",))
    check(rows(run) and [r["sft/loss"] for r in rows(run, "sft")]
          != [r["sft/loss"] for r in rows(expected, "sft")], "--fresh did not take the new seed")


def interrupt_saves(run, expected):
    """SIGTERM, and Ctrl-C, in a stage each: the step is finished, everything saved, exit code 130,
    and the rest as if undisturbed."""
    for row, number in ((NUM_SFT // 3, signal.SIGTERM), (NUM_SFT + 3, signal.SIGINT)):
        process = start(run, REDUCED)
        check(wait_for_rows(process, run, row), f"the run ended before row {row}")
        process.send_signal(number)
        code = process.wait()
        check(code == 130, f"exit code {code} instead of 130 after {number.name}")
        last, saved = rows(run)[-1]["training/global_step"], checkpoint_steps(run)[-1]
        check(saved == last, f"stopped after step {last}, but the newest checkpoint is {saved}")
        with open(f"{run}.log") as log:
            check(f"stopped after step {saved}, all saved" in log.read(), "qed does not say so")
    said = train(run, (*REDUCED, "run.threads=1"))  # the number of threads may change as well
    check("resuming" in said, f"qed does not say that it resumes; it said:\n{said}")
    check_same(expected, run, "interrupted in each stage", all_checkpoints=False)


def second_interrupt_stops(run, expected):
    """Ctrl-C after SIGTERM, or a second one, ends the program within the step; nothing saved is
    lost."""
    process = start(run, REDUCED)
    check(wait_for_rows(process, run, NUM_SFT + 3), "the run ended too early")
    saved = checkpoint_steps(run)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    code = process.wait()
    # They may arrive in either order; 130 where the step ended between them.
    check(code in (-signal.SIGTERM, -signal.SIGINT, 130), f"exit code {code}")
    check(checkpoint_steps(run)[-1] >= saved[-1], f"{saved} before, {checkpoint_steps(run)} after")
    train(run, REDUCED)
    check_same(expected, run, "stopped by a second Ctrl-C", all_checkpoints=False)


def steps_eval_and_checkpoint_may_change(run, expected):
    """More rl steps, other evaluations, other checkpoints: the run goes on with its weights."""
    process = start(run, REDUCED)
    check(wait_for_rows(process, run, NUM_SFT + 3), "the run ended too early")
    kill(process)
    done = checkpoint_steps(run)[-1]
    more = [s for s in REDUCED if not s.startswith(("stage.2.", "eval."))]
    more += [f"stage.2.steps={NUM_RL + 2}", "eval.items=16", "stage.2.eval.every=4",
             "stage.2.checkpoint.every=4"]
    said = train(run, more)
    check(f"checkpoints/{done}" in said, f"the run did not resume from {done}; it said:\n{said}")
    check([row["step"] for row in rl_rows(run)] == list(range(1, NUM_RL + 3)), "steps are missing")
    check(max(eval_rows(run)) == NUM_RL + 2, f"evaluated at {list(eval_rows(run))}")
    reward = [[row["critic/rewards/mean"] for row in rl_rows(folder)][:NUM_RL]
              for folder in (expected, run)]
    check(reward[0] == reward[1], f"the steps that both runs have differ: {reward}")

    more = [s.replace(f"steps={NUM_RL + 2}", f"steps={NUM_RL + 3}") for s in more]
    train(run, more)
    check(len(rl_rows(run)) == NUM_RL + 3, "a finished run did not go on when it got more steps")


with temporary_folder() as folder:
    expected, run = folder / "undisturbed", folder / "again"
    train(expected, REDUCED)
    train(run, REDUCED)
    another_config_is_refused(run)
    finished_run_says_so(run, expected)
    fresh_starts_again(run, expected)
    interrupt_saves(folder / "interrupted", expected)
    second_interrupt_stops(folder / "stopped", expected)
    steps_eval_and_checkpoint_may_change(folder / "longer", expected)
print("bound to its config; goes on after signals and after changes that are allowed")
