"""`qed generate`: what it prints does not depend on how it computes, is what scoring computes, and
what cannot work ends with one sentence."""

import json
import os
import pty
import shutil
import signal
import subprocess

from harness import check, checkpoint_steps, temporary_folder, train

QED = os.environ["QED_BIN"]
# The quick start's model after a little training: its texts end, but are not all alike.
SETS = ("stage.1.steps=300", "stage.2.steps=1", "stage.2.eval.every=0", "stage.2.rollout.prompts=2")


def qed(*args, expect=0, **more):
    done = subprocess.run([QED, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **more)
    check(done.returncode == expect,
          f"exit code {done.returncode} instead of {expect}; qed said:\n{done.stderr}")
    return done


def rows_of(*args):
    return [json.loads(line) for line in qed("generate", *args, "--json").stdout.splitlines()]


def refuses(args, message, hint="", expect=2):
    said = qed("generate", *args, expect=expect).stderr
    wanted = f"error: {message}\n" + (f"\nhint: {hint}\n" if hint else "")
    check(said.endswith(wanted) or wanted in said, f"stderr is not\n{wanted}\nbut\n{said}")


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check_independence(model, folder):
    args = (model, "--task", "arithmetic", "--items", 30, "-n", 5, "--temperature", 1.2)
    base = qed("generate", *args, "--json")
    check(base.stdout.count("\n") == 150, "150 completions")
    check("memory    needs " in base.stderr and " blocks of 16 positions" in base.stderr,
          f"no memory plan in\n{base.stderr}")
    for other in (("--max-batch", 1), ("--max-batch", 7, "--threads", 2), ("--threads", 1)):
        check(qed("generate", *args, "--json", *other).stdout == base.stdout,
              f"{other} changed a byte")
    other_seed = qed("generate", *args, "--json", "--seed", 2).stdout
    check(other_seed != base.stdout, "another seed is another text")

    prompts = [{"prompt": f"{a}+{b}=?"} for a in range(100, 112) for b in (200, 345)]
    prompts += prompts[:3]
    here = rows_of(model, "--input", write_rows(folder / "rows.jsonl", prompts))
    order = list(reversed(range(len(prompts) - 3)))
    there = rows_of(model, "--input",
                    write_rows(folder / "turned.jsonl", [prompts[i] for i in order]))
    for row, i in zip(there, order):
        check(row["completion_ids"] == here[i]["completion_ids"], "the order of rows changed a text")
    again = [(here[i]["completion_ids"], here[i - 24]["completion_ids"]) for i in (-1, -2, -3)]
    check(any(a != b for a, b in again), "the same prompt a second time is another draw")


def check_scores(model, folder, dtype):
    rows = rows_of(model, "--task", "arithmetic", "--items", 20, "-n", 4, "--dtype", dtype, "--set",
                   "sampler.temperature=0.9", "--set", "sampler.top_k=5")
    check({row["finish"] for row in rows} <= {"stop", "length"}, "finish reasons")
    check(any(row["logp"] != row["behavior_logp"] for row in rows), "top_k is another distribution")
    file = write_rows(folder / "score.jsonl", [
        {"prompt_ids": row["prompt_ids"], "completion_ids": row["completion_ids"]} for row in rows])
    scored = [json.loads(line) for line in qed(
        "score", model, "--input", file, "--json", "--dtype", dtype).stdout.splitlines()]
    for row, score in zip(rows, scored, strict=True):
        check(row["logp"] == score["logp"], f"logp is not what `qed score` computes in {dtype}")


def check_ends(model):
    args = (model, "--prompt", "123+456=?", "--temperature", 0)
    whole = rows_of(*args)[0]
    check(len(whole["completion"]) > 8, f"a short text: {whole}")
    stop = whole["completion"][3:6]
    cut = rows_of(*args, "--stop", stop)[0]
    check(cut["finish"] == "stop" and cut["completion"] == whole["completion"].split(stop)[0],
          f"{cut} is not cut before `{stop}`")
    check(cut["completion_ids"] == whole["completion_ids"][:len(cut["completion_ids"])],
          "its tokens are kept")
    kept = rows_of(*args, "--stop", stop, "--keep-stop")[0]
    check(kept["completion"] == cut["completion"] + stop, f"{kept} does not keep `{stop}`")
    short = rows_of(*args, "--max-new-tokens", 3)[0]
    check(short["finish"] == "length" and short["completion_ids"] == whole["completion_ids"][:3],
          f"{short} has not 3 tokens")
    size = len(whole["completion_ids"])
    longer = rows_of(*args, "--min-new-tokens", size + 2, "--max-new-tokens", size + 2)[0]
    check(len(longer["completion_ids"]) == size + 2, f"{longer} is too short")
    plain = qed("generate", *args)
    check(plain.stdout == whole["completion"] + "\n", f"stdout is {plain.stdout}")
    check("tokens/s" in plain.stderr, f"no speed in {plain.stderr}")


def check_stream(model):
    """On a terminal the text comes token by token, and is the same."""
    args = [QED, "generate", str(model), "--prompt", "123+456=?", "--temperature", "0"]
    for more in ([], ["--stop", "</think>"]):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([*args, *more], stdout=theirs, stderr=subprocess.DEVNULL)
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            text += part
        check(process.wait() == 0, "it ends well")
        plain = qed(*args[1:], *more).stdout
        check(text.decode().replace("\r\n", "\n") == plain, f"{text} is not {plain}")


def check_refusals(model, folder):
    def rows(text):
        file = folder / "bad.jsonl"
        file.write_text(text)
        return file

    refuses((model,), "qed generate needs one of --prompt, --input and --task",
            'for example `qed generate MODEL --prompt "Once upon a time"`')
    refuses((model, "--prompt", "x", "--task", "arithmetic"),
            "qed generate needs one of --prompt, --input and --task, not several")
    refuses((model, "--prompt", ""), "the text of --prompt is empty",
            "a completion needs at least one token before it")
    refuses((model, "--prompt", "1", "--stop", ""), "a text of --stop is empty")
    refuses((model, "--prompt", "1", "--promt", "2"), "unknown flag `--promt` of qed generate")
    refuses((model, "--prompt", "1", "--temperature", "-1"),
            "`temperature` in sampler `standard` must be between 0 and 100, not -1")
    refuses((model, "--prompt", "1", "--set", "task.digits=2"),
            "--set task.digits=2 is for a task, and there is no --task")
    refuses((model, "--prompt", "1", "--max-new-tokens", 2, "--min-new-tokens", 3),
            "--min-new-tokens 3 is more than --max-new-tokens 2")
    refuses((model, "--prompt", "1", "--max-batch", 0), "--max-batch must be at least 1, not 0")
    refuses((model, "--prompt", "1", "--max-new-tokens", 0),
            "--max-new-tokens must be at least 1, not 0")
    refuses((model, "--prompt", "1", "--dtype", "int8"),
            '--dtype must be "float32" or "bfloat16", not "int8"')
    refuses((folder / "nothing", "--prompt", "1"), f"no model in {folder}/nothing: there is no such folder",
            expect=2)
    window = json.loads((model / "config.json").read_text())["max_position_embeddings"]
    refuses((model, "--prompt", "1" * window),
            f"the prompt in --prompt has {window} tokens, and the model's window of {window} leaves no "
            "room for a completion", "cut the prompt")
    refuses((model, "--prompt", "1" * (window - 4), "--max-new-tokens", 5),
            f"the prompt in --prompt has {window - 4} tokens, and 5 new ones exceed the model's window of "
            f"{window}", "lower --max-new-tokens to 4, or cut the prompt")
    refuses((model, "--input", rows('{"prompt": "1"}\n{"prompt": ""}\n')),
            f"the prompt in {folder}/bad.jsonl:2 has no token")
    refuses((model, "--input", rows('{"text": "1"}\n')),
            f"bad row in {folder}/bad.jsonl:1: it needs one of `prompt`, `messages` and `prompt_ids`",
            'a row is written {"prompt": "text"}, or with `messages` (a list) or `prompt_ids`')
    refuses((model, "--input", rows('{"prompt": 3}\n')),
            f"bad row in {folder}/bad.jsonl:1: `prompt` must be a string, not 3")
    refuses((model, "--input", rows('{"prompt_ids": [3, 21]}\n')),
            f"bad row in {folder}/bad.jsonl:1: `prompt_ids` has the id 21, but the model's vocabulary "
            "is 21")
    refuses((model, "--input", rows('{"messages": [{"role": "user", "content": "1"}]}\n')),
            f"{model} has no chat template, and a row has `messages`",
            "give rows with `prompt`, the text that the model reads")

    bare = folder / "bare"
    shutil.copytree(model, bare, ignore=shutil.ignore_patterns("tokenizer*"))
    refuses((bare, "--prompt", "1"), f"{bare} has no tokenizer.json, and the prompts are text",
            "put one there, or give rows with `prompt_ids`")
    row = rows_of(bare, "--input", rows('{"prompt_ids": [3, 4, 5]}\n'), "--max-new-tokens", 4)[0]
    check(len(row["completion_ids"]) == 4 and "completion" not in row, f"{row}")
    refuses((bare, "--input", rows('{"prompt_ids": [3, 4, 5]}\n'), "--stop", "x"),
            f"{bare} has no tokenizer.json, which stop strings need")


def check_interrupt(model):
    args = [QED, "generate", str(model), "--task", "arithmetic", "--items", "4000", "-n", "50",
            "--max-batch", "4", "--json"]
    process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, said = process.stdout.read(), process.stderr.read()
    process.wait()
    check(process.returncode == 130, f"exit code {process.returncode}: {said}")
    lines = [json.loads(line) for line in (first + rest).splitlines()]
    check(all(line["finish"] != "abort" for line in lines), "only what is done is printed")
    check(f"stopped: {len(lines)} of 200000 completions are done" in said, said)


with temporary_folder() as folder:
    train(folder / "run", SETS)
    model = folder / "run" / "checkpoints" / str(checkpoint_steps(folder / "run")[-1])
    check_independence(model, folder)
    for dtype in ("float32", "bfloat16"):
        check_scores(model, folder, dtype)
    check_ends(model)
    check_stream(model)
    check_refusals(model, folder)
    check_interrupt(model)
print("generation depends on the prompt and the seed alone, and is what scoring computes")
