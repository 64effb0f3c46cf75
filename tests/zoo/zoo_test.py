#!/usr/bin/env python3
"""zoo_test.py PLUGIN.so [TEST...]: exactly these tests of `qed plugin check` notice the plugin.

Plugins that never come back are noticed when the time of a test is over, which is short for the
tests that must notice them, and long for the others.
"""

import json
import os
import pathlib
import re
import subprocess
import sys


ENDLESS = ("sleeps", "pending", "quadratic")


def check(plugin, *flags):
    """What `qed plugin check` says of each test."""
    done = subprocess.run([os.environ["QED_BIN"], "plugin", "check", plugin, "--json", *flags],
                          capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    rows = json.loads(done.stdout)["tests"]
    failed = any(row["outcome"] == "failed" for row in rows)
    if done.returncode != (3 if failed else 0):
        sys.exit(f"exit code {done.returncode}")
    return rows


def main() -> int:
    plugin, expected = sys.argv[1], set(sys.argv[2:])
    if pathlib.Path(plugin).stem in ENDLESS:
        these = "^(" + "|".join(map(re.escape, expected)) + ")$"
        rows = check(plugin, "--include", these, "--timeout", "2") + check(plugin, "--exclude", these)
    else:
        rows = check(plugin, "--timeout", "10")
    noticed = {row["name"]: row for row in rows if row["outcome"] in ("failed", "warning")}
    for name, row in noticed.items():
        print(f"{row['outcome']}: {name}: {row['message']}")
    for name in sorted(expected - set(noticed)):
        print(f"not noticed by {name}")
    for name in sorted(set(noticed) - expected):
        print(f"noticed by {name}, which should pass")
    return 0 if set(noticed) == expected else 1


if __name__ == "__main__":
    sys.exit(main())
