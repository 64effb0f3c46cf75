"""kill -9 at any moment, then the same command: the same bytes as a run that nobody disturbed.

    resume_test.py [--long]

The reduced quick start, or the full one, is killed again and again: at random moments of both
stages, and inside checkpoint writes; the full one also runs out of disk at random moments. These are
50 moments with --long.
"""

import random
import sys
import time

from harness import (NUM_SFT, REDUCED, check, check_same, checkpoint_steps, kill, largest_file, rows,
                     start, temporary_folder, train, train_with_room, wait_for_rows)

IS_LONG = "--long" in sys.argv[1:]
SETS = () if IS_LONG else REDUCED
NUM_MOMENTS = 38 if IS_LONG else 4  # the first half in sft, the second in rl
# Kills inside checkpoint writes, on top: each in the first write after this step.
WRITES_AFTER = (0, 0, 400, 400, 1000, 1020) if IS_LONG else (0, NUM_SFT)
MOST_TRIES = 60
NUM_FULL_DISKS = 6 if IS_LONG else 0  # disk_full_test.py has two in short
RNG = random.Random(20)


def random_rows(expected):
    """Numbers of metrics rows to kill at, ascending: some in each stage."""
    num_sft, num_all = len(rows(expected, "sft")), len(rows(expected))
    half = NUM_MOMENTS // 2
    return sorted([RNG.randrange(1, num_sft) for _ in range(half)]
                  + [RNG.randrange(num_sft + 1, num_all) for _ in range(NUM_MOMENTS - half)])


def kill_at_row(run, count):
    """Kills the run shortly after its metrics have `count` rows. Returns the stage it was in."""
    process = start(run, SETS)
    check(wait_for_rows(process, run, count), f"the run ended before row {count} of its metrics")
    time.sleep(RNG.uniform(0, 0.1))
    kill(process)
    last = rows(run)[-1]
    print(f"killed in {last['stage']}, after step {last['step']}", flush=True)
    return last["stage"]


def step_being_written(run, since):
    """The step of a checkpoint that is half written, by files newer than `since`; else None."""
    newest = max(checkpoint_steps(run), default=0)
    try:
        for folder in run.glob("checkpoints/.unfinished-*"):
            step = int(folder.name.rsplit("-", 1)[1])
            if step > newest and any(file.stat().st_mtime > since for file in folder.iterdir()):
                return step
    except FileNotFoundError:  # just renamed
        pass
    return None


def kill_in_write(run, after):
    """Starts the run and kills it while a checkpoint of a step above `after` is written. Returns
    that step; None when the kill came too late, or never."""
    since = time.time()
    process = start(run, SETS)
    while process.poll() is None:
        if (step_being_written(run, since) or 0) > after:
            time.sleep(RNG.choice((0, 0.002, 0.005, 0.01)))
            kill(process)
            return step_being_written(run, since)
        time.sleep(0.0002)
    return None


def test_moments(folder, expected):
    stages = [kill_at_row(folder, row) for row in random_rows(expected)]
    check({"sft", "rl"} <= set(stages), f"the kills were in {stages} only")
    train(folder, SETS)
    check_same(expected, folder, "killed in both stages")


def test_writes(folder, expected):
    targets, number = list(WRITES_AFTER), 0
    for _ in range(MOST_TRIES):
        run = folder / str(number)
        step = kill_in_write(run, targets[0])
        if step:
            print(f"killed while checkpoint {step} was written", flush=True)
            targets.pop(0)
        if not targets:
            break
        if max(checkpoint_steps(run), default=0) > targets[0]:  # missed: once more from the start
            number += 1
    check(not targets, f"no checkpoint write above step {targets} was hit")
    train(run, SETS)
    check_same(expected, run, "killed in checkpoint writes")


def test_full_disks(folder, expected):
    """Each time the disk has more room than the time before, and too little."""
    for _ in range(NUM_FULL_DISKS):
        room = RNG.randrange(largest_file(folder), largest_file(expected))
        print(f"room for {room} bytes: {train_with_room(folder, room, SETS)}", flush=True)
    train(folder, SETS)
    check_same(expected, folder, "after full disks")


with temporary_folder() as folder:
    train(folder / "undisturbed", SETS)
    test_moments(folder / "moments", folder / "undisturbed")
    (folder / "writes").mkdir()
    test_writes(folder / "writes", folder / "undisturbed")
    test_full_disks(folder / "full", folder / "undisturbed")
print(f"the same bytes after {NUM_MOMENTS} kills in steps, {len(WRITES_AFTER)} in writes and "
      f"{NUM_FULL_DISKS} full disks")
