"""Writes the model folder of the quick start, without weights: a tokenizer of single characters
and the config of a tiny Qwen2 model.

    python3 scripts/make_quickstart_model.py configs/quickstart

Needs the Python package tokenizers (scripts/dev_env). The same version writes the same bytes.
"""
import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

SPECIAL = ["<pad>", "<eos>"]
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
CHARACTERS = sorted("0123456789*+=,?")
VOCABULARY = SPECIAL + TAGS + CHARACTERS  # a token's place is its id
PAD, EOS = 0, 1


def make_tokenizer() -> Tokenizer:
    # Word level, one word per character, and the unknown token is not in the vocabulary: a
    # character without a token is an error; a BPE without merges would drop it silently.
    vocabulary = {token: i for i, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, normalized=False, special=False) for t in TAGS])
    return tokenizer


TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "eos_token": SPECIAL[EOS],
    "pad_token": SPECIAL[PAD],
    # transformers 5 takes its own Qwen2 tokenizer class for every Qwen2 model, fills it with this
    # vocabulary and adds an unknown token to it, unless told that there is none.
    "unk_token": None,
    "clean_up_tokenization_spaces": False,
    "model_max_length": 1024,
}

GENERATION_CONFIG = {"eos_token_id": EOS, "pad_token_id": PAD}

MODEL_CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "vocab_size": len(VOCABULARY),
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 192,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 1024,
    # Before transformers 5 the base of the rotary embedding was a key of its own.
    "rope_theta": 10000.0,
    "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
    "use_sliding_window": False,
    "attention_dropout": 0.0,
    "tie_word_embeddings": True,
    "initializer_range": 0.02,
    "bos_token_id": None,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
    "dtype": "float32",
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer().save(str(folder / "tokenizer.json"))
    files = {
        "tokenizer_config.json": TOKENIZER_CONFIG,
        "generation_config.json": GENERATION_CONFIG,
        "config.json": MODEL_CONFIG,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
