"""`qed sample` writes verified completions, and a stage of kind "sft" learns from such a file."""

import json
import os
import subprocess

from harness import SOURCE, check, checkpoint_steps, rows, temporary_folder, train

QED = os.environ["QED_BIN"]
SETS = ("task.digits=1", "stage.1.steps=400", "stage.2.steps=1", "stage.2.eval.every=0", "stage.2.rollout.prompts=2")
DIGITS = ("--set", "digits=1")
TASK = ("--task", "arithmetic", *DIGITS, "--max-new-tokens", 48)
SFT = """
[model]
path = "{model}"
{more}
[train]
batch_size = 16
lr = 2e-4

[[stage]]
kind = "sft"
steps = 5
data = "{data}"
{keys}
"""


def qed(*args, expect=0, text=None):
    done = subprocess.run([QED, *map(str, args)], input=text or "", capture_output=True, text=True)
    check(done.returncode == expect,
          f"exit code {done.returncode} instead of {expect}; qed said:\n{done.stderr}")
    return done


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Learner:
    """Runs a stage that learns from a file."""

    def __init__(self, folder, model):
        self.folder, self.model, self.number = folder, model, 0

    def __call__(self, data, keys="", more="", expect=0):
        self.number += 1
        file = self.folder / f"sft{self.number}.toml"
        file.write_text(SFT.format(model=self.model, data=data, keys=keys, more=more))
        run = self.folder / f"run{self.number}"
        done = qed("train", file, "--run", run, expect=expect)
        return run, done.stderr

    def refuses(self, rows, message, keys="", more=""):
        data = write_rows(self.folder / "bad.jsonl", rows)
        _, said = self(data, keys, more, expect=2)
        check(f"error: {message}" in said, f"stderr does not say\n{message}\nbut\n{said}")


def check_sample(model, folder):
    args = ("sample", model, *TASK, "--items", 30, "-n", 4, "-o", folder / "all.jsonl")
    said = qed(*args).stderr
    text = (folder / "all.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    check(len(found) == 120 and [r["sample"] for r in found] == [0, 1, 2, 3] * 30, "120 rows")
    right = sum(r["verdict"] == "right" for r in found)
    check(0 < right < 120, f"{right} right ones of 120 test nothing")
    check(f"120 completions of 30 items: {right} right, " in said and "wrote 120 rows" in said, said)
    check(qed("sample", model, *TASK, "--items", 30, "-n", 4, "--max-batch", 3, "--threads",
              1).stdout == text, "threads and batch change nothing")
    # Another way to the same scores.
    items = {r["item"] for r in found}
    blobs = {row["key"]: row["blob"] for row in
             (json.loads(line) for line in
              qed("items", "arithmetic", *DIGITS, "-n", 1000, "--json").stdout.splitlines())}
    check(items <= set(blobs), "the first items of the split")
    asked = "".join(json.dumps({"item": blobs[r["item"]], "completion": r["completion"],
                                "finish": r["finish"]}) + "\n" for r in found)
    verified = [json.loads(line) for line in
                qed("verify", "arithmetic", *DIGITS, text=asked).stdout.splitlines()]
    for row, score in zip(found, verified, strict=True):
        check(all(row[key] == score[key] for key in ("reward", "verdict", "terms", "note")),
              f"{row} is not {score}")
    qed(*args[:-1], folder / "right.jsonl", "--only-right")
    check((folder / "right.jsonl").read_text().splitlines()
          == [line for line, r in zip(text.splitlines(), found) if r["verdict"] == "right"],
          "--only-right leaves out the others, and changes nothing else")
    return found


def check_learning(learn, folder, found):
    run, said = learn(folder / "right.jsonl", "demonstrations = 16")
    check("16 demonstrations" in said, said)
    loss = [row["sft/loss"] for row in rows(run)]
    check(loss[-1] < loss[0], f"the loss goes from {loss[0]} to {loss[-1]}")
    # The same tokens by text, by messages of one turn, and by ids.
    pairs = [{"prompt": r["prompt"], "completion": r["completion"]} for r in found[:8]]
    template = folder / "plain.jinja"
    template.write_text("{{ messages[0].content }}"
                        "{% for m in messages[1:] %}{{ m.content }}{{ eos_token }}{% endfor %}")
    more = f'chat_template = "{template}"'
    chats = [{"messages": [{"role": "user", "content": p["prompt"]},
                           {"role": "assistant", "content": p["completion"]}]} for p in pairs]
    split = [{"prompt": c["messages"][:1], "completion": c["messages"][1:]} for c in chats]
    losses = []
    for data, extra in ((pairs, ""), (chats, more), (split, more)):
        run, _ = learn(write_rows(folder / f"data{len(losses)}.jsonl", data), more=extra)
        losses.append([row["sft/loss"] for row in rows(run)])
    check(losses[0] == losses[1] == losses[2], f"pairs and messages are learned alike: {losses}")
    _, said = learn(folder / "data0.jsonl", "max_tokens = 20")
    check("of them cut" in said, said)
    check_turns(learn, folder, pairs, more, len(pairs[0]["prompt"]) + found[0]["num_tokens"])
    # A row of an item that is held out is not learned.
    held = json.loads(qed("items", "arithmetic", *DIGITS, "--split", "test", "-n", 1,
                          "--json").stdout)["key"]
    _, said = learn(write_rows(folder / "leak.jsonl", [pairs[0] | {"item": held}, *pairs]),
                    more='[task]\nname = "arithmetic"\ndigits = 1\n[eval]\nevery = 5\nitems = 4\n')
    check("8 demonstrations; 1 left out: held out" in said, said)


def check_turns(learn, folder, pairs, more, room):
    """Each answer of a conversation is learned after what came before it, but for those of weight 0."""
    (ask, answer), (ask2, answer2) = ([p["prompt"], p["completion"]] for p in pairs[:2])
    talk = [{"role": role, "content": text} for role, text in
            (("user", ask), ("assistant", answer), ("user", ask2), ("assistant", answer2))]
    heard = [talk[0], talk[1] | {"weight": 0}, *talk[2:]]
    turns = [{"prompt": talk[:1], "completion": answer}, {"prompt": talk[:3], "completion": answer2}]
    losses = []
    for name, rows_, said_ in (("talk", [{"messages": talk}], "2 demonstrations of 1 row"),
                               ("turns", turns, "2 demonstrations\n"),
                               ("heard", [{"messages": heard}], "1 demonstration\n"),
                               ("last", turns[1:], "1 demonstration\n")):
        run, said = learn(write_rows(folder / f"{name}.jsonl", rows_), more=more)
        check(said_ in said, said)
        losses.append([row["sft/loss"] for row in rows(run)])
    check(losses[0] == losses[1] != losses[2] == losses[3], f"turns of a conversation: {losses}")
    # As many tokens as the first turn has.
    _, said = learn(folder / "talk.jsonl", f"max_tokens = {room}", more)
    check("1 demonstration, 1 of them cut" in said, said)
    for weight, message in ((0.5, "the `weight` of a message must be 0 or 1, not 0.5"),
                            (0, "no message of the assistant has a `weight` other than 0")):
        learn.refuses([{"messages": [talk[0], talk[1] | {"weight": weight}]}],
                      f"bad row in {folder}/bad.jsonl:1: {message}", more=more)


def check_refusals(learn, folder):
    bad = f"bad row in {folder}/bad.jsonl:1: "
    good = {"prompt": "1+1=?", "completion": "2"}
    learn.refuses([{"text": "x"}], bad + "it has neither `prompt` and `completion` nor `messages`")
    learn.refuses([{"prompt": "", "completion": "2"}], bad + "its prompt has no token")
    learn.refuses([{"prompt": "1", "completion": 2}], bad + "`completion` must be a string, not 2")
    learn.refuses([{"messages": [{"role": "user", "content": "1"}]}],
                  bad + "`messages` is not a list whose last message is the assistant's")
    learn.refuses([{"prompt": [{"role": "user", "content": "1"}], "completion": "2"}],
                  bad + "it has messages, and the model has no chat template")
    learn.refuses([{"prompt": "1" * 30, "completion": "1" * 2000}],
                  bad + "prompt and completion have 2031 tokens, more than the model's window of ")
    learn.refuses([{"prompt": "1" * 30, "completion": "1"}],
                  bad + "its prompt has 30 tokens, and `max_tokens` = 20 leaves nothing of the "
                  "completion", "max_tokens = 20")
    learn.refuses([good], f"{folder}/bad.jsonl has 1 demonstration to learn from, not 2", "demonstrations = 2")
    learn.refuses([], f"{folder}/bad.jsonl has 0 demonstrations to learn from, not 1")
    learn.refuses([good], "[eval] needs a task, and the stage that learns from a file has none",
                  more="[eval]\nevery = 1\n")


def check_chat(folder):
    """A task that writes messages gives rows with messages, which another model could learn from."""
    template = folder / "turns.jinja"
    template.write_text("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<eos>{% endfor %}"
                        "{% if add_generation_prompt %}<|assistant|>{% endif %}")
    qed("tokenizer", "train", "--task", "countdown", "--set", "template=mini-r1", "--vocab", 512,
        "--items", 50, "--chat-template", template, "-o", folder / "chat")
    config = json.loads((SOURCE / "configs" / "quickstart" / "config.json").read_text())
    (folder / "chat" / "config.json").write_text(json.dumps(config | {"vocab_size": 512}))
    (folder / "chat.toml").write_text(
        '[model]\nconfig = "chat/config.json"\n[task]\nname = "countdown"\ntemplate = "mini-r1"\n'
        '[train]\nbatch_size = 1\n[[stage]]\nkind = "sft"\nsteps = 1\ndemonstrations = 1\n')
    qed("train", folder / "chat.toml", "--run", folder / "chat-run")
    model = folder / "chat-run" / "checkpoints" / "1"
    args = ("sample", model, "--task", "countdown", "--set", "template=mini-r1", "--items", 2, "-n", 2,
            "--max-new-tokens", 5, "-o", folder / "chat.jsonl")
    qed(*args)
    found = [json.loads(line) for line in (folder / "chat.jsonl").read_text().splitlines()]
    item = json.loads(qed("items", "countdown", "--set", "template=mini-r1", "-n", 1, "--json").stdout)
    check(found[0]["prompt"] == item["messages"], f"{found[0]['prompt']} are not {item['messages']}")
    check(item["prefill"] and all(r["completion"].startswith(item["prefill"]) for r in found),
          f"a completion does not begin with `{item['prefill']}`")
    check(all(r["finish"] == "length" for r in found), "5 tokens are no end")
    run, _ = Learner(folder / "chat", model)(folder / "chat.jsonl")
    check(len(rows(run)) == 5, "it learns from messages")


with temporary_folder() as folder:
    check_chat(folder)
    train(folder / "run", SETS)
    model = folder / "run" / "checkpoints" / str(checkpoint_steps(folder / "run")[-1])
    found = check_sample(model, folder)
    learn = Learner(folder, model)
    check_learning(learn, folder, found)
    check_refusals(learn, folder)
print("completions are written with their verdicts, and learned from")
