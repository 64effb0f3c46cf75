"""Trains a small tokenizer of each kind that models have, with the library `tokenizers`.

The vocabularies are small, but the rules are those of the models: normalizer, pre-tokenizer, merges,
byte fallback, post-processor, decoder.
"""

import json
import pydoc_data.topics
import random

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SCRIPTS = [(0x61, 0x7a), (0xe0, 0xff), (0x3b1, 0x3c9), (0x430, 0x44f), (0x5d0, 0x5ea), (0x627, 0x64a),
           (0x905, 0x939), (0x3042, 0x3093), (0x4e00, 0x4e80), (0xac00, 0xac60)]


def corpus():
    """English prose, and words in ten scripts of which the first ones are frequent."""
    rng = random.Random(1)
    words = ["".join(chr(rng.randint(*script)) for _ in range(rng.randint(1, 6)))
             for script in SCRIPTS for _ in range(60)]
    weights = [1 / (1 + i % 60) for i in range(len(words))]
    lines = [" ".join(rng.choices(words, weights, k=12)) for _ in range(1500)]
    lines += ["".join(rng.choices("0123456789+-*/=()., ", k=30)) for _ in range(200)]
    return lines + "\n".join(pydoc_data.topics.topics.values()).split("\n\n")[:1500]


def byte_level(split, special, plain=(), **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=3000, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in special])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in plain])
    return tokenizer


def qwen():
    tokenizer = byte_level(CONTRACTIONS + r"\p{N}" + REST,
                           ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], ["<think>", "</think>"])
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer, {"eos_token": "<|im_end|>"}


def llama3():
    tokenizer = byte_level(CONTRACTIONS + r"\p{N}{1,3}" + REST,
                           ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], ignore_merges=True)
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing("<|begin_of_text|> $A", "<|begin_of_text|> $A $B:1",
                                      [("<|begin_of_text|>", begin)])])
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}


def sentence_piece():
    """BPE over words with a mark, and every byte as a token for what has no other."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")  # to train on words
    trainer = trainers.BpeTrainer(vocab_size=3000, show_progress=False, limit_alphabet=300,
                                  special_tokens=["<unk>", "<s>", "</s>"])
    tokenizer.train_from_iterator(corpus(), trainer)
    saved = json.loads(tokenizer.to_str())
    vocab = saved["model"]["vocab"]
    for byte in range(256):
        vocab[f"<0x{byte:02X}>"] = len(vocab)
    saved["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                           decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=3000, show_progress=False, unk_token="<unk>",
                                      special_tokens=["<pad>", "</s>", "<unk>"])
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer, {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


KINDS = {"qwen": qwen, "llama3": llama3, "sentence_piece": sentence_piece, "unigram": unigram}


def train_all(work):
    """{kind: folder}"""
    folders = {}
    for kind, make in KINDS.items():
        folder = work / kind
        folder.mkdir()
        tokenizer, config = make()
        tokenizer.save(str(folder / "tokenizer.json"))
        config |= {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        folders[kind] = folder
    return folders
