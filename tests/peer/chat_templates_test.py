"""qed renders chat templates as transformers does, to the byte; where transformers raises, qed does.

The templates: own ones, which each use what templates of one family use, and those of the folder
chat_templates of the shared data, where it is there. The grid: conversations with and without system
messages, several turns, tools, odd contents; the prompt for an answer on and off; variables.
"""

import collections
import datetime
import itertools
import os
import pathlib
import sys
import tempfile

import peer

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a <city>\n& 'more'",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": " its naïve name "},
        "units": {"type": "string", "enum": ["°C", "\"F\""]}, "days": {"type": ["integer", "null"]},
        "at": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}}}}}}}]
CALL = {"type": "function", "id": "c1", "function": {
    "name": "get_weather", "arguments": {"city": "Zürich", "days": 2, "f": 1.0, "n": None, "l": [True, "a\"b"]}}}


def message(role, content, **more):
    return {"role": role, "content": content, **more}


SYSTEM = message("system", "You are helpful.\n")
CONTENTS = {
    "plain": "What is 1+1?", "empty": "", "spaces": "  \n a  b \t\n\n", "unicode": "héllo 世界 😀 e\u0301\u200b\u2028 ß",
    "control": "\x00\x01\x1b\x1c\x85\r\nx\r", "markup": "<b>&'\"\\</b> {{ x }} {% if %} {# c #} </s><|im_end|>",
    "think": "<think>\nso\n</think>\n\nanswer", "json": '{"a": [1, 2.5e3, null]}', "long": "word " * 400,
    "none": None, "number": 7, "parts": [{"type": "text", "text": " one "}, {"type": "image"}],
    "no parts": [], "object": {"type": "text", "text": "x"}, "words": ["a", "b"]}


def conversations():
    made = {}
    for name, content in CONTENTS.items():
        made[f"user {name}"] = [message("user", content)]
        made[f"system {name}"] = [message("system", content), message("user", "hi")]
        made[f"answer {name}"] = [SYSTEM, message("user", "hi"), message("assistant", content),
                                  message("user", "and?")]
        made[f"tool {name}"] = [message("user", "hi"), message("assistant", None, tool_calls=[CALL]),
                                message("tool", content, name="get_weather"), message("tool", "2")]
    user, answer = message("user", "a"), message("assistant", "b")
    made |= {
        "none": [], "turns": [SYSTEM, *[user, answer] * 4, user], "ends with an answer": [user, answer],
        "two users": [user, user], "answer first": [answer, user], "late system": [user, SYSTEM],
        "unknown role": [message("critic", "no")], "no content": [{"role": "user"}], "no role": [{"content": "x"}],
        "empty": [{}], "reasoning": [user, message("assistant", "b", reasoning_content="because")],
        "thinking": [user, message("assistant", "<think>x</think>b", thinking="because"), user],
        "named": [message("user", "a", name="Ann", extra={"k": [1, "é"]})],
        "calls as text": [user, message("assistant", "", tool_calls=[
            {"function": {"name": "f", "arguments": '{"a": 1}'}}, CALL])],
        "no calls": [user, message("assistant", "b", tool_calls=None), message("assistant", "c", tool_calls=[])]}
    return made


VARIABLES = {
    "no variables": {}, "tools": {"tools": TOOLS},
    "odd ones": {"tools": [], "documents": [{"title": "T", "text": " a\nb "}], "enable_thinking": False,
                 "date_string": "1 May", "x": 1.5, "y": 3, "z": "it's", "big": 12345678901234567890,
                 "d": {"b": 1, "a": [1.0, "é", None], "c": {"k": "\"<\n"}}, "l": [3, 1, 2, 3]}}


def templates():
    from own_templates import TEMPLATES

    found = {f"own: {name}": text for name, text in TEMPLATES.items()}
    data = pathlib.Path(os.environ.get("QED_SHARED_DATA", peer.SOURCE / ".." / "shared" / "data"))
    files = sorted((data / "chat_templates").glob("*.jinja"))
    if not files:
        print(f"SKIPPED in part: no chat templates in {data}; the own ones are tested", flush=True)
    # Byte for byte, as a tokenizer_config.json would give it.
    return found | {file.name: file.read_bytes().decode() for file in files}


def fix_the_clock(module):
    class Fixed(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 1)

    module.datetime = Fixed


def render(module, template, messages, variables, prompt):
    try:
        texts, _ = module.render_jinja_template([messages], chat_template=template,
                                                add_generation_prompt=prompt, **TOKENS, **variables)
        return texts[0]
    except Exception:  # of Jinja, of Python: whatever the template provokes
        return None


def inside():
    from qed_text import QedText
    from transformers.utils import chat_template_utils as module

    fix_the_clock(module)
    qed, total = QedText(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="qed-peer-test-") as work:
        for number, (name, template) in enumerate(templates().items()):
            folder = pathlib.Path(work) / str(number)
            folder.mkdir()
            (folder / "chat_template.jinja").write_bytes(template.encode())
            (folder / "tokenizer_config.json").write_text(str(TOKENS).replace("'", '"'))
            counts = collections.Counter()
            grid = itertools.product(conversations().items(), VARIABLES.items(), (False, True))
            for (chat, messages), (what, variables), prompt in grid:
                theirs = render(module, template, messages, variables, prompt)
                answer = qed.ask(op="render", folder=str(folder), messages=messages,
                                 variables=variables, add_generation_prompt=prompt)
                ours = answer.get("text")
                assert ours == theirs, (f"{name}, conversation `{chat}`, {what}, prompt {prompt}:\n"
                                        f"  qed   {answer!r}\n  peer  {theirs!r}")
                counts["refused" if theirs is None else "rendered"] += 1
            print(f"{name}: {counts['rendered']} texts equal, {counts['refused']} refused by both", flush=True)
            total += counts
    print(f"in all {total['rendered']} equal texts, {total['refused']} refused by both")
    qed.close()


sys.exit(peer.main(__file__, inside))
