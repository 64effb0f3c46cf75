"""An algorithm with a critic: ppo trains, alone warms up, resumes to the bit, and begins from a folder;
and layers that are computed again in the backward change no byte."""

from harness import check, check_same, hashes, rl_rows, temporary_folder, train

STEPS = 3
QUICK = ("stage.1.steps=20", f"stage.2.steps={STEPS}", "stage.2.eval.every=0", "rollout.prompts=4",
         "rollout.group_size=8", "stage.2.checkpoint.every=1", "checkpoint.keep=9",
         # A model that has learned next to nothing is right too seldom; its lengths always differ.
         "stage.2.reward.length_scaled={weight=-1.0, max_len=48}")
PPO = (*QUICK, "algorithm.name=ppo", "critic.lr=1e-3")


def at(run, step, file="model.safetensors"):
    return hashes(run / "checkpoints" / str(20 + step))[file]


def trains_and_resumes(folder):
    run, parts = folder / "ppo", folder / "ppo in parts"
    train(run, PPO)
    found = rl_rows(run)
    values = [row["critic/values/mean"] for row in found]
    check(values[0] == 0 and all(value != 0 for value in values[1:]), f"values {values}")
    check(all(row["critic/vf_loss"] > 0 and row["critic/grad_norm"] > 0 for row in found), str(found))
    check(all(row["actor/num_updates"] > 0 for row in found), "the policy was not updated")
    critics = {at(run, step, "critic/model.safetensors") for step in range(1, STEPS + 1)}
    check(len(critics) == STEPS, "the critic did not move")
    for step in (1, STEPS):
        train(parts, (*PPO, f"stage.2.steps={step}"))
    check_same(run, parts, "a resumed run with a critic", all_checkpoints=False)
    return run


def warms_up(folder):
    run = folder / "warm-up"
    train(run, (*PPO, "critic.warmup=2"))
    start = hashes(run / "checkpoints/20")["model.safetensors"]
    check(at(run, 1) == start == at(run, 2) != at(run, 3), "the policy moved in the critic's warm-up")
    check([row["actor/num_updates"] > 0 for row in rl_rows(run)] == [False, False, True], "updates")
    critics = {at(run, step, "critic/model.safetensors") for step in range(1, STEPS + 1)}
    check(len(critics) == STEPS, "the critic did not move")


def begins_from_a_folder(folder, ppo):
    critic = ppo / "checkpoints" / str(20 + STEPS) / "critic"
    run = folder / "from a critic"
    train(run, (*PPO, f"critic.path='{critic}'"))
    check(rl_rows(run)[0]["critic/values/mean"] != 0, "the head was not read")


def computes_again(folder, ppo):
    run = folder / "checkpointing"
    train(run, (*PPO, "train.checkpointing=true"))
    for step in range(STEPS + 1):
        check(at(run, step) == at(ppo, step), f"other weights at step {step} with train.checkpointing")


with temporary_folder() as folder:
    ppo = trains_and_resumes(folder)
    warms_up(folder)
    begins_from_a_folder(folder, ppo)
    computes_again(folder, ppo)
print("ppo trains with a critic of its own")
