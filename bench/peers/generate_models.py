"""Random-weight models for bench/generate and bench/train, in two formats: a Hugging Face folder and
GGUF.

    generate_models.py OUT SIZE                               OUT/SIZE, by transformers
    generate_models.py OUT SIZE GGUF_PY [float32|bfloat16]    and OUT/SIZE.DTYPE.gguf

GGUF_PY is where the gguf package lies, which llama.cpp carries. Sizes are Qwen2 shapes; `half` is
Qwen2.5-0.5B's. The folder's tokenizer is a byte-level BPE trained on prompts of a number game.
"""

import pathlib
import random
import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

SIZES = {
    "tiny": dict(hidden_size=128, num_hidden_layers=4, num_attention_heads=4,
                 num_key_value_heads=2, intermediate_size=384, vocab_size=512),
    "small": dict(hidden_size=512, num_hidden_layers=8, num_attention_heads=8,
                  num_key_value_heads=2, intermediate_size=1536, vocab_size=4096),
    "half": dict(hidden_size=896, num_hidden_layers=24, num_attention_heads=14,
                 num_key_value_heads=2, intermediate_size=4864, vocab_size=151936),
}
# Names of a layer's tensors: transformers', llama.cpp's.
LAYER = {
    "input_layernorm.weight": "attn_norm.weight", "post_attention_layernorm.weight": "ffn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight", "self_attn.q_proj.bias": "attn_q.bias",
    "self_attn.k_proj.weight": "attn_k.weight", "self_attn.k_proj.bias": "attn_k.bias",
    "self_attn.v_proj.weight": "attn_v.weight", "self_attn.v_proj.bias": "attn_v.bias",
    "self_attn.o_proj.weight": "attn_output.weight", "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight", "mlp.down_proj.weight": "ffn_down.weight",
}


def make_folder(folder, size):
    torch.manual_seed(0)
    config = Qwen2Config(max_position_embeddings=32768, rope_theta=1e6, rms_norm_eps=1e-6,
                         tie_word_embeddings=True, bos_token_id=0, eos_token_id=0, **SIZES[size])
    Qwen2ForCausalLM(config).save_pretrained(folder)


def number_games(count):
    rng = random.Random(0)
    for _ in range(count):
        a, b, c = (rng.randint(1, 99) for _ in range(3))
        yield (f"Using the numbers [{a}, {b}, {c}], create an equation that equals {a + b * c}. "
               f"<think> {b} * {c} = {b * c}, and {a} + {b * c} = {a + b * c}. </think> "
               f"<answer> {a} + {b} * {c} </answer>")


def make_tokenizer(folder, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(number_games(4000), trainers.BpeTrainer(
        vocab_size=min(SIZES[size]["vocab_size"], 4096), special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>",
                            pad_token="<|endoftext|>",
                            padding_side="left").save_pretrained(folder)


def gguf_name(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{LAYER[rest]}"


def make_gguf(path, folder, dtype):
    import gguf

    model = Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32)
    c = model.config
    out = gguf.GGUFWriter(path, "qwen2")
    out.add_context_length(c.max_position_embeddings)
    out.add_embedding_length(c.hidden_size)
    out.add_block_count(c.num_hidden_layers)
    out.add_feed_forward_length(c.intermediate_size)
    out.add_head_count(c.num_attention_heads)
    out.add_head_count_kv(c.num_key_value_heads)
    out.add_rope_freq_base(1e6)
    out.add_layer_norm_rms_eps(c.rms_norm_eps)
    out.add_vocab_size(c.vocab_size)
    out.add_tokenizer_model("no_vocab")
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":  # tied
            continue
        data = tensor.numpy()
        if dtype == "bfloat16" and data.ndim == 2:
            kind = gguf.GGMLQuantizationType.BF16
            out.add_tensor(gguf_name(name), gguf.quants.quantize(data, kind), raw_dtype=kind)
        else:
            out.add_tensor(gguf_name(name), data)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def main():
    out, size = pathlib.Path(sys.argv[1]), sys.argv[2]
    folder = out / size
    if not (folder / "config.json").exists():
        make_folder(folder, size)
    if not (folder / "tokenizer.json").exists():
        make_tokenizer(folder, size)
    if len(sys.argv) < 4:
        return
    dtype = sys.argv[4] if len(sys.argv) > 4 else "float32"
    sys.path.insert(0, sys.argv[3])
    file = out / f"{size}.{dtype}.gguf"
    if not file.exists():
        part = file.with_suffix(".part")
        make_gguf(part, folder, dtype)
        part.rename(file)


main()
