"""Random-weight folders of every family that qed reads, made by transformers itself: one small model
of each, or with --others all the others, up to 26 M parameters.

- The same logits: max |difference| <= 2e-5 * max |logit| in float32, also from folders of float16
  and bfloat16, from several files, and from config.json in its older spelling.
- `qed score` gives transformers' log-softmax and its entropy, whatever shares a forward.
- Greedy continuations of 256 tokens: identical, but from where transformers' two best logits are
  closer than 1e-4; and `qed score` gives the log-probs that `qed generate` recorded, to the bit.
- A folder that qed writes loads in transformers and gives identical logits.
"""

import json
import os
import pathlib
import random
import sys
import tempfile

import peer

# Of transformers: class, and what differs from BASE. Sizes from 0.03 to 26 M parameters.
BASE = dict(vocab_size=97, hidden_size=48, num_hidden_layers=3, num_attention_heads=6,
            num_key_value_heads=3, intermediate_size=80, max_position_embeddings=400,
            initializer_range=0.2, bos_token_id=None, eos_token_id=1, pad_token_id=0,
            tie_word_embeddings=False)
TIED = dict(tie_word_embeddings=True)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0,
              high_freq_factor=4.0, original_max_position_embeddings=64)
LINEAR = dict(rope_type="linear", rope_theta=50000.0, factor=4.0)
MIDDLE = dict(vocab_size=1000, hidden_size=160, num_hidden_layers=5, num_attention_heads=10,
              num_key_value_heads=2, intermediate_size=416, initializer_range=0.05)
SMALL = dict(vocab_size=4096, hidden_size=512, num_hidden_layers=8, num_attention_heads=8,
             num_key_value_heads=2, intermediate_size=1536, initializer_range=0.03)
MODELS = {
    "qwen2": ("Qwen2", {}),
    "qwen2-tied": ("Qwen2", TIED),
    "qwen2-small": ("Qwen2", SMALL | TIED),
    "qwen3": ("Qwen3", dict(head_dim=24)),
    "qwen3-tied": ("Qwen3", MIDDLE | TIED | dict(head_dim=32)),
    "qwen3-biases": ("Qwen3", dict(head_dim=10, attention_bias=True)),
    "llama3": ("Llama", dict(rope_parameters=LLAMA3)),
    "llama3-tied": ("Llama", MIDDLE | TIED | dict(rope_parameters=LLAMA3)),
    "llama-linear": ("Llama", dict(rope_parameters=LINEAR, num_key_value_heads=6)),
    "llama-biases": ("Llama", dict(attention_bias=True, mlp_bias=True)),
    "mistral": ("Mistral", dict(sliding_window=None)),
    "mistral-tied": ("Mistral", MIDDLE | TIED | dict(head_dim=20, sliding_window=300)),
}
FIRST = ["qwen2-tied", "qwen3", "llama3", "mistral"]  # with --others these are left out
LONGEST = 120
NUM_GREEDY = 256


def make(name):
    """A model whose biases and norms are those of none that was just made: not 0 and not 1."""
    import torch
    import transformers

    kind, change = MODELS[name]
    torch.manual_seed(len(name))
    config = getattr(transformers, f"{kind}Config")(**(BASE | change))
    model = getattr(transformers, f"{kind}ForCausalLM")(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight += 0.3 * torch.randn_like(weight)
    return model


def draw_sequences(model, count, rng):
    vocab = model.config.vocab_size
    return [[rng.randrange(vocab) for _ in range(rng.randint(2, LONGEST))] for _ in range(count)]


def check_scores(folder, sequences, logits, work, name, dtype="float32"):
    """`qed score` against log-softmax in float64, with the rows in one forward and in many."""
    import numpy

    rng, rows, at, expected = random.Random(2), [], 0, []
    z = logits.astype(numpy.float64)
    logp = z - z.max(1, keepdims=True)
    logp -= numpy.log(numpy.exp(logp).sum(1, keepdims=True))
    entropy = -(numpy.exp(logp) * logp).sum(1)
    for sequence in sequences:
        cut = rng.randint(1, len(sequence) - 1)
        rows.append({"prompt_ids": sequence[:cut], "completion_ids": sequence[cut:]})
        places = range(at + cut - 1, at + len(sequence) - 1)
        expected.append(([logp[p, t] for p, t in zip(places, sequence[cut:])],
                         [entropy[p] for p in places]))
        at += len(sequence)
    file = work / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score = [os.environ["QED_BIN"], "score", folder, "--input", file, "--json", "--dtype", dtype]
    text = peer.run(*score)
    assert text == peer.run(*score, "--max-tokens", 1, "--threads", 1), "scores depend on packing"
    answers = [json.loads(line) for line in text.splitlines()]
    assert len(answers) == len(rows)
    worst, bound = 0, peer.TOLERANCE * abs(logits).max()
    for answer, (logps, entropies) in zip(answers, expected):
        assert len(answer["logp"]) == len(logps) and len(answer["entropy"]) == len(logps)
        worst = max([worst, *(abs(a - b) for a, b in zip(answer["logp"], logps)),
                     *(abs(a - b) for a, b in zip(answer["entropy"], entropies))])
    print(f"{name}: scores differ by up to {worst:.1e}, allowed are {2 * bound:.1e}", flush=True)
    assert worst <= 2 * bound  # of two logits, or of a logit and the normaliser


def check_saved(model, saved, sequences, logits, dtype=None):
    """Transformers loads what qed wrote: all of it, and with the same numbers."""
    import torch

    loaded, notes = type(model).from_pretrained(saved, dtype=dtype or torch.float32,
                                                output_loading_info=True)
    bad = {kind: keys for kind, keys in notes.items() if keys}
    assert not bad, f"transformers did not find what it expects: {bad}"
    again = peer.logits_of_transformers(loaded.eval().to(torch.float32), sequences)
    assert (again == logits).all(), "a folder that qed wrote gives other logits"


def check_bfloat16(model, folder, sequences, work, name):
    """Weights in bfloat16: the matrices are rounded once, all else is float32."""
    import copy
    import torch

    rounded = copy.deepcopy(model)
    with torch.no_grad():
        for weight in rounded.parameters():
            if weight.dim() == 2:
                weight.copy_(weight.to(torch.bfloat16).to(torch.float32))
    logits = peer.logits_of_transformers(rounded, sequences)
    check_scores(folder, sequences, logits, work, f"{name} in bfloat16", "bfloat16")


def check_greedy(model, folder, work, name):
    import torch

    rng, vocab = random.Random(name), model.config.vocab_size
    prompts = [[rng.randrange(vocab) for _ in range(12)] for _ in range(4)]
    file = work / "prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt_ids": prompt}) + "\n" for prompt in prompts))
    # Without a tokenizer no token ends a completion.
    text = peer.run(os.environ["QED_BIN"], "generate", folder, "--input", file, "--temperature", 0,
                    "--max-new-tokens", NUM_GREEDY, "--json")
    answers = [json.loads(line) for line in text.splitlines()]
    ours = [answer["completion_ids"] for answer in answers]
    file.write_text(text)
    scores = peer.run(os.environ["QED_BIN"], "score", folder, "--input", file, "--json")
    assert ([answer["logp"] for answer in answers]
            == [json.loads(line)["logp"] for line in scores.splitlines()]), "other bits when scored"
    model.generation_config.eos_token_id = None
    with torch.no_grad():
        answer = model.generate(
            torch.tensor(prompts), attention_mask=torch.ones(4, 12, dtype=torch.long),
            do_sample=False, max_new_tokens=NUM_GREEDY, pad_token_id=0, output_logits=True,
            return_dict_in_generate=True)
    theirs = answer.sequences[:, 12:].tolist()
    equal = 0
    for row, (a, b) in enumerate(zip(ours, theirs)):
        assert len(a) == len(b) == NUM_GREEDY, (len(a), len(b))
        first = next((i for i in range(NUM_GREEDY) if a[i] != b[i]), None)
        equal += first is None
        if first is not None:
            best = answer.logits[first][row].topk(2).values
            gap = float(best[0] - best[1])
            print(f"{name}: row {row} differs from token {first} on; the two best are {gap:.1e} "
                  "apart", flush=True)
            assert gap < 1e-4, "greedy continuations differ"
    print(f"{name}: {equal} of 4 greedy continuations of {NUM_GREEDY} tokens are equal, "
          f"{len(set(sum(ours, [])))} different tokens", flush=True)


def check_family(name, work):
    rng = random.Random(name)
    model, folder, saved = make(name), work / name, work / f"{name}-saved"
    model.save_pretrained(folder)
    count = 4 if "small" in name else 30
    sequences = draw_sequences(model, count, rng)
    logits = peer.same_logits(model, folder, sequences, work, name, save=saved)
    check_saved(model, saved, sequences, logits)
    check_scores(folder, sequences, logits, work, name)
    check_bfloat16(model, folder, sequences, work, name)
    check_greedy(model, folder, work, name)


def check_half(work):
    """Folders of 16-bit numbers, in one file and in several, read and written."""
    import torch

    for name in ("qwen2-tied", "llama3", "qwen3"):
        for dtype in (torch.float16, torch.bfloat16):
            model, label = make(name).to(dtype), f"{name}-{dtype}".replace("torch.", "")
            folder, saved = work / label, work / f"{label}-saved"
            model.save_pretrained(folder, max_shard_size="30KB")
            assert len(list(folder.glob("*.safetensors"))) > 2
            # Not model.to(float32): its rotary frequencies were rounded, too.
            model = type(model).from_pretrained(folder, dtype=torch.float32).eval()
            sequences = draw_sequences(model, 10, random.Random(label))
            logits = peer.same_logits(model, folder, sequences, work, label, save=saved,
                                      max_shard_bytes=40_000)
            assert len(list(saved.glob("*.safetensors"))) > 2
            check_saved(model, saved, sequences, logits, dtype)


def check_older_spelling(work):
    """config.json as transformers wrote it before rope_parameters and dtype."""
    model, folder = make("llama3"), work / "older"
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope
    config["torch_dtype"] = config.pop("dtype", "float32")
    (folder / "config.json").write_text(json.dumps(config))
    loaded = type(model).from_pretrained(folder)
    sequences = draw_sequences(model, 10, random.Random(3))
    peer.same_logits(loaded.eval(), folder, sequences, work, "the older spelling")


def inside():
    peer.quiet_transformers()
    with tempfile.TemporaryDirectory(prefix="qed-peer-test-") as folder:
        work = pathlib.Path(folder).resolve()
        others = "--others" in sys.argv
        for name in MODELS:
            if (name in FIRST) != others:
                check_family(name, work)
        if others:
            check_half(work)
        else:
            check_older_spelling(work)


sys.exit(peer.main(__file__, inside))
