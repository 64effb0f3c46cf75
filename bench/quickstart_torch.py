#!/usr/bin/env python3
"""The recipe of configs/quickstart.toml as one file of eager PyTorch: the twin of bench/quickstart.

Same task, model, optimizer and schedule, and the same tricks that a careful author would use: a KV
cache, finished completions leave the batch, completions without an advantage leave the update. The
random numbers are PyTorch's, so the two agree in what is learnt and not in the bits.

--out FILE gets JSON: `sft_sec`, and in `rec` one entry per evaluation, whose `sec` is the time of
all rl steps so far. Evaluations are not in these times.
"""

import argparse
import json
import math
import random
import re
import time
import zlib

import torch
import torch.nn.functional as F

TOKENS = ["<pad>", "<eos>", "<think>", "</think>", "<answer>", "</answer>", *"*+,0123456789=?"]
ID = {token: i for i, token in enumerate(TOKENS)}
EOS = ID["<eos>"]
PROMPT = 9  # tokens of `784+737=?`: the operands have three digits each
D, LAYERS, HEADS, KV_HEADS, FF, THETA = 64, 2, 4, 2, 192, 1e4
HEAD = D // HEADS
PROMPTS, GROUP, MAX_NEW, MINI_BATCHES = 16, 16, 48, 2
CLIP_LOW, CLIP_HIGH = 0.2, 0.28


# ---- The task.


def encode(text):
    return [ID[token] for token in re.findall(r"<[^>]*>|.", text)]


def decode(ids):
    return "".join(TOKENS[i] for i in ids if i > EOS)


def draw_sum(rng, held_out):
    while True:
        a, b = rng.randint(100, 999), rng.randint(100, 999)
        if (zlib.crc32(f"{min(a, b)}+{max(a, b)}".encode()) % 5 == 0) == held_out:
            return a, b


def demonstration(rng, a, b):
    working = ""
    if rng.random() < 0.4:
        carry, x, y = 0, a, b
        for _ in range(3):
            column = x % 10 + y % 10 + carry
            working += f"{x % 10}+{y % 10}+{carry}={column:02d},"
            carry, x, y = column // 10, x // 10, y // 10
        working += f"={a + b}"
    return encode(f"<think>{working}</think><answer>{a + b}</answer>") + [EOS]


FORMAT = re.compile(r"<think>[^<>]*</think><answer>([^<>]*)</answer>")


def reward(a, b, ids):
    if ids[-1] != EOS:
        return 0.0
    answer = FORMAT.fullmatch(decode(ids))
    return 0.0 if answer is None else 1.0 if answer[1] == str(a + b) else 0.1


# ---- The model: qwen2 in its plainest form.


class Model:
    def __init__(self):
        def linear(rows, depth, down=1.0):
            return torch.randn(rows, depth) * (0.5 / math.sqrt(depth) * down)

        width, down = (HEADS + 2 * KV_HEADS) * HEAD, 1 / math.sqrt(2 * LAYERS)
        self.embedding = torch.randn(len(TOKENS), D) * 0.02
        self.norm = torch.ones(D)
        self.layers = [dict(norm1=torch.ones(D), qkv=linear(width, D), bias=torch.zeros(width),
                            o=linear(D, HEADS * HEAD, down), norm2=torch.ones(D),
                            gate_up=linear(2 * FF, D), down=linear(D, FF, down))
                       for _ in range(LAYERS)]
        self.parameters = [self.embedding, self.norm, *(w for l in self.layers for w in l.values())]
        for parameter in self.parameters:
            parameter.requires_grad_()
        frequency = THETA ** (-torch.arange(0, HEAD, 2) / HEAD)
        angle = torch.arange(PROMPT + MAX_NEW)[:, None] * frequency
        heads = HEADS + KV_HEADS  # queries and keys turn together; [T, 1, HEAD], sine with its sign
        self.cos = torch.cat([angle.cos(), angle.cos()], 1)[:, None]
        self.sin = torch.cat([-angle.sin(), angle.sin()], 1)[:, None]
        self.split = [heads * HEAD, KV_HEADS * HEAD]

    def hidden(self, ids, cache=None, start=0):
        """ids [B, T] at positions from `start` on -> [B, T, D]; a cache holds what came before."""
        B, T = ids.shape
        x = F.embedding(ids, self.embedding)
        cos, sin = self.cos[start:start + T], self.sin[start:start + T]
        for i, w in enumerate(self.layers):
            y = F.linear(F.rms_norm(x, (D,), w["norm1"], 1e-6), w["qkv"], w["bias"])
            turning, v = y.split(self.split, -1)
            turning = turning.view(B, T, -1, HEAD)
            turning = turning * cos + turning.roll(HEAD // 2, -1) * sin
            q, k = turning[:, :, :HEADS].transpose(1, 2), turning[:, :, HEADS:].transpose(1, 2)
            v = v.view(B, T, KV_HEADS, HEAD).transpose(1, 2)
            if cache is not None:
                cache[i][0][:, :, start:start + T], cache[i][1][:, :, start:start + T] = k, v
                k, v = (c[:, :, :start + T] for c in cache[i])
            if T == 1:  # one row per sequence: the heads that share a key are the rows of a product
                q = q.reshape(B, KV_HEADS, -1, HEAD)
                a = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(HEAD), -1) @ v
                a = a.reshape(B, 1, -1)
            else:
                a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
                a = a.transpose(1, 2).reshape(B, T, -1)
            x = x + F.linear(a, w["o"])
            gate, up = F.linear(F.rms_norm(x, (D,), w["norm2"], 1e-6), w["gate_up"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, w["down"])
        return F.rms_norm(x, (D,), self.norm, 1e-6)

    def logits(self, h):
        return F.linear(h, self.embedding)


@torch.no_grad()
def generate(model, prompts, group, temperature):
    """`group` completions of each prompt -> list of id lists, list of log-prob lists."""
    n = len(prompts) * group
    small = [[torch.zeros(len(prompts), KV_HEADS, PROMPT, HEAD) for _ in "kv"]
             for _ in range(LAYERS)]
    h = model.hidden(torch.tensor(prompts), small)[:, -1]
    logits = model.logits(h).repeat_interleave(group, 0)
    cache = [[F.pad(c.repeat_interleave(group, 0), (0, 0, 0, MAX_NEW)) for c in kv] for kv in small]
    ids, logps = torch.zeros(n, MAX_NEW, dtype=torch.long), torch.zeros(n, MAX_NEW)
    length = torch.full((n,), MAX_NEW)
    row, is_open = torch.arange(n), torch.ones(n, dtype=torch.bool)  # rows still in the batch
    for t in range(MAX_NEW):
        logp = F.log_softmax(logits / (temperature or 1.0), -1)
        token = torch.multinomial(logp.exp(), 1) if temperature else logp.argmax(-1, keepdim=True)
        ids[row[is_open], t] = token[is_open, 0]
        logps[row[is_open], t] = logp.gather(1, token)[is_open, 0]
        length[row[is_open & (token[:, 0] == EOS)]] = t + 1
        is_open = is_open & (token[:, 0] != EOS)
        num_open = int(is_open.sum())
        if num_open == 0 or t + 1 == MAX_NEW:
            break
        if num_open < 0.8 * len(row):
            kept = is_open.nonzero()[:, 0]
            row, token, is_open = row[kept], token[kept], is_open[kept]
            cache = [[c[kept] for c in kv] for kv in cache]
        logits = model.logits(model.hidden(token, cache, PROMPT + t)[:, 0])
    return ([ids[i, :n].tolist() for i, n in enumerate(length.tolist())],
            [logps[i, :n] for i, n in enumerate(length.tolist())])


def completion_rows(model, prompts, completions):
    """Logits of all completion tokens, end to end [N, V], and the tokens [N]."""
    longest = max(map(len, completions))
    ids = torch.tensor([p + c + [0] * (longest - len(c)) for p, c in zip(prompts, completions)])
    length = torch.tensor([len(c) for c in completions])
    at = torch.arange(longest) < length[:, None]
    h = model.hidden(ids[:, :-1])[:, PROMPT - 1:]
    return model.logits(h[at]), ids[:, PROMPT:][at]


def adamw(model, **options):
    return torch.optim.AdamW(model.parameters, fused=True, **options)


def update(model, optimizer, loss, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
    optimizer.step()


# ---- The stages.


def sft(model, steps, seed):
    rng = random.Random(seed)
    data = []
    for _ in range(4000):
        a, b = draw_sum(rng, False)
        data.append((encode(f"{a}+{b}=?"), demonstration(rng, a, b)))
    optimizer = adamw(model, betas=(0.9, 0.95), weight_decay=0.01)
    order, begin = [], time.perf_counter()
    for step in range(steps):
        if len(order) < 32:
            order = rng.sample(data, len(data)) + order
        batch = [order.pop() for _ in range(32)]
        logits, target = completion_rows(model, *map(list, zip(*batch)))
        cosine = 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / steps))
        update(model, optimizer, F.cross_entropy(logits, target),
               4e-3 * min(1, (step + 1) / 20) * cosine)
    return time.perf_counter() - begin


def policy_loss(logp, old_logp, adv, num_tokens):
    ratio = (logp - old_logp).exp()
    clipped = ratio.clamp(1 - CLIP_LOW, 1 + CLIP_HIGH)
    return -torch.min(ratio * adv, clipped * adv).sum() / num_tokens


def rl_step(model, optimizer, rng, lr):
    sums = [draw_sum(rng, False) for _ in range(PROMPTS)]
    prompts = [encode(f"{a}+{b}=?") for a, b in sums]
    completions, old_logps = generate(model, prompts, GROUP, 1.0)
    rewards = torch.tensor([reward(*sums[i // GROUP], c) for i, c in enumerate(completions)])
    groups = rewards.view(PROMPTS, GROUP)
    adv = (groups - groups.mean(1, keepdim=True)) / (groups.std(1, keepdim=True) + 1e-6)
    adv = adv.flatten().where(adv.flatten().abs() > 1e-5, 0).tolist()
    order = rng.sample(range(len(completions)), len(completions))
    for m in range(MINI_BATCHES):
        part = order[m::MINI_BATCHES]
        num_tokens = sum(len(completions[i]) for i in part)
        part = [i for i in part if adv[i] != 0]
        if not part:
            continue
        chosen = [completions[i] for i in part]
        logits, target = completion_rows(model, [prompts[i // GROUP] for i in part], chosen)
        logp = F.log_softmax(logits, -1).gather(1, target[:, None])[:, 0]
        adv_of = torch.tensor([adv[i] for i in part for _ in completions[i]])
        old_logp = torch.cat([old_logps[i] for i in part])
        update(model, optimizer, policy_loss(logp, old_logp, adv_of, num_tokens), lr)


def evaluate(model, num_items, temperature):
    rng = random.Random(777)
    sums = [draw_sum(rng, True) for _ in range(num_items)]
    completions, _ = generate(model, [encode(f"{a}+{b}=?") for a, b in sums], 1, temperature)
    return sum(reward(*s, c) == 1 for s, c in zip(sums, completions)) / num_items


def rl(model, steps, seed, num_items):
    rng = random.Random(1000 + seed)
    optimizer = adamw(model, betas=(0.9, 0.99), weight_decay=0.0)
    records, spent = [], 0.0
    for step in range(steps + 1):
        if step > 0:
            begin = time.perf_counter()
            rl_step(model, optimizer, rng, 2e-4 * min(1, step / 5))
            spent += time.perf_counter() - begin
        if step % 10 == 0 or step == steps:
            greedy, sampled = (evaluate(model, num_items, t) for t in (0.0, 1.0))
            records.append(dict(step=step, acc=greedy, acc_t1=sampled, sec=spent))
            print(f"step {step}  greedy {greedy:.3f}  temperature 1 {sampled:.3f}  {spent:.1f} s",
                  flush=True)
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sft_steps", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=40, help="of rl")
    parser.add_argument("--eval_n", type=int, default=512, help="held-out items")
    parser.add_argument("--out", help="JSON file for the times")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    torch.set_flush_denormal(True)
    model = Model()
    sft_sec = sft(model, args.sft_steps, args.seed)
    print(f"sft {args.sft_steps} steps  {sft_sec:.1f} s", flush=True)
    records = rl(model, args.steps, args.seed, args.eval_n)
    if args.out:
        with open(args.out, "w") as file:
            json.dump(dict(sft_sec=sft_sec, rec=records), file)


if __name__ == "__main__":
    main()
