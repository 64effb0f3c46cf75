"""The engine with plugins other than the quick start's: every algorithm, rewards beside the task's,
a sampler that mixes greedy and drawn completions, and a task whose data is a file."""

import collections
import json

from harness import BINARY, check, check_same, rl_rows, temporary_folder, train

QUICK = ("stage.1.steps=20", "stage.2.steps=2", "stage.2.eval.every=0",
         "rollout.prompts=4", "rollout.group_size=4")


def samples(run):
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]


def algorithms(folder):
    names = sorted(path.stem for path in (BINARY / "lib/qed/plugins/algorithms").glob("*.so"))
    check(len(names) >= 10, f"only {names}")
    for name in names:
        run, sets = folder / name, (*QUICK, f"algorithm.name={name}")
        train(run, sets)
        check(len(rl_rows(run)) == 2, f"{name}: {len(rl_rows(run))} rows")
    greedy_baseline(folder / "remax")


def greedy_baseline(run):
    """What remax takes off is one number per group: the reward of the greedy completion."""
    baselines = collections.defaultdict(set)
    for row in samples(run):
        baselines[row["step"], row["group"]].add(round(row["reward"] - row["advantage"], 5))
    check(all(len(found) == 1 for found in baselines.values()), f"{dict(baselines)}")
    check(set.union(*baselines.values()) <= {0, 0.1, 1}, f"rewards of arithmetic: {baselines}")


def reward_terms(folder):
    """The reward is the weighted sum; terms per token reach the algorithm; resuming changes nothing."""
    extra = ("stage.2.reward.short={name='length_scaled', weight=0.5, max_len=48}",
             "stage.2.reward.repetition_dense={weight=0.1, ngram=2}",
             "stage.2.reward.task={weight=2.0}", "algorithm.name=reinforce_pp",
             "stage.2.checkpoint.every=1")
    run = folder / "rewards"
    train(run, (*QUICK, *extra))
    for row in samples(run):
        terms = row["terms"]
        total = 2 * terms["task"]
        if terms["short"] is not None:
            total += 0.5 * terms["short"]
        if terms["repetition_dense"] is not None:
            total += 0.1 * terms["repetition_dense"]
        check(abs(total - row["reward"]) < 1e-5, f"{row['reward']} is not the sum of {terms}")
    metrics = rl_rows(run)[-1]
    for name in ("task", "short", "repetition_dense"):
        check(f"reward/{name}/mean" in metrics, f"no reward/{name}/mean in {sorted(metrics)}")
    other = folder / "rewards in two parts"
    train(other, (*QUICK, *extra, "stage.2.steps=1"))
    train(other, (*QUICK, *extra))
    check_same(run, other, "a resumed run with extra rewards", all_checkpoints=False)


def greedy_one(folder):
    """The greedy completion counts in its group; its log-probs are 0, in rollout and training."""
    run = folder / "greedy"
    train(run, (*QUICK, "sampler.name=greedy_one"))
    for row in rl_rows(run):
        check(not row["mismatch/max_abs_logp"], "rollout and training disagree")
    train(folder / "truncated", (*QUICK, "sampler.top_p=0.9", "sampler.min_p=0.01", "sampler.top_k=12"))
    check(not any(row["mismatch/max_abs_logp"] for row in rl_rows(folder / "truncated")),
          "rollout and training disagree where the sampler truncates")


def data_file(folder):
    """A task whose rows are in a file, through the host's service, with a held-out file."""
    for split, begin in (("train", 100), ("test", 900)):
        lines = (json.dumps({"sum": f"{n}+{n + 7}", "result": str(2 * n + 7)}) + "\n"
                 for n in range(begin, begin + 60))
        (folder / f"{split}.jsonl").write_text("".join(lines))
    table = ("task.name=table", f"task.data='{folder / 'train.jsonl'}'",
             f"task.eval_data='{folder / 'test.jsonl'}'", "task.template=raw", "task.prompt='{sum}=?'",
             "task.gold=result", "task.verifier=number", "task.answer=tag",
             "task.prefill='<think></think><answer>'")
    run = folder / "table"
    train(run, (*QUICK, *(f"stage.2.{text}" for text in table), "stage.2.eval.every=1", "eval.items=16"))
    row = samples(run)[0]
    check(row["prompt"].endswith("=?<think></think><answer>") or "=?" in row["prompt"], str(row))
    check(any("val-core/table/mean@1" in json.loads(line)
              for line in (run / "metrics.jsonl").read_text().splitlines()), "no evaluation")
    said = train(folder / "no eval", (*QUICK, *(f"stage.2.{t}" for t in table if "eval_data" not in t),
                                      "stage.2.eval.every=1"), expect=2)
    check("error: split `test` of task `table` is empty" in said
          and "hint: give it items, or set eval.every to 0" in said, said)


with temporary_folder() as folder:
    algorithms(folder)
    reward_terms(folder)
    greedy_one(folder)
    data_file(folder)
print("every algorithm, extra rewards, a mixed sampler and a data file work in the engine")
