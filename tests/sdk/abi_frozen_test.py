"""A plugin built from the frozen header of each level is loaded by today's qed, in every kind."""

import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["QED_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["QED_BINARY_DIR"])
HERE = pathlib.Path(__file__).resolve().parent


def run(*command: object, stdin: str = "") -> str:
    done = subprocess.run([str(c) for c in command], text=True, input=stdin, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\nexit {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    levels = sorted((SOURCE / "sdk/abi").glob("level-*"))
    if not levels:
        sys.exit("FAILED: no level is frozen: run sdk/abi/freeze")
    for level in levels:
        with tempfile.TemporaryDirectory() as folder:
            plugin = pathlib.Path(folder) / "frozen.so"
            run("cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
                f"-I{level}", HERE / "abi_frozen_plugin.c", "-o", plugin,
                f"-Wl,--version-script={SOURCE / 'cmake/plugin_exports.map'}",
                "-Wl,-z,defs,-z,now,-z,noexecstack,-z,nodelete")
            run(BUILD / "tests/bin/qed_package_probe", plugin)
            shown = run(os.environ["QED_BIN"], "plugins", "frozen", "--plugin-dir", folder)
            for kind in ("task", "reward", "algorithm", "sampler"):
                if f"a {kind} in plain C" not in shown:
                    sys.exit(f"FAILED: the {kind} of {level.name} is not shown\n{shown}")
            scored = run(os.environ["QED_BIN"], "verify", "frozen", "--plugin-dir", folder,
                         stdin='{"item": 0, "completion": "yes"}\n')
            if '"reward":1' not in scored.replace(" ", ""):
                sys.exit(f"FAILED: the task of {level.name} scores\n{scored}")
            print(f"{level.name}: passed")


if __name__ == "__main__":
    main()
