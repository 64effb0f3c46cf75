"""`qed model` prints what a folder holds, and refuses folders that hold no model in one sentence."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tiny_model import write_model  # noqa: E402

TEXT = """\
model       {folder}
family      qwen2
shape       2 layers, width 32, MLP 48, vocabulary 21
attention   4 heads of 8, 2 of keys and values
context     64 tokens
parameters             16,320
  embedding               672
  attention             6,272
  mlp                   9,216
  norms                   160
  output        the embedding
on disk     {size} in float32, 1 file
in memory   65.1 KiB in float32, 33.1 KiB in bfloat16
            256 B per token of context
            260 KiB to train in float32, without activations
"""


def qed_model(*arguments):
    command = [os.environ["QED_BIN"], "model", *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def refuses(folder, message, exit_code=1, hint=None):
    done = qed_model(folder)
    expected = f"error: {message}\n" + (f"\nhint: {hint}\n" if hint else "")
    assert done.stderr == expected, f"said\n{done.stderr}instead of\n{expected}"
    assert (done.stdout, done.returncode) == ("", exit_code), done


with tempfile.TemporaryDirectory(prefix="qed-cli-test-") as temporary:
    work = pathlib.Path(temporary).resolve()
    folder = write_model(work / "tiny")
    file = folder / "model.safetensors"
    size = f"{file.stat().st_size / 1024:.1f} KiB"

    done = qed_model(folder)
    assert done.stdout == TEXT.format(folder=folder, size=size), done.stdout
    assert (done.stderr, done.returncode) == ("", 0), done

    facts = json.loads(qed_model(folder, "--json").stdout)
    assert facts["parameters"] == dict(total=16320, embedding=672, attention=6272, mlp=9216,
                                       norm=160, output=0), facts
    assert facts["dtype"] == ["float32"] and facts["num_files"] == 1, facts
    assert facts["file_bytes"] == file.stat().st_size, facts
    assert facts["kv_bytes_per_token"] == 2 * 2 * 16 * 4, facts
    assert facts["head_dim"] == 8 and facts["tie_word_embeddings"] is True, facts

    refuses(work / "none", f"no model in {work}/none: there is no such folder", 2)
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    done = qed_model(folder)
    assert done.returncode == 1 and done.stderr.startswith(
        f"error: {file} is not a valid safetensors file: `"), done.stderr
    file.write_bytes(b"\xff" * 100)
    refuses(folder, f"{file} is not a valid safetensors file: its header is longer than the file",
            hint="get or write the file again")
    file.write_bytes(whole)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    refuses(folder, f"`num_hidden_layers` is 3 in {folder}/config.json, but {file} has weights of 2")
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    refuses(folder, f"`model_type` is \"gpt2\" in {folder}/config.json, which is not supported",
            hint='supported is "qwen2", "qwen3", "llama", "mistral"')
