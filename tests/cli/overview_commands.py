"""The commands that `qed` prints when it stands alone work as they are printed.

A `train` is run as `config`: it must be a run file with right overrides; running it is the quick
start's own test.
"""

import os
import pathlib
import shlex
import subprocess
import sys

NUM_EXAMPLES = 5


def main() -> int:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("QED_")}

    def run(arguments):
        return subprocess.run([os.environ["QED_BIN"], *arguments], cwd=os.environ["QED_SOURCE_DIR"],
                              env=environment, capture_output=True, text=True, timeout=60)

    examples = [shlex.split(line)[1:] for line in run([]).stdout.splitlines()
                if line.startswith("  qed ")]
    assert len(examples) == NUM_EXAMPLES, examples
    assert pathlib.Path(os.environ["QED_SOURCE_DIR"], examples[0][1]).is_file(), examples[0]
    for command, *arguments in examples:
        done = run(["config" if command == "train" else command, *arguments])
        print(command, *arguments, "->", done.returncode)
        if done.returncode != 0 or not done.stdout:
            print(done.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
