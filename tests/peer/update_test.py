"""One update of qed is the update of a plain PyTorch + transformers script.

From the same weights, tokens, rewards and old log-probs, qed in float32 and the script in float64, so
that the rounding seen is qed's: per tensor max |gradient difference| <= 1e-5 max |gradient|, and after one step of AdamW
||dw - dw_ref|| <= 1e-3 ||dw_ref||, for grpo, reinforce_pp, gspo and ppo with its critic, with KL in
the loss and in the reward, every aggregation, an entropy bonus and the NLL of positive samples. The
old log-probs and values are far enough from the models' that ratios and values are clipped.
"""

import json
import pathlib
import random
import sys
import tempfile

import peer

MODEL = dict(vocab_size=61, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, intermediate_size=80, max_position_embeddings=96,
             initializer_range=0.2, tie_word_embeddings=True, bos_token_id=None, eos_token_id=1,
             pad_token_id=0)
LR, TEMPERATURE = 1e-3, 0.8
OFF = dict(coef=0.0, estimator="k3", place="loss")
PLAIN = dict(options={}, aggregation="token-mean", kl=OFF, entropy_coef=0.0, nll_coef=0.0)
CASES = {
    "grpo": dict(algorithm="grpo", options=dict(clip_high=0.28)),
    "grpo, seq-mean-token-sum, k3 in the loss": dict(
        algorithm="grpo", aggregation="seq-mean-token-sum",
        kl=dict(coef=0.2, estimator="k3", place="loss")),
    "grpo, dual clip, k1 in the reward": dict(
        algorithm="grpo", options=dict(dual_clip=1.2), kl=dict(coef=0.1, estimator="k1", place="reward")),
    "Dr. GRPO, entropy bonus, NLL": dict(
        algorithm="grpo", options=dict(normalize="mean"), aggregation="constant", entropy_coef=0.05,
        nll_coef=0.1),
    "reinforce_pp, k2 in the reward": dict(
        algorithm="reinforce_pp", options=dict(gamma=0.95),
        kl=dict(coef=0.1, estimator="k2", place="reward")),
    "reinforce_pp, k3+ in the loss": dict(
        algorithm="reinforce_pp", kl=dict(coef=0.2, estimator="k3+", place="loss")),
    "gspo, k1 in the loss": dict(
        algorithm="gspo", options=dict(clip_low=0.05, clip_high=0.05),
        aggregation="seq-mean-token-mean", kl=dict(coef=0.1, estimator="k1", place="loss")),
    "ppo, k1 in the reward": dict(
        algorithm="ppo", options={"gamma": 0.98, "lambda": 0.9, "value_clip": 0.2},
        kl=dict(coef=0.1, estimator="k1", place="reward")),
    "ppo without value clip, seq-mean-token-mean, k3 in the loss": dict(
        algorithm="ppo", options=dict(value_clip=0.0, clip_high=0.28, whiten=False),
        aggregation="seq-mean-token-mean", kl=dict(coef=0.2, estimator="k3", place="loss")),
}
LENGTH = 24  # of aggregation "constant"


def make_model(seed, near=None):
    import torch
    import transformers

    torch.manual_seed(seed)
    model = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**MODEL)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if near is not None:
                weight.copy_(near.get_parameter(name) + 0.02 * torch.randn_like(weight))
            elif weight.dim() == 1:
                weight += 0.3 * torch.randn_like(weight)
    return model


def make_critic(seed):
    """A value model, as Hugging Face has them: a body and one row, `score.weight`."""
    import torch
    import transformers

    torch.manual_seed(seed)
    config = transformers.Qwen2Config(**MODEL, num_labels=1)
    return transformers.Qwen2ForSequenceClassification(config).eval()


def values(critic, prompt, tokens):
    """[tokens] What it expects just before each token."""
    import torch

    h = critic.model(torch.tensor([prompt + tokens])).last_hidden_state
    return critic.score(h)[0, len(prompt) - 1:-1, 0]


def logp_and_entropy(model, prompt, tokens):
    import torch

    logits = model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1:-1] / TEMPERATURE
    logp = torch.log_softmax(logits, -1)
    return (logp.gather(1, torch.tensor(tokens)[:, None])[:, 0], -(logp.exp() * logp).sum(-1))


def draw_groups(model, critic, rng):
    """Random completions with rewards; old log-probs and values are the models' with noise."""
    import torch

    groups = []
    for _ in range(3):
        prompt = [rng.randrange(2, MODEL["vocab_size"]) for _ in range(rng.randint(1, 12))]
        group = dict(prompt=prompt, completions=[])
        for _ in range(4):
            # Without id 0: transformers gives the embedding of a padding id no gradient.
            tokens = [rng.randrange(1, MODEL["vocab_size"]) for _ in range(rng.randint(3, 20))]
            with torch.no_grad():
                logp, _ = logp_and_entropy(model, prompt, tokens)
                value = values(critic, prompt, tokens)
            old = [x + rng.uniform(-0.5, 0.5) for x in logp.tolist()]
            group["completions"].append(dict(tokens=tokens, reward=rng.choice([0.0, 0.1, 1.0]),
                                             old_logp=torch.tensor(old).tolist()))
            old = [x + rng.uniform(-0.5, 0.5) for x in value.tolist()]
            group["completions"][-1]["old_value"] = torch.tensor(old).tolist()
        groups.append(group)
    return groups


# ---- The plain script.


def kl_of(estimator, logp, ref):
    import torch

    d = logp - ref
    if estimator == "k1":
        return d
    if estimator == "k2":
        return d ** 2 / 2
    k3 = torch.exp(-d) - 1 + d
    k2 = d ** 2 / 2
    return k3 if estimator == "k3" else k2 + (k3 - k2).detach()


def returns(case, rewards, token_rewards):
    """[tokens] of each completion: reward on the last token, reward-to-go with gamma."""
    import torch

    out, gamma = [], case["options"].get("gamma", 1.0)
    for reward, per_token in zip(rewards, token_rewards):
        r = per_token.clone()
        r[-1] += reward
        for t in range(len(r) - 2, -1, -1):
            r[t] += gamma * r[t + 1]
        out.append(r)
    return out


def gae(case, rewards, token_rewards, old_values):
    """Advantages before whitening, and returns: [tokens] of each completion."""
    import torch

    gamma, decay = case["options"].get("gamma", 1.0), case["options"].get("lambda", 1.0)
    adv, ret = [], []
    for reward, per_token, v in zip(rewards, token_rewards, old_values):
        r = per_token.clone()
        r[-1] += reward
        after = torch.cat([v[1:], torch.zeros(1)])
        a = r + gamma * after - v
        for t in range(len(a) - 2, -1, -1):
            a[t] += gamma * decay * a[t + 1]
        adv.append(a)
        ret.append(a + v)
    return adv, ret


def whitened(parts):
    import torch

    flat = torch.cat(parts)
    scale = torch.rsqrt(flat.var(unbiased=True) + 1e-8)
    return [(x - flat.mean()) * scale for x in parts]


def value_loss(case, value, old, ret):
    import torch

    clip = case["options"].get("value_clip", 0.5)
    near = torch.clamp(value, old - clip, old + clip) if clip > 0 else value
    return torch.maximum((value - ret) ** 2, (near - ret) ** 2) / 2


def advantages(case, groups, rewards, token_rewards):
    import torch

    if case["algorithm"] == "reinforce_pp":
        return whitened(returns(case, rewards, token_rewards))
    scores = [r + float(k.sum()) for r, k in zip(rewards, token_rewards)]
    out, begin = [], 0
    for group in groups:
        n = len(group["completions"])
        part = torch.tensor(scores[begin:begin + n], dtype=torch.float64)
        a = part - part.mean()
        if case["options"].get("normalize", "std") == "std":
            a = a / (part.std(unbiased=True) + 1e-6)
        out += list(a)
        begin += n
    return out


def surrogate(case, a, ratio):
    import torch

    low, high = case["options"].get("clip_low", 0.2), case["options"].get("clip_high", 0.2)
    loss = torch.maximum(-a * ratio, -a * ratio.clamp(1 - low, 1 + high))
    dual = case["options"].get("dual_clip", 0.0)
    return torch.where((a < 0) & (dual > 0), torch.minimum(loss, -a * dual), loss) if dual else loss


def plain_loss(case, model, reference, critic, groups):
    """The loss of the policy and, where there is one, of the critic; and what was clipped."""
    import torch

    rows = [(g["prompt"], c) for g in groups for c in g["completions"]]
    num_tokens = sum(len(c["tokens"]) for _, c in rows)
    num_positive = sum(len(c["tokens"]) for _, c in rows if c["reward"] > 0)
    kl, olds, refs = case["kl"], [], []
    for prompt, c in rows:
        olds.append(torch.tensor(c["old_logp"], dtype=torch.float64))
        with torch.no_grad():
            refs.append(logp_and_entropy(reference, prompt, c["tokens"])[0])
    in_reward = kl["coef"] if kl["place"] == "reward" else 0.0
    penalties = [-in_reward * kl_of(kl["estimator"], o, r) for o, r in zip(olds, refs)]
    rewards = [c["reward"] for _, c in rows]
    old_values = [torch.tensor(c["old_value"], dtype=torch.float64) for _, c in rows]
    rets = old_values  # unused, but for ppo
    if case["algorithm"] == "ppo":
        adv, rets = gae(case, rewards, penalties, old_values)
        adv = whitened(adv) if case["options"].get("whiten", True) else adv
    else:
        adv = advantages(case, groups, rewards, penalties)

    loss, of_critic, num_clipped, num_values_clipped = 0.0, 0.0, 0, 0
    for (prompt, c), old, ref, a, old_value, ret in zip(rows, olds, refs, adv, old_values, rets):
        n = len(c["tokens"])
        weight = {"token-mean": 1 / num_tokens, "seq-mean-token-mean": 1 / (len(rows) * n),
                  "seq-mean-token-sum": 1 / len(rows),
                  "constant": 1 / (len(rows) * LENGTH)}[case["aggregation"]]
        logp, entropy = logp_and_entropy(model, prompt, c["tokens"])
        log_ratio = logp - old
        if case["algorithm"] == "gspo":
            log_ratio = log_ratio.mean().expand(n)
        ratio = log_ratio.exp()
        own = surrogate(case, a, ratio)
        num_clipped += int((own > -a * ratio).sum())
        loss = loss + weight * own.sum() - case["entropy_coef"] * weight * entropy.sum()
        if kl["place"] == "loss":
            loss = loss + kl["coef"] * weight * kl_of(kl["estimator"], logp, ref).sum()
        if c["reward"] > 0:
            loss = loss - case["nll_coef"] / num_positive * logp.sum()
        if case["algorithm"] == "ppo":
            value = values(critic, prompt, c["tokens"])
            own = value_loss(case, value, old_value, ret)
            num_values_clipped += int((own > (value - ret) ** 2 / 2).sum())
            of_critic = of_critic + weight * own.sum()
    return loss, of_critic, num_clipped, num_values_clipped


# ---- The comparison.


def check(name, case, folder):
    model = make_model(1)
    reference = make_model(2, near=model)
    critic = make_critic(4)
    groups = draw_groups(model, critic, random.Random(3))
    model.save_pretrained(folder / "model")
    reference.save_pretrained(folder / "reference")
    critic.save_pretrained(folder / "critic")
    model, reference, critic = model.double(), reference.double(), critic.double()
    (folder / "out").mkdir(exist_ok=True)
    request = dict(case, model=str(folder / "model"), reference=str(folder / "reference"),
                   plugins=str(peer.BINARY / "lib" / "qed" / "plugins"), groups=groups,
                   temperature=TEMPERATURE, aggregation_length=LENGTH, micro_tokens=60, lr=LR,
                   out=str(folder / "out"))
    has_critic = case["algorithm"] == "ppo"
    if has_critic:
        request["critic"] = str(folder / "critic")
    (folder / "request.json").write_text(json.dumps(request))
    peer.run(peer.BINARY / "tests" / "bin" / "update_peer", folder / "request.json")

    loss, of_critic, num_clipped, num_values_clipped = plain_loss(case, model, reference, critic,
                                                                  groups)
    assert num_clipped > 0, f"{name}: no ratio was clipped, so the case shows less than it should"
    loss.backward()
    compare(f"{name}: {num_clipped} clipped", model, folder / "out")
    if has_critic:
        clips = case["options"].get("value_clip", 0.5) > 0
        assert not clips or num_values_clipped > 0, f"{name}: no value was clipped"
        of_critic.backward()
        compare(f"{name}: {num_values_clipped} values clipped", critic, folder / "out" / "critic")


def compare(name, model, folder):
    """The gradient that a model has, and its step, with those that qed wrote."""
    import copy

    import torch
    from safetensors.torch import load_file

    before = copy.deepcopy(model.state_dict())
    ours = load_file(folder / "gradient.safetensors")
    worst = 0.0
    for key, weight in model.named_parameters():
        largest = weight.grad.abs().max().item()
        difference = (ours[key].double() - weight.grad).abs().max().item()
        worst = max(worst, difference / largest)
    torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-8,
                      weight_decay=0.0).step()
    after = load_file(folder / "updated" / "model.safetensors")
    wrong = total = 0.0
    for key, weight in model.named_parameters():
        step = weight.detach() - before[key]
        wrong += ((after[key].double() - before[key]) - step).square().sum().item()
        total += step.square().sum().item()
    moved = (wrong / total) ** 0.5
    print(f"{name}; max |dg| / max |g| {worst:.1e}; "
          f"||dw - dw_ref|| / ||dw_ref|| {moved:.1e}", flush=True)
    assert worst <= 1e-5, f"{name}: the gradients differ"
    assert moved <= 1e-3, f"{name}: the updates differ"


def inside():
    peer.quiet_transformers()
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory(prefix="qed-update-") as folder:
            check(name, PLAIN | case, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(peer.main(__file__, inside))
