"""qed's tokenizer and the libraries `tokenizers` and `transformers` agree on ids and text.

Four kinds of tokenizer, 5,400 strings each, with and without special tokens; decoded text of their
ids and of random ids, whole and as a stream; the bytes of every token.
"""

import collections
import pathlib
import random
import string
import sys
import tempfile

import peer

NUM_STRINGS = 5400
PIECES = ["hello", " world", "  ", "\n", "\r\n", "\t", " \n ", "12345", "3.14", "'s", "don't", "I'LL", "é",
          "e\u0301", "ﬁ", "Å", "한국어", "\u1112\u1161\u11ab", "日本語", "中文字符", "ひらがな", "עברית", "العربية",
          "हिन्दी", "ไทย", "😀", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "\u200b", "\u00a0", "\u3000", "\u2028", "\ufeff", "\ufffd",
          "\x00", "\x01", "\x1b[0m", "\x7f", "\x85", "½", "²", "٣", "Ⅷ", "𝒳", "\U0010ffff", "\ue000",
          "<|im_start|>", "<|im_end|>", "<|im_", "|>", "<think>", "</think>", "<s>", "</s>", "<unk>",
          "<0x0A>", "<|eot_id|>", "▁", "Ġ", "\\boxed{x^2}", "x_{i+1}=\\frac{a}{b}", "a" * 60, " " * 40]


def strings():
    """Every kind that has gone wrong somewhere."""
    rng = random.Random(2)
    made = ["", " ", "  ", "\n", *PIECES]
    any_scalar = [c for r in (range(0x20, 0xd800), range(0xe000, 0x110000)) for c in (r.start, r.stop - 1)]
    while len(made) < NUM_STRINGS:
        kind = len(made) % 6
        if kind == 0:    # pieces
            made.append("".join(rng.choices(PIECES, k=rng.randint(1, 12))))
        elif kind == 1:  # any code points but surrogates
            codes = [rng.choice(any_scalar) if rng.random() < 0.02 else rng.randrange(0x110000)
                     for _ in range(rng.randint(1, 20))]
            made.append("".join(chr(c) for c in codes if not 0xd800 <= c < 0xe000))
        elif kind == 2:  # the first plane's first half, where the scripts are
            made.append("".join(chr(rng.randrange(0x3000)) for _ in range(rng.randint(1, 30))))
        elif kind == 3:  # words and numbers
            made.append(" ".join("".join(rng.choices(string.ascii_letters + "0123456789'", k=rng.randint(1, 9)))
                                 for _ in range(rng.randint(1, 12))))
        elif kind == 4:  # white space and control characters
            made.append("".join(rng.choices(" \t\n\r\x0b\x0c\x00\x1c\x85\u2009 a1.", k=rng.randint(1, 30))))
        else:            # bytes that are broken UTF-8, as they arrive in Python
            made.append(bytes(rng.choices(range(256), k=rng.randint(1, 24))).decode("utf-8", "replace"))
    return made


def same(ours, theirs, what):
    assert ours == theirs, f"{what}:\n  qed   {ours!r}\n  peer  {theirs!r}"


def check_decode(qed, folder, peers, ids, what):
    for skip in (False, True):
        answer = qed.ask(op="decode", folder=str(folder), ids=ids, skip_special=skip)
        for name, decode in peers.items():
            same(answer.get("text"), decode(ids, skip), f"{what}, decode of {ids}, {name}, skip {skip}")
        same("".join(answer["pieces"]), answer["text"], f"{what}, stream of {ids}, skip {skip}")


def check_bytes(qed, folder, kind, tokenizer, rng):
    """The bytes of the tokens, joined, are the bytes of the decoded text, after a word at least."""
    table = [bytes.fromhex(digits) for digits in qed.ask(op="bytes", folder=str(folder))["bytes"]]
    assert len(table) == tokenizer.get_vocab_size()
    first = tokenizer.encode("a", add_special_tokens=False).ids
    start = tokenizer.decode(first, skip_special_tokens=False)
    for _ in range(1000):
        ids = [rng.randrange(len(table)) for _ in range(rng.randint(0, 8))]
        joined = start.encode() + b"".join(table[i] for i in ids)
        try:
            text = joined.decode()
        except UnicodeDecodeError:
            continue  # where bytes are no character each kind of decoder has a rule of its own
        same(text, tokenizer.decode(first + ids, skip_special_tokens=False), f"{kind}, bytes of {ids}")


def inside():
    from qed_text import QedText
    from small_tokenizers import train_all
    from tokenizers import Tokenizer

    transformers = peer.quiet_transformers()
    made, qed, rng = strings(), QedText(), random.Random(3)
    with tempfile.TemporaryDirectory(prefix="qed-peer-test-") as work:
        for kind, folder in train_all(pathlib.Path(work)).items():
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            auto = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
            peers = {"tokenizers": lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip),
                     "transformers": lambda ids, skip: auto.decode(ids, skip_special_tokens=skip)}
            counts = collections.Counter()
            for number, text in enumerate(made):
                for special in (False, True):
                    answer = qed.ask(op="encode", folder=str(folder), text=text, add_special=special)
                    what = f"{kind}, encode of {text!r}, special {special}"
                    same(answer.get("ids"), tokenizer.encode(text, add_special_tokens=special).ids, what)
                    same(answer["ids"], auto(text, add_special_tokens=special).input_ids, what)
                    counts["encodings"] += 1
                check_decode(qed, folder, peers, answer["ids"], kind)
                # What an untrained policy writes; byte tokens close together are frequent.
                size = tokenizer.get_vocab_size()
                low = max(0, size - 300) if number % 2 else 0
                ids = [rng.randrange(low, size) for _ in range(rng.randint(0, 16))]
                check_decode(qed, folder, peers, ids, kind)
                counts["decodings"] += 2
            check_bytes(qed, folder, kind, tokenizer, rng)
            print(f"{kind}: {size} tokens, {len(made)} strings, {counts['encodings']} encodings and "
                  f"{counts['decodings']} decodings equal", flush=True)
    qed.close()


sys.exit(peer.main(__file__, inside))
