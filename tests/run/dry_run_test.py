"""--dry-run says what a run would do and writes nothing; --max-time stops a run as Ctrl-C does."""

import subprocess
import pathlib

from harness import (NUM_SFT, REDUCED, check, check_same, checkpoint_steps, command, rows, temporary_folder, train)


def dry_run(folder, sets=(), expect=0):
    done = subprocess.run(command(folder, sets, ("--dry-run",)), cwd=pathlib.Path(folder).parent,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(done.returncode == expect, f"exit code {done.returncode} instead of {expect}; qed said:\n{done.stderr}")
    return done.stdout if expect == 0 else done.stderr


def says_what_would_happen(run):
    said = dry_run(run)
    for text in ("quickstart/config.json, random weights: qwen2, ", "memory    at most ",
                 "stage 1   sft, 1000 steps", "data      4000 demonstrations, ", "stage 2   rl, 40 steps", "algorithm grpo",
                 "sampler   standard", "task      arithmetic: train without end, test without end", "16 prompts x 16 completions of at most 48 tokens",
                 f"folder    {run}, new", "nothing was written"):
        check(text in said, f"a dry run does not say `{text}`; it said:\n{said}")
    check(not run.exists(), f"a dry run left {run} behind")


def refuses_what_the_run_would_refuse(run):
    said = dry_run(run, ("algorithm.name=ppo", "rollout.group_size=1", "model.config=none.json"), expect=2)
    check("none.json" in said, said)


def max_time_stops_as_interrupts_do(folder):
    train(folder / "undisturbed", REDUCED)
    run = folder / "run"
    said = train(run, REDUCED, flags=("--max-time", "0s"), expect=130)
    check("time is up: stopped after step 1, all saved; to go on:" in said, said)
    check(checkpoint_steps(run) == [1] and rows(run)[-1]["training/global_step"] == 1, rows(run))
    said = dry_run(run, REDUCED)
    check(f"folder    {run}, to be resumed from {run}/checkpoints/1" in said, said)
    said = dry_run(run, (*REDUCED, "run.seed=7"), expect=2)
    check("belongs to a run with another config" in said and "run.seed: 1 -> 7" in said, said)
    train(run, REDUCED, flags=("--max-time", "1h"))
    check_same(folder / "undisturbed", run, "stopped by --max-time", all_checkpoints=False)
    check((run / "report.html").stat().st_size > 50_000, "no report.html")
    check(NUM_SFT < rows(run)[-1]["training/global_step"], "the run did not go on")


with temporary_folder() as folder:
    says_what_would_happen(folder / "dry")
    refuses_what_the_run_would_refuse(folder / "dry")
    max_time_stops_as_interrupts_do(folder)
print("dry runs say what would happen; --max-time stops and the run goes on")
