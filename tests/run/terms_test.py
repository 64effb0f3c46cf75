"""The terms of a loss beside the algorithm's, and the treatment of completions, in whole runs."""

import json

from harness import check, check_same, hashes, rl_rows, small_model, temporary_folder
from harness import train_small as train

STEPS = 4
# The reward is a completion's length: groups always vary. The reference is the policy after one
# supervised step.
RUN = f"""
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
[checkpoint]
every = 1
keep = 9
[[stage]]
kind = "sft"
steps = 1
demonstrations = 32
[[stage]]
kind = "rl"
steps = {STEPS}
"""


def samples(run):
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]


def weights(run, step):
    return hashes(run / "checkpoints" / str(1 + step))["model.safetensors"]


def kl(folder, place, *sets):
    """KL in the loss or the reward, adapted, with a reference that moves; resuming changes nothing."""
    kl = ("kl.coef=0.1", f"kl.place={place}", "kl.target=0.001", "kl.horizon=100", *sets)
    run, parts = folder / place, folder / f"{place} in parts"
    train(run, kl)
    found = rl_rows(run)
    coefs = [row["actor/kl_coef"] for row in found]
    # 32 completions at a KL of 0, since the reference is the policy: the error is clipped at -0.2.
    expected = 0.1 * (1 - 0.2 * 32 / 100)
    check(coefs[0] == 0.1 and abs(coefs[1] - expected) < 1e-12, f"{place}: kl_coef {coefs}")
    name = "actor/kl_loss" if place == "loss" else "actor/reward_kl_penalty"
    values = [row[name] for row in found]
    check(abs(values[0]) < 1e-3 and any(abs(value) > 1e-6 for value in values[1:]), f"{name}: {values}")
    check(all(row["timing_s/ref"] > 0 for row in found), "no time for the reference")
    train(parts, (*kl, "stage.2.steps=2"))
    train(parts, kl)
    check_same(run, parts, f"a resumed run with KL in the {place}", all_checkpoints=False)
    return run


def reference(folder):
    """The reference is the policy that the stage began with, until it is synced."""
    run = kl(folder, "loss", "kl.estimator=k3+")
    at = {step: hashes(run / "checkpoints" / str(1 + step))["reference/model.safetensors"]
          for step in range(1, STEPS + 1)}
    start = hashes(run / "checkpoints" / "1")["model.safetensors"]
    check(set(at.values()) == {start}, "the reference is not the policy at the stage's start")
    run = kl(folder, "reward", "kl.estimator=k1", "kl.sync_every=3", "algorithm.name=reinforce_pp")
    at = {step: hashes(run / "checkpoints" / str(1 + step))["reference/model.safetensors"]
          for step in range(1, STEPS + 1)}
    check(at[1] == at[2] == start and at[3] == at[4] == weights(run, 3), f"references {at}")
    said = train(folder / "unused", ("kl.sync_every=3",), expect=2)
    check("error: `sync_every` in [kl] has no effect: nothing is measured against the reference"
          in said and "hint: remove it, or set kl.coef" in said, said)


def corrections(folder):
    """On CPU rollout and training agree to the bit, so that a correction changes no weight."""
    plain, corrected = folder / "plain", folder / "corrected"
    train(plain)
    train(corrected, ("mismatch.token_tis=2.0", "mismatch.icepop=[0.5, 5.0]",
                      "mismatch.sequence_mask=[0.99, 1.01]"))
    check(weights(plain, STEPS) == weights(corrected, STEPS), "a correction of nothing changed weights")
    for row in rl_rows(corrected):
        check(row["rollout_corr/rollout_is_mean"] == 1 == row["rollout_corr/rollout_is_max"]
              and row["mismatch/mean_abs_logp"] == 0 == row["mismatch/masked_frac"], str(row))
    check(all(row["timing_s/old_log_prob"] < 0.001 for row in rl_rows(plain)),
          "old log-probs were computed again")
    said = train(folder / "empty", ("mismatch.icepop=[5.0, 0.5]",), expect=2)
    check("error: `icepop` in [mismatch] is [5, 0.5], but the first must not be the larger one" in said
          and "hint: write [smallest, largest]" in said, said)
    return plain


def bonuses(folder, plain):
    """Entropy bonus, NLL and aggregations change the weights, each in its own way."""
    seen = {weights(plain, STEPS)}
    for name, sets in {"entropy": ("train.entropy_coef=0.01",), "nll": ("train.nll_coef=0.1",),
                       "mean": ("train.aggregation=seq-mean-token-mean",),
                       "sum": ("train.aggregation=seq-mean-token-sum", "train.clip_norm=0"),
                       "constant": ("train.aggregation=constant", "train.aggregation_length=20")}.items():
        train(folder / name, sets)
        seen.add(weights(folder / name, STEPS))
    check(len(seen) == 6, f"only {len(seen)} of 6 runs differ")


def truncated(folder):
    """Cut completions keep their reward, leave the step, or are worth 0."""
    for policy in ("keep", "mask", "zero"):
        train(folder / policy, (f"rollout.truncated={policy}",))
    kept = [row for row in samples(folder / "keep") if row["finish"] == "length"]
    check(kept and any(row["reward"] != 0 and row["advantage"] != 0 for row in kept), "nothing is cut")
    for policy in ("mask", "zero"):
        found = [row for row in samples(folder / policy) if row["finish"] == "length"]
        value = "advantage" if policy == "mask" else "reward"
        check(found and all(row[value] == 0 for row in found), f"{policy}: {found[:3]}")


with temporary_folder() as folder:
    small_model(folder, RUN, "faulty")
    reference(folder)
    bonuses(folder, corrections(folder))
    truncated(folder)
print("KL, corrections, bonuses, aggregations and truncated completions work in the engine")
