"""Chat templates in use: a task that writes chat messages trains with the model's template, the run
file's, or not at all; and `qed chat` talks to what was trained."""

import json
import os
import shutil
import subprocess

from harness import SOURCE, check, rows, temporary_folder

TEMPLATE = """\
{%- for message in messages %}
{{- '<|start|>' + message.role + '\\n' + message.content + '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}
"""

RUN_FILE = """
[model]
config = "model/config.json"
[task]
name = "countdown"
template = "mini-r1"
[algorithm]
name = "grpo"
[sampler]
name = "standard"
[rollout]
prompts = 2
group_size = 2
max_new_tokens = 8
[eval]
every = 0
[[stage]]
kind = "sft"
steps = 2
demonstrations = 8
train = { batch_size = 2, lr = 1e-3 }
[[stage]]
kind = "rl"
steps = 2
train = { lr = 1e-4 }
"""


def qed(folder, *arguments, expect=0):
    done = subprocess.run([os.environ["QED_BIN"], *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    check(done.returncode == expect, f"exit code {done.returncode} instead of {expect}:\n{done.stderr}")
    return done.stderr


def make_model(folder):
    """A folder with a tokenizer for the task and its template, and a config of its size."""
    (folder / "chat.jinja").write_text(TEMPLATE)
    qed(folder, "tokenizer", "train", "--task", "countdown", "--set", "template=mini-r1", "--vocab", "400",
        "--items", "50", "--special", "<|start|>", "--special", "<|end|>", "--chat-template", "chat.jinja",
        "-o", "model")
    tokenizer = json.loads((folder / "model" / "tokenizer.json").read_text())
    config = json.loads((SOURCE / "configs" / "quickstart" / "config.json").read_text())
    config["vocab_size"] = len(tokenizer["model"]["vocab"])
    (folder / "model" / "config.json").write_text(json.dumps(config))
    shutil.copy(SOURCE / "configs" / "quickstart" / "generation_config.json", folder / "model")
    (folder / "x.toml").write_text(RUN_FILE)


def first_sample(run):
    return json.loads((run / "samples.jsonl").read_text().splitlines()[0])


with temporary_folder() as folder:
    make_model(folder)
    qed(folder, "train", "x.toml", "--run", folder / "own")
    sample = first_sample(folder / "own")
    check(sample["prompt"].startswith("<|start|>system\n"), sample["prompt"][:100])
    check("<|end|>\n<|start|>user\n" in sample["prompt"], sample["prompt"])
    check(sample["prompt"].endswith("<|start|>assistant\nLet me solve this step by step.\n<think>"),
          sample["prompt"][-100:])
    check((folder / "own" / "checkpoints" / "4" / "chat_template.jinja").read_text() == TEMPLATE,
          "the checkpoint has another template")
    check(rows(folder / "own", "rl"), "no rl steps")

    # The run file's template is stronger, and goes into the checkpoints.
    other = "{{ messages[-1].content }}<|start|>"
    (folder / "other.jinja").write_text(other)
    qed(folder, "train", "x.toml", "--run", folder / "given", "--set", "model.chat_template=other.jinja")
    prompt = first_sample(folder / "given")["prompt"]
    check("<|start|>Let me solve" in prompt and "system" not in prompt, prompt)
    check((folder / "given" / "checkpoints" / "4" / "chat_template.jinja").read_text() == other,
          "the checkpoint has not the run file's template")

    # Errors name the file and what to do.
    (folder / "raises.jinja").write_text("{% if messages %}\n{{ raise_exception('no system messages') }}{% endif %}")
    said = qed(folder, "train", "x.toml", "--run", folder / "raises", "--set", "model.chat_template=raises.jinja",
               expect=2)
    check("error: raises.jinja: line 2: the template refuses the messages: no system messages" in said, said)
    (folder / "model" / "chat_template.jinja").unlink()
    said = qed(folder, "train", "x.toml", "--run", folder / "none", expect=2)
    check("error: task `countdown` writes chat messages, and the model has no template" in said, said)
    check("hint: give a Jinja file as `chat_template` in [model]" in said, said)
    # A conversation: an answer per line, the same ones for the same seed.
    def chat(*arguments, lines="hello\n\nagain\n", expect=0):
        done = subprocess.run([os.environ["QED_BIN"], "chat", *arguments], cwd=folder, input=lines,
                              capture_output=True, text=True, errors="replace")
        check(done.returncode == expect, f"qed chat: exit code {done.returncode}:\n{done.stderr}")
        return done.stdout, done.stderr

    model = "own/checkpoints/4"
    said, _ = chat(model, "--max-new-tokens", "12", "--system", "Be brief.")
    check(len(said) > 10, f"the answers are `{said}`")
    check(said == chat(model, "--max-new-tokens", "12", "--system", "Be brief.")[0], "other answers")
    check(said != chat(model, "--max-new-tokens", "12", "--seed", "2")[0], "the seed does nothing")
    check(chat(model, lines="")[0] == "", "an answer to nothing")
    _, error = chat(model, lines="word " * 900 + "\n", expect=1)
    check("error: the conversation has grown to " in error and "window is 1024" in error, error)
    _, error = chat("model", expect=2)
    check("error: model has no chat template" in error, error)
print("chat messages train with the folder's template and the run file's")
