"""The same command twice leaves the same bytes, with one thread as with two."""

from harness import REDUCED, check_same, temporary_folder, train

with temporary_folder() as folder:
    train(folder / "first", REDUCED)
    train(folder / "second", REDUCED)
    check_same(folder / "first", folder / "second", "the same command twice")
    for threads in (1, 2):
        train(folder / f"threads-{threads}", (*REDUCED, f"run.threads={threads}"))
        check_same(folder / "first", folder / f"threads-{threads}", f"{threads} thread(s)")
print("the same bytes: twice, with 1 thread, with 2")
