"""Makes small model folders for tests of the command line, without any package.

    write_model(folder, seed=1, tokenizer=True, hidden_size=32, ...)

A qwen2 of random float32 weights in one file. With `tokenizer` it has the quick start's vocabulary
and tokenizer; keyword arguments change its config.json.
"""

import json
import os
import pathlib
import random
import shutil
import struct

CONFIG = dict(model_type="qwen2", vocab_size=21, hidden_size=32, intermediate_size=48,
              num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=64, rms_norm_eps=1e-6, rope_theta=10000.0,
              tie_word_embeddings=True)


def shapes(c):
    """{tensor: shape} of a checkpoint of a qwen2 model."""
    d, f = c["hidden_size"], c["intermediate_size"]
    head = d // c["num_attention_heads"]
    kv = c["num_key_value_heads"] * head
    out = {"model.embed_tokens.weight": [c["vocab_size"], d], "model.norm.weight": [d]}
    for layer in range(c["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        for name in ("input_layernorm", "post_attention_layernorm"):
            out[f"{at}{name}.weight"] = [d]
        for name, rows in (("q", d), ("k", kv), ("v", kv)):
            out[f"{at}self_attn.{name}_proj.weight"] = [rows, d]
            out[f"{at}self_attn.{name}_proj.bias"] = [rows]
        out[f"{at}self_attn.o_proj.weight"] = [d, d]
        for name in ("gate", "up"):
            out[f"{at}mlp.{name}_proj.weight"] = [f, d]
        out[f"{at}mlp.down_proj.weight"] = [d, f]
    if not c["tie_word_embeddings"]:
        out["lm_head.weight"] = [c["vocab_size"], d]
    return out


def write_safetensors(file, tensors):
    """Writes {name: (shape, floats)} as float32."""
    header, body = {}, b""
    for name, (shape, values) in tensors.items():
        begin = len(body)
        body += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(body)]}
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_model(folder, seed=1, tokenizer=False, **config):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    config = CONFIG | config
    rng, tensors = random.Random(seed), {}
    for name, shape in shapes(config).items():
        size = shape[0] * (shape[1] if len(shape) == 2 else 1)
        center = 1 if "norm" in name else 0
        tensors[name] = (shape, [rng.gauss(center, 0.2) for _ in range(size)])
    write_safetensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(config))
    if tokenizer:
        quickstart = pathlib.Path(os.environ["QED_SOURCE_DIR"]) / "configs" / "quickstart"
        for file in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
            shutil.copy(quickstart / file, folder)
    return folder
