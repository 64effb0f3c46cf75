"""What the commands of this folder share: building, one core, the machine's line, the table."""

import argparse
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("QED_CACHE") or pathlib.Path.home() / ".cache/qed")


def parser(text):
    out = argparse.ArgumentParser(description=text,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--build", type=pathlib.Path,
                     help="a build folder to use; default: build/bench, made with the flags of "
                          "the preset `release`, without LibTorch")
    return out


def run(command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}: {' '.join(map(str, command))}\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout.strip()


def build(args, *targets):
    """Brings the targets up to date; the build folder."""
    folder = (args.build or ROOT / "build/bench").resolve()
    if not (folder / "build.ninja").exists():
        print(f"configuring {folder.name} ...", file=sys.stderr)
        run(["cmake", "--preset", "release", "-B", folder, "-DQED_ENGINE=OFF", "-DQED_TESTS=OFF"])
    print(f"building {' '.join(targets)} ...", file=sys.stderr)
    run(["ninja", "-C", folder, *targets])
    return folder


def packages(python, name):
    """The folder of the packages of bench/peers/<name>.txt, which go beside those of scripts/dev_env."""
    pins = ROOT / f"bench/peers/{name}.txt"
    digest = hashlib.sha256(pins.read_bytes() + python.encode()).hexdigest()[:16]
    folder = CACHE / f"{name}-{digest}"
    if not (folder / "ready").exists():
        print(f"fetching the packages of {pins.name} ...", file=sys.stderr)
        run([sys.executable, "-m", "pip", "--python", python, "install", "--no-deps",
             "--disable-pip-version-check", "--quiet", "--upgrade", "--target", folder,
             "--requirement", pins])
        (folder / "ready").touch()
    return folder


def one_core():
    """From here on this process and its children stay on the last core that they may use."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def machine(folder, cores):
    """Processor, compiler, flags, commit, load: what a figure depends on."""
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")),
                 "unknown processor")
    cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in cache if "=" in line)
    compiler = run([values["CMAKE_CXX_COMPILER:FILEPATH"], "--version"]).splitlines()[0]
    dirty = "+" if run(["git", "status", "--porcelain"]) else ""
    return (f"machine: {model}, {cores} of {os.cpu_count()} cores; {compiler}, "
            f"{values['CMAKE_BUILD_TYPE:STRING']}; "
            f"commit {run(['git', 'rev-parse', '--short', 'HEAD'])}{dirty}; "
            f"load {os.getloadavg()[0]:.1f}")


def table(title, head, rows, folder, cores=1):
    """Prints rows of texts below a head; the first column is flush left."""
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    print(title)
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    print(machine(folder, cores), flush=True)


def median(values):
    return statistics.median(values)


def target(value, least=None, most=None):
    """The cell of a figure's target: whether it holds."""
    if least is None and most is None:
        return ""
    holds = value >= least if most is None else value <= most
    text = f">= {least:,}" if most is None else f"<= {most:,}"
    return f"{text} {'holds' if holds else 'MISSED'}"


class Worker:
    """A bench_task process; see bench/task.cpp."""

    def __init__(self, folder, task, options):
        self.process = subprocess.Popen(
            [folder / "bin/bench_task", folder / "lib/qed/plugins", task, json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *lines):
        try:
            self.process.stdin.writelines(line + "\n" for line in lines)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"bench_task ended, exit code {self.process.wait()}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
