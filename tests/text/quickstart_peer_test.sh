#!/usr/bin/env bash
# The model folder of the quick start is what its script writes, and transformers reads it as qed does.
set -euo pipefail

folder=$QED_SOURCE_DIR/configs/quickstart
python=$("$QED_SOURCE_DIR/scripts/dev_env")
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

"$python" "$QED_SOURCE_DIR/scripts/make_quickstart_model.py" "$fresh"
diff -r "$fresh" "$folder"

"$python" - "$folder" <<'PY'
import random, sys, torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
vocabulary = ["<pad>", "<eos>", "<think>", "</think>", "<answer>", "</answer>", *"*+,0123456789=?"]
assert len(tokenizer) == len(vocabulary) == 21
assert tokenizer.convert_ids_to_tokens(range(21)) == vocabulary
assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (0, 1)

rng = random.Random(1)
for length in range(200):
    ids = [rng.randrange(21) for _ in range(length)]
    text = "".join(vocabulary[i] for i in ids)
    assert tokenizer(text).input_ids == ids, text
    assert tokenizer.decode(ids) == text
    skipped = "".join(vocabulary[i] for i in ids if i > 1)
    assert tokenizer.decode(ids, skip_special_tokens=True) == skipped, text

config = AutoConfig.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_config(config)
assert type(model).__name__ == "Qwen2ForCausalLM" and model.dtype == torch.float32
assert sum(p.numel() for p in model.parameters()) == 100224
assert config.rope_parameters["rope_theta"] == 1e4
assert GenerationConfig.from_pretrained(sys.argv[1]).eos_token_id == 1
print("transformers agrees on 200 texts")
PY
