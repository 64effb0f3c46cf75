"""qed and transformers agree on a model's logits, both ways.

- A checkpoint of a reduced quick start loads in transformers, and 100 prompts give the same logits.
- A folder that transformers saved loads in qed, gives the same logits, and can be trained.

The same means: max |difference| <= 2e-5 * max |logit|.
"""

import os
import pathlib
import sys
import tempfile

import peer
from peer import run

QUICKSTART = peer.SOURCE / "configs" / "quickstart.toml"

# A model that transformers made, and one step of each stage on it.
RUN_FILE = """
[model]
path = "{model}"
[task]
name = "arithmetic"
[algorithm]
name = "grpo"
[sampler]
name = "standard"
[rollout]
prompts = 4
group_size = 4
max_new_tokens = 16
[[stage]]
kind = "sft"
steps = 1
demonstrations = 32
train = {{ lr = 1e-3 }}
[[stage]]
kind = "rl"
steps = 1
"""


def train(file, folder, *sets):
    overrides = [part for text in sets for part in ("--set", text)]
    run(os.environ["QED_BIN"], "train", file, "--run", folder, *overrides)
    return folder / "checkpoints"


# ---- Inside the environment.


def same_logits(model, tokenizer, folder, work, name):
    """Compares transformers' model with what qed reads in `folder`, on 100 prompts."""
    import random

    rng = random.Random(1)
    prompts = [tokenizer(f"{rng.randint(100, 999)}+{rng.randint(100, 999)}=?").input_ids
               + [rng.randrange(len(tokenizer)) for _ in range(rng.randint(0, 48))]
               for _ in range(100)]
    peer.same_logits(model, folder, prompts, work, name)


def checkpoint_loads_in_transformers(work):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    checkpoint = train(QUICKSTART, work / "quickstart", "stage.1.steps=60", "stage.2.steps=2",
                       "stage.2.eval.every=0") / "62"
    model, notes = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32,
                                                        output_loading_info=True)
    bad = {kind: keys for kind, keys in notes.items() if keys}
    assert not bad, f"transformers did not find in the checkpoint what it expects: {bad}"
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    same_logits(model, tokenizer, checkpoint, work, "a checkpoint of qed")
    return tokenizer


def folder_of_transformers_loads_in_qed(work, tokenizer):
    import torch
    from safetensors.torch import load_file
    from transformers import Qwen2Config, Qwen2ForCausalLM

    for tied in (True, False):
        torch.manual_seed(1)
        config = Qwen2Config(
            vocab_size=32, hidden_size=48, num_hidden_layers=3, num_attention_heads=6,
            num_key_value_heads=3, intermediate_size=80, max_position_embeddings=256,
            rope_parameters={"rope_type": "default", "rope_theta": 1e5}, tie_word_embeddings=tied,
            initializer_range=0.3, bos_token_id=None, eos_token_id=1, pad_token_id=0)
        model = Qwen2ForCausalLM(config).eval()
        with torch.no_grad():  # biases and norms of a real model are not 0 and 1
            for weight in model.parameters():
                if weight.dim() == 1:
                    weight += 0.3 * torch.randn_like(weight)
        name = "tied" if tied else "untied"
        folder = work / name
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        same_logits(model, tokenizer, folder, work, f"a {name} folder of transformers")

        file = work / f"{name}.toml"
        file.write_text(RUN_FILE.format(model=folder))
        checkpoint = train(file, work / f"run-{name}") / "2"
        before, after = (load_file(f / "model.safetensors") for f in (folder, checkpoint))
        assert before.keys() == after.keys(), set(before) ^ set(after)
        assert all(before[k].shape == after[k].shape for k in before)
        moved = max(float((before[k] - after[k]).abs().max()) for k in before)
        assert 0 < moved < 0.01, f"one step of each stage moved the weights by up to {moved}"
        trained = Qwen2ForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
        same_logits(trained, tokenizer, checkpoint, work, f"the {name} folder after training")


def inside():
    peer.quiet_transformers()
    with tempfile.TemporaryDirectory(prefix="qed-peer-test-") as folder:
        work = pathlib.Path(folder).resolve()
        tokenizer = checkpoint_loads_in_transformers(work)
        folder_of_transformers_loads_in_qed(work, tokenizer)


sys.exit(peer.main(__file__, inside))
