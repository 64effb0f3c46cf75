"""What goes wrong in a run ends with one clear message and the right exit code, or goes on as it
should; either way the run folder stays usable: the same command goes on to the same bytes."""

import json
import shutil
import time

from harness import (check, check_same, checkpoint_steps, qed, rl_rows, small_model, temporary_folder,
                     train_small)

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
prompts = 50
group_size = 2
max_new_tokens = 6
[train]
lr = 1e-3
[eval]
every = 1
items = 4
[checkpoint]
every = 1
keep = 9
[[stage]]
kind = "rl"
steps = 3
"""
SCORED = 100  # completions of a step
TEN_MISTAKES = """
[run]
sed = 1                          # 1: an unknown key
seed = -1                        # 2: out of range
[model]
config = "model/config.json"
dtype = "float8"                 # 3: no such choice
[task]
name = "faulty"
digits = 3                       # 4: an unknown option
[algorithm]
name = "grpo"
clip_low = "a lot"               # 5: of another type
[sampler]
name = "standard"
temperature = -1.0               # 6: an option out of range
[rollout]
group_size = 0                   # 7
[train]
betas = [0.9]                    # 8: too few numbers
batch_size = 4                   # 9: without effect
[evaluation]                     # 10: an unknown table
every = 2
[[stage]]
kind = "rl"
steps = 3
"""


def one_error(said, *texts):
    """stderr has one error, and says all of these."""
    check(said.count("error: ") == 1, f"not one error but:\n{said}")
    for text in texts:
        check(text in said, f"stderr does not say\n{text}\nbut\n{said}")


def train(run, fault="", expect=0, sets=()):
    """Trains with this fault of the task."""
    return train_small(run, sets, expect, {"QED_TEST_FAULT": fault})


def meets(folder, expected, fault, expect, *texts):
    """A run of one good step meets the fault in its second, and goes on without it."""
    run = folder / fault.split()[0]
    train(run, sets=("stage.1.steps=1",))
    began = time.monotonic()
    one_error(train(run, fault, expect), *texts)
    check(time.monotonic() - began < 30, f"{fault}: it took {time.monotonic() - began} s to end")
    check(checkpoint_steps(run) == [1], f"{fault}: checkpoints {checkpoint_steps(run)}")
    said = train(run)
    check("resuming" in said, said)
    check_same(expected, run, f"after {fault}")
    return run


def failed_rows(run, step):
    found = [json.loads(line) for line in (run / "failed_step.jsonl").read_text().splitlines()]
    check(len(found) == SCORED and {row["step"] for row in found} == {step}, f"{len(found)} rows: {found[0]}")
    check(all(row["completion_ids"] and row["behavior_logp"] for row in found), "no tokens")
    return found


def scoring_fails(folder, expected):
    for fault, why in (("fails 3", "status DATA): the judge is not at home"),
                       ("nan 3", "status INTERNAL): the task gave the reward nan")):
        run = meets(folder, expected, fault, 1,
                    f"error: rl step 2: task `faulty` could not score 3 of {SCORED} completions ({why}",
                    "hint: mend the task, or raise rollout.max_failure_frac to train on the others; its "
                    "samples are in ", "failed_step.jsonl")
        failed = [row for row in failed_rows(run, 2) if row["reward"] is None]
        check([(row["group"], row["sample"]) for row in failed] == [(0, 0), (1, 0), (2, 0)], f"{failed}")
        check(all(row["note"] in why and row["verdict"] == "none" for row in failed), f"{failed}")


def some_failures_are_masked(folder):
    """Up to max_failure_frac a completion without a reward leaves the step, and is never worth 0;
    the limit may be raised for a run that has begun."""
    run = folder / "masked"
    said = train(run, "fails 2", sets=("stage.1.steps=2",))
    check(said.count("reward/error_rate is 0.02: of the completions could not be scored") == 1, said)
    one_error(train(run, "fails 3", 1), "could not score 3")
    train(run, "fails 3", sets=("rollout.max_failure_frac=0.05",))
    check([row["reward/error_rate"] for row in rl_rows(run)] == [0.02, 0.02, 0.03], "error rates")
    for line in (run / "samples.jsonl").read_text().splitlines():
        row = json.loads(line)
        failed = row["sample"] == 0 and row["group"] < (3 if row["step"] == 3 else 2)
        check((row["reward"] is None) == failed and (row["advantage"] == 0 or not failed), line)
        # It leaves its group's statistics: the other one is alone, and has nothing to be better than.
        alone = row["group"] < 2
        check(not alone or row["advantage"] == 0, line)


def plugin_breaks_its_contract(folder, expected):
    meets(folder, expected, "throws 1", 3, "error: task `faulty` (", "tasks/faulty.so): an exception left "
          "its `verify`: the judge has left", "hint: this is a mistake in the plugin, not in the run "
          "file: tell its author")


def plugin_is_late(folder, expected):
    """A late answer counts like any; one that never comes ends the run."""
    late = ("rollout.verify_timeout_s=0.1",)
    run = folder / "late"
    train(run, "sleeps 0", sets=late)
    row = rl_rows(run)[0]
    check(row["timing_s/reward_p50"] <= row["timing_s/reward_p99"] < 0.2, f"{row}")
    train(run, "sleeps 1", sets=(*late, "stage.1.steps=4", "rollout.verify_timeout_s=0.25"))
    row = rl_rows(run)[3]
    check(row["timing_s/reward_p50"] < 0.2 < row["timing_s/reward_p99"], f"{row}")
    check(row["reward/error_rate"] == 0, f"{row}")

    run = folder / "hangs"
    train(run, sets=("stage.1.steps=1",))
    one_error(train(run, "hangs 1", 3, late), "error: task `faulty` (", "`verify` is not back after 0.2 s, "
              "and its deadline was 0.1 s", "hint: a call must be back by qed_call.deadline_ns; where the "
              "work needs longer, raise rollout.verify_timeout_s")
    train(run)
    check_same(expected, run, "after a verifier that hung")


def nothing_to_learn(folder):
    """A dataset that is never solved: said once, no weight is changed, the run goes on."""
    for name, sets, rounds in (("unsolved", (), ""),
                               ("refilled", ("rollout.refill=2",), " in 3 rounds of prompts")):
        run = folder / name
        said = train(run, "equal 0", sets=sets)
        line = (f"step 1: every advantage is 0{rounds}, so no weight was changed: no completion is right; "
                "choose easier items, or warm up with demonstrations")
        check(said.count("every advantage is 0") == 1 and line in said, said)
        check(len(rl_rows(run)) == 3 and checkpoint_steps(run) == [1, 2, 3], "it did not go on")
        check(all(row["actor/num_updates"] == 0 for row in rl_rows(run)), "an update")
        first, last = ((run / "checkpoints" / step / "model.safetensors").read_bytes() for step in "13")
        check(first == last, "the weights changed")


def policy_diverges(folder):
    """The step that shows it is kept; nothing of it is in the logs or in a checkpoint."""
    run = folder / "diverged"
    said = train(run, expect=1, sets=("train.lr=1e30", "train.clip_norm=0", "train.mini_batches=2"))
    one_error(said, "error: rl step 1: the policy's log-prob is nan for token 0 of sequence 0",
              f"hint: its weights have diverged: lower train.lr, or set train.clip_norm; its samples are in "
              f"{run}/failed_step.jsonl")
    check(len(failed_rows(run, 1)) == SCORED and not rl_rows(run), "the step is in the logs")
    check(checkpoint_steps(run) == [], "a checkpoint of weights that are none")


def checkpoint_is_damaged(folder, expected):
    for file, damage in (("model.safetensors", "missing"), ("optimizer.safetensors", "missing"),
                         ("trainer.json", "missing"), ("model.safetensors", "cut")):
        run = folder / f"{file} {damage}"
        shutil.copytree(expected, run)
        newest = run / "checkpoints" / "3"
        if damage == "missing":
            (newest / file).unlink()
        else:
            (newest / file).write_bytes((newest / file).read_bytes()[:1000])
        said = train(run, expect=1, sets=("stage.1.steps=4",))
        one_error(said, f"error: the run cannot go on from {newest}: ", file,
                  f"hint: delete {newest}: then the same command goes on from "
                  f"{run / 'checkpoints' / '2'}")
    shutil.rmtree(newest)
    train(run)
    check_same(expected, run, "after a damaged checkpoint")


def run_file_has_ten_mistakes(folder):
    (folder / "ten.toml").write_text(TEN_MISTAKES)
    said = qed(folder, "train", "ten.toml", expect=2)
    found = [line.strip().removeprefix("--> ").rsplit(":", 1)[0] for line in said.splitlines()
             if "--> " in line]
    expected = [f"ten.toml:{number}" for number, line in enumerate(TEN_MISTAKES.splitlines(), start=1)
                if "#" in line]
    check(len(expected) == 10 and found == expected, f"{found} are not {expected} in:\n{said}")
    check(said.count("error: ") == 10, said)
    check(not (folder / "runs").exists(), "a run folder was made")


def model_does_not_fit(folder):
    """Nothing was done in the folder, so that it takes the mended run file."""
    run = folder / "vocabulary"
    shutil.copytree(folder / "model", folder / "other")
    config = json.loads((folder / "other/config.json").read_text())
    (folder / "other/config.json").write_text(json.dumps(config | {"vocab_size": 8}))
    one_error(train(run, expect=1, sets=("model.config=other/config.json",)),
              "tokens, but the model's vocabulary is 8")
    train(run)
    check(checkpoint_steps(run) == [1, 2, 3], "the run folder did not take another config")


with temporary_folder() as folder:
    small_model(folder, RUN, "faulty")
    train(folder / "expected")
    run_file_has_ten_mistakes(folder)
    model_does_not_fit(folder)
    scoring_fails(folder, folder / "expected")
    some_failures_are_masked(folder)
    plugin_breaks_its_contract(folder, folder / "expected")
    plugin_is_late(folder, folder / "expected")
    nothing_to_learn(folder)
    policy_diverges(folder)
    checkpoint_is_damaged(folder, folder / "expected")
print("each failure is said in one message, and the run folder goes on")
