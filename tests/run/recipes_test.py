"""Every recipe of configs/ has a miniature in configs/smoke/, which trains for two steps a stage on a
small model of random weights; and takes a model folder by --set.
"""

import json
import os
import subprocess

from harness import SOURCE, check, rl_rows, temporary_folder

CONFIGS = SOURCE / "configs"
MODEL = CONFIGS / "smoke" / "model"


def qed(*words):
    done = subprocess.run([os.environ["QED_BIN"], *map(str, words)], cwd=SOURCE,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(done.returncode == 0, f"qed {' '.join(map(str, words))} said:\n{done.stderr}")
    return done.stdout


names = sorted(path.stem for path in CONFIGS.glob("*.toml") if path.stem != "quickstart")
small = sorted(path.stem for path in (CONFIGS / "smoke").glob("*.toml"))
check(names and names == small, f"recipes {names}, in miniature {small}")
with temporary_folder() as folder:
    for name in names:
        resolved = qed("config", CONFIGS / f"{name}.toml", "--set", f"model.path={MODEL}")
        check("smoke/model" in resolved, f"{name}: --set model.path is not in what qed config says")
        run = folder / name
        qed("train", CONFIGS / "smoke" / f"{name}.toml", "--run", run)
        rows = rl_rows(run)
        stages = resolved.count("[[stage]]")
        check(len(rows) == 2 * stages, f"{name}: {len(rows)} rl steps in {stages} stages")
        samples = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
        check(len({row["completion"] for row in samples}) > 1, f"{name}: all completions are equal")
        print(f"{name}: {stages} stages, {len(samples)} samples", flush=True)
