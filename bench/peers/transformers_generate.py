"""New tokens per second of transformers' generate: a static batch, greedy, the prompts' time counts.

    transformers_generate.py MODEL BATCH PROMPT TOKENS THREADS [float32|bfloat16]

Prints a JSON object; the fastest of two runs after a short first one.
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, (batch, prompt, tokens, threads) = sys.argv[1], map(int, sys.argv[2:6])
torch.set_num_threads(threads)
dtype = getattr(torch, sys.argv[6] if len(sys.argv) > 6 else "float32")
model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
ids = torch.randint(3, 500, (batch, prompt))


def seconds(new_tokens):
    start = time.perf_counter()
    with torch.inference_mode():
        model.generate(ids, max_new_tokens=new_tokens, min_new_tokens=new_tokens, do_sample=False,
                       pad_token_id=0, attention_mask=torch.ones_like(ids))
    return time.perf_counter() - start


seconds(2)
best = min(seconds(tokens) for _ in range(2))
print(json.dumps({"s": best, "tokens_per_s": batch * tokens / best}))
