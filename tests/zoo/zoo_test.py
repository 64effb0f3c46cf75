#!/usr/bin/env python3
"""zoo_test.py PLUGIN.so [TEST...]: exactly these tests of `qed plugin check` notice the plugin."""

import json
import os
import subprocess
import sys


def main() -> int:
    plugin, expected = sys.argv[1], set(sys.argv[2:])
    done = subprocess.run(
        [os.environ["QED_BIN"], "plugin", "check", plugin, "--json", "--timeout", "10"],
        capture_output=True, text=True)
    if not done.stdout:
        print(done.stderr)
        return 1
    rows = json.loads(done.stdout)["tests"]
    noticed = {row["name"]: row for row in rows if row["outcome"] in ("failed", "warning")}
    for name, row in noticed.items():
        print(f"{row['outcome']}: {name}: {row['message']}")
    failed = any(row["outcome"] == "failed" for row in rows)
    if done.returncode != (3 if failed else 0):
        print(f"exit code {done.returncode}")
        return 1
    for name in sorted(expected - set(noticed)):
        print(f"not noticed by {name}")
    for name in sorted(set(noticed) - expected):
        print(f"noticed by {name}, which should pass")
    return 0 if set(noticed) == expected else 1


if __name__ == "__main__":
    sys.exit(main())
