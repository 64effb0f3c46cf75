#!/usr/bin/env python3
"""Every first-party plugin passes every test of `qed plugin check`, with its defaults and with the
options below. A plugin that has no row here is checked with its defaults."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ANSWER_7 = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    print(float("7" in row["completion"]), flush=True)
"""


def data_files(folder: pathlib.Path) -> dict:
    rows = [{"question": f"What is {i} + {i}?", "answer": f"It is {2 * i}.\n#### {2 * i}"}
            for i in range(12)]
    files = {"gsm8k": folder / "gsm8k.jsonl", "table": folder / "table.csv",
             "choice": folder / "choice.csv", "child": folder / "child.py",
             "code": folder / "code.jsonl"}
    files["gsm8k"].write_text("".join(json.dumps(row) + "\n" for row in rows))
    files["table"].write_text("question,answer\n" + "".join(f"{i} + {i}?,{2 * i}\n"
                                                            for i in range(12)))
    files["choice"].write_text("question,answer\nwhich?,B\nand this?,C\n")
    files["child"].write_text(ANSWER_7)
    files["code"].write_text("".join(
        json.dumps({"prompt": f"Print {i}.", "tests": [{"input": "", "output": f"{i}\n"}],
                    "solution": f"print({i})"}) + "\n" for i in range(12)))
    return {name: str(path) for name, path in files.items()}


def option_sets(files: dict) -> dict:
    """Of each plugin file the options to check it with, besides none."""
    gsm8k = f"data={files['gsm8k']}"
    choice = [f"data={files['choice']}", "verifier=choice", "answer=last_line"]
    table = [f"data={files['table']}", "prompt={question}", "gold=answer"]
    return {
        "arithmetic": [["operator=multiply", "reward=tinyzero"], ["operator=mixed"],
                       ["operands=tinyzero", "template=tinyzero_arth"]],
        "countdown": [[f"reward={rule}"] for rule in
                      ("tinyzero", "tinyzero_level2", "tinyzero_level3", "tinyzero_level4",
                       "mini_r1", "ragen")],
        "knights": [["reward=logic_rl"], ["reward=mem_kk", "template=mem_kk"],
                    ["reward=eval_kk", "template=instruct", "people=2", "max_people=5"]],
        "gsm8k": [[gsm8k], [gsm8k, "reward=verl_strict"], [gsm8k, "reward=verl_flexible"],
                  [gsm8k, "reward=grpo_demo", "template=grpo_demo"]],
        "math": [[gsm8k], [gsm8k, "verifier=math_verify", "template=simplerl_v1"],
                 [gsm8k, "verifier=hendrycks", "wrong=-0.5", "missing=-1"],
                 [gsm8k, "reward=r1_zero", "template=r1_zero", "fast=false"],
                 [gsm8k, "reward=unsloth", "template=unsloth"]],
        "table": [table, table + ["verifier=number"], table + ["verifier=regex"],
                  choice],
        "code": [[f"data={files['code']}"]],
        "command": [[f"command=python3 {files['child']}"]],
        "grpo": [["normalize=mean", "dual_clip=3"], ["leave_one_out=true"]],
        "standard": [["temperature=0.6", "top_k=20", "top_p=0.95", "min_p=0.05",
                      "repetition_penalty=1.1"]],
    }


def check(path: pathlib.Path, sets: list) -> list:
    """The lines of what went wrong."""
    command = [os.environ["QED_BIN"], "plugin", "check", str(path), "--json"]
    for value in sets:
        command += ["--set", value]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        return [done.stderr.strip()]
    rows = json.loads(done.stdout)["tests"]
    out = [f"{row['outcome']}: {row['component']}: {row['name']}: {row['message']}"
           for row in rows if row["outcome"] in ("failed", "warning")]
    if not any(row["outcome"] == "passed" for row in rows):
        out.append("no test has passed")
    return out


def main() -> int:
    plugins = sorted(pathlib.Path(os.environ["QED_BINARY_DIR"], "lib/qed/plugins").glob("*/*.so"))
    bad = runs = 0
    with tempfile.TemporaryDirectory() as folder:
        of_name = option_sets(data_files(pathlib.Path(folder)))
        needs_options = {"code", "gsm8k", "math", "table", "command"}
        for path in plugins:
            defaults = [] if path.stem in needs_options else [[]]
            for sets in defaults + of_name.pop(path.stem, []):
                runs += 1
                problems = check(path, sets)
                bad += bool(problems)
                for line in problems:
                    print(f"{path.stem} {' '.join(sets)}: {line}")
        for name in of_name:
            print(f"no plugin {name}.so among {len(plugins)}")
    print(f"{len(plugins)} files, {runs} runs, {bad} with problems")
    return 1 if bad or of_name or not plugins else 0


if __name__ == "__main__":
    sys.exit(main())
