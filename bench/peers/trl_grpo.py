"""Times TRL's GRPOTrainer: steps of P prompts with G completions each of exactly N new tokens.

    trl_grpo.py MODEL P G N STEPS THREADS    prints a line of JSON; `start` is when the process began

The first step counts apart: it ends the start-up.
"""

import json
import os
import random
import resource
import sys
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import pyarrow
from datasets import Dataset
from datasets.table import InMemoryTable
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


def process_start():
    """When this process began, on the clock of time.time()."""
    ticks = int(open("/proc/self/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[19])
    boot = next(float(line.split()[1]) for line in open("/proc/stat", encoding="utf-8")
                if line.startswith("btime"))
    return boot + ticks / os.sysconf("SC_CLK_TCK")


class Clock(TrainerCallback):
    """Seconds of each step, and when the first was done."""

    def __init__(self):
        self.times = []
        self.first = None

    def on_step_begin(self, *args, **kwargs):
        self.begin = time.time()

    def on_step_end(self, *args, **kwargs):
        self.times.append(time.time() - self.begin)
        self.first = self.first or time.time()


def prompts(count):
    rng = random.Random(1)
    for _ in range(count):
        a, b, c = (rng.randint(1, 99) for _ in range(3))
        yield {"prompt": f"Using the numbers [{a}, {b}, {c}], create an equation that equals "
                         f"{a + b * c}. <think>"}


def main():
    model_folder, num_prompts, group, tokens, steps, threads = sys.argv[1], *map(int, sys.argv[2:7])
    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    model.generation_config.min_new_tokens = tokens
    # Its hash of a new table fails with some versions of its parts; a name of its own needs none.
    dataset = Dataset(InMemoryTable(pyarrow.Table.from_pylist(list(prompts(256)))),
                      fingerprint="number-games")
    clock = Clock()
    with tempfile.TemporaryDirectory() as out:
        config = GRPOConfig(
            output_dir=out, per_device_train_batch_size=num_prompts * group, num_generations=group,
            max_completion_length=tokens, max_steps=steps, learning_rate=1e-6, logging_steps=1000,
            save_strategy="no", report_to=[], use_cpu=True, bf16=False, temperature=1.0, beta=0.0,
            disable_tqdm=True, gradient_checkpointing=False,
            generation_kwargs={"min_new_tokens": tokens})
        trainer = GRPOTrainer(
            model=model, args=config, train_dataset=dataset,
            reward_funcs=lambda completions, **_: [float(len(set(c)) % 7) for c in completions],
            processing_class=AutoTokenizer.from_pretrained(model_folder), callbacks=[clock])
        trainer.train()
    times = sorted(clock.times[1:]) or clock.times
    print(json.dumps({"step_s_median": times[len(times) // 2], "steps": len(clock.times),
                      "first_step_s": clock.first - process_start(),
                      "peak_memory_bytes":
                          resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main()
