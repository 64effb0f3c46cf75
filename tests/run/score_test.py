"""`qed score`: rows of text and of ids, results that no packing changes, and bad rows."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys

from harness import check, temporary_folder

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tiny_model import write_model  # noqa: E402


def score(model, rows, *flags):
    rows.parent.mkdir(exist_ok=True)
    command = [os.environ["QED_BIN"], "score", str(model), "--input", str(rows), *map(str, flags)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def refuses(model, file, row, message, hint):
    """A good row, then a bad one: the first has its result."""
    file.write_text('{"prompt_ids": [3, 4], "completion_ids": [5]}\n' + row + "\n")
    done = score(model, file, "--json")
    expected = f"error: bad row in {file}:2: {message}\n\nhint: {hint}\n"
    check(done.stderr == expected, f"said\n{done.stderr}instead of\n{expected}")
    check(done.returncode == 2 and len(done.stdout.splitlines()) == 1, done)


with temporary_folder() as folder:
    model, file, rng = write_model(folder / "model", tokenizer=True), folder / "rows.jsonl", random.Random(1)

    # Text and the ids that its tokenizer gives it are the same; an empty completion has no numbers.
    vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
    ids = [vocabulary[c] for c in "12+34="]
    file.write_text('{"prompt": "12+34=", "completion": "46"}\n'
                    + json.dumps({"prompt_ids": ids, "completion_ids": [vocabulary["4"], vocabulary["6"]]})
                    + '\n{"prompt": "1", "completion": ""}\n'
                    + json.dumps({"prompt": "?", "prompt_ids": ids, "completion": "46"}) + "\n")
    done = score(model, file, "--json")
    check(done.returncode == 0, done.stderr)
    first, second, third, both = map(json.loads, done.stdout.splitlines())
    check(first == second == both and len(first["logp"]) == len(first["entropy"]) == 2, done.stdout)
    check(all(x < 0 for x in first["logp"]) and all(x > 0 for x in first["entropy"]), first)
    check(third == {"logp": [], "entropy": []}, third)

    table = score(model, file).stdout.splitlines()
    check(table[0].split() == ["row", "tokens", "logp", "logp/token", "entropy"], table)
    check(len(table) == 6 and table[5].split()[:2] == ["all", "6"], table)
    check(abs(float(table[1].split()[2]) - sum(first["logp"])) < 1e-3, table)

    # However rows are packed, and with however many threads, the bytes are the same.
    rows = [{"prompt_ids": [rng.randrange(21) for _ in range(rng.randint(1, 20))],
             "completion_ids": [rng.randrange(21) for _ in range(rng.randint(1, 40))]}
            for _ in range(60)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    half, expected = (score(model, file, "--json", "--dtype", dtype).stdout
                      for dtype in ("bfloat16", "float32"))
    check(len(half.splitlines()) == len(expected.splitlines()) == 60, "60 rows")
    check(half != expected, "bfloat16 changes nothing")
    for flags in (("--max-tokens", 1), ("--max-tokens", 100, "--threads", 1), ("--threads", 2)):
        check(score(model, file, "--json", *flags).stdout == expected, f"bytes differ with {flags}")
        check(score(model, file, "--json", "--dtype", "bfloat16", *flags).stdout == half,
              f"bytes of bfloat16 differ with {flags}")

    # Rows with ids need no tokenizer.
    bare = write_model(folder / "bare")
    check(score(bare, file, "--json").stdout == expected, "without a tokenizer")

    # Ctrl-C: the rows that were read have their results, and the others none.
    many = folder / "many.jsonl"
    many.write_text(file.read_text() * 500)
    with open(folder / "said", "w") as said:
        running = subprocess.Popen(
            [os.environ["QED_BIN"], "score", str(bare), "--input", str(many), "--json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True)
    lines = [running.stdout.readline()]
    running.send_signal(signal.SIGINT)
    lines += running.stdout.readlines()
    check(running.wait() == 130, f"exit code {running.returncode} after Ctrl-C")
    said = (folder / "said").read_text()
    check(said.splitlines()[-1] == f"stopped after {len(lines)} of 30000 rows", said)
    check(all(json.loads(line)["logp"] for line in lines), "a row without numbers")

    example = ('a row is written {"prompt": "text", "completion": "text"}, or with prompt_ids and '
               'completion_ids')
    refuses(model, file, '{"prompt": "1"}', "it has no `completion` and no `completion_ids`", example)
    refuses(model, file, '{"prompt": 1, "completion": "1"}', "`prompt` must be a string, not 1", example)
    refuses(model, file, '{"prompt_ids": [1], "completion_ids": 3}',
            "`completion_ids` must be a list of ids, not 3", example)
    refuses(model, file, '{"prompt_ids": [1], "completion_ids": [-3]}',
            "`completion_ids` has -3, which is no token id", example)
    refuses(model, file, '{"prompt_ids": [21], "completion_ids": [1]}',
            "`prompt_ids` has the id 21, but the model's vocabulary is 21", example)
    refuses(model, file, '{"prompt": "", "completion": "1"}', "its prompt has no token",
            "a completion needs at least one token before it")
    refuses(model, file, json.dumps({"prompt_ids": [1] * 60, "completion_ids": [2] * 5}),
            "prompt and completion have 65 tokens, more than the model's window of 64",
            "leave the row out, or cut it")
    refuses(model, file, '{"prompt": "%", "completion": "1"}',
            f"`prompt`: cannot encode with {model}/tokenizer.json: no token for `%` (U+0025)",
            "write the text with what is in the vocabulary, or take another tokenizer")

    large = write_model(folder / "large", tokenizer=True, vocab_size=20)
    file.write_text('{"prompt": "1", "completion": "1"}\n')
    done = score(large, file)
    check(done.returncode == 1 and done.stderr.startswith(
        f"error: the tokenizer in {large} has 21 tokens, but the model's vocabulary is 20\n"), done)
    done = score(bare, file)
    check(done.returncode == 2 and f"{bare} has no tokenizer.json" in done.stderr, done)
print("scores are what they must be, and bad rows are named")
