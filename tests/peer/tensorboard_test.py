"""TensorBoard reads the event file of a run: every number of metrics.jsonl at its step, once.

Also after a kill and a resume, which cut the file back and go on.
"""

import pathlib
import struct
import sys

import peer

sys.path.insert(0, str(peer.SOURCE / "tests" / "run"))
import harness  # noqa: E402

SETS = ("stage.1.steps=12", "stage.1.checkpoint.every=5", "stage.2.steps=4", "stage.2.checkpoint.every=1",
        "eval.items=8", "stage.2.eval.every=2", "rollout.prompts=2", "rollout.group_size=4")


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def expected(folder):
    """{tag: [(step, value)]} of metrics.jsonl."""
    found = {}
    for row in harness.rows(folder):
        for tag, value in row.items():
            if isinstance(value, (int, float)):
                found.setdefault(tag, []).append((row["training/global_step"], float32(value)))
    return found


def seen_by_tensorboard(folder):
    from tensorboard.backend.event_processing import event_accumulator

    events = event_accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0}, purge_orphaned_data=False)
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def inside():
    with harness.temporary_folder() as folder:
        run = folder / "run"
        process = harness.start(run, SETS)
        harness.check(harness.wait_for_rows(process, run, 14), "the run ended before it was killed")
        harness.kill(process)
        harness.train(run, SETS)
        truth, seen = expected(run), seen_by_tensorboard(run)
        harness.check(len(truth) > 40, f"only {len(truth)} metrics: {sorted(truth)}")
        harness.check(set(seen) == set(truth), f"tags differ: {set(seen) ^ set(truth)}")
        for tag in truth:
            harness.check([step for step, _ in seen[tag]] == [step for step, _ in truth[tag]],
                          f"{tag}: {seen[tag]} instead of {truth[tag]}")
            rounded = tag.startswith(harness.CLOCKS)  # to six decimals in metrics.jsonl
            for (step, a), (_, b) in zip(seen[tag], truth[tag]):
                harness.check(a == b or (rounded and abs(a - b) <= 1e-6 * max(1, abs(b))),
                              f"{tag} at step {step}: {a} instead of {b}")
    print(f"TensorBoard reads {len(truth)} metrics as they stand in metrics.jsonl")
    return 0


sys.exit(peer.main(pathlib.Path(__file__), inside))
