"""`qed devices` and run.device, with drivers that say what a test wants: see fake_driver.cpp."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import gpu_run

BUILD = pathlib.Path(os.environ["QED_BINARY_DIR"])
SOURCE = pathlib.Path(os.environ["QED_SOURCE_DIR"])
QED = os.environ["QED_BIN"]
LIBRARY = BUILD / "lib" / "libqed_cuda.so"
OR_CPU = 'or write run.device = "cpu"'
H200 = "NVIDIA H200:9:0:150754820096"


def qed(*arguments, **fake):
    """Runs qed where the driver is the fake one: version=13000, init=0, gpus="NAME:9:0:BYTES"."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("QED_")}
    environment["LD_LIBRARY_PATH"] = str(BUILD / "tests/cuda/fake")
    environment |= {f"FAKE_CUDA_{key.upper()}": str(value) for key, value in fake.items()}
    return subprocess.run([QED, *map(str, arguments)], cwd=SOURCE, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def devices(**fake):
    done = qed("devices", "--json", **fake)
    assert (done.stderr, done.returncode) == ("", 0), done
    return json.loads(done.stdout)


# No GPU: the driver's reason, and the CPU as always.
found = devices(init=100)
assert found["cpu"]["cores"] >= 1 and found["cpu"]["available_memory_bytes"] > 0, found
assert found["gpus"] == [] and found["library"] is None and found["auto"] == "cpu", found
assert found["driver"]["cuda"] == "13.0", found
assert found["problem"] == {
    "error": "the NVIDIA driver sees no GPU",
    "hint": f"check CUDA_VISIBLE_DEVICES, and what the container was given, {OR_CPU}"}, found

text = qed("devices", init=100).stdout.splitlines()
assert text[0].startswith("cpu      ") and "of memory available" in text[0], text
assert text[1:4] == ["cuda     none", "         the NVIDIA driver sees no GPU",
                     "         hint: check CUDA_VISIBLE_DEVICES, and what the container was given, "
                     + OR_CPU], text
assert text[-1] == 'run.device = "auto" takes cpu; write "cuda" to run on a GPU.', text

# A driver that is too old is asked for its GPUs all the same.
found = devices(version=12040, gpus=H200)
assert found["gpus"][0]["name"] == "NVIDIA H200", found
assert found["gpus"][0]["architecture"] == "sm_90", found
assert found["gpus"][0]["memory_bytes"] == 150754820096, found
assert found["gpus"][0]["problem"] == found["problem"], found
assert "too old" in found["problem"]["error"], found
text = qed("devices", version=12040, gpus=H200).stdout
assert "cuda:0   NVIDIA H200, sm_90, 140 GiB of memory\n" in text and "CUDA 12.4\n" in text, text
assert "too old" in text, text

# A GPU, and the library of this build or none.
found = devices(gpus=H200)
if LIBRARY.exists():
    assert found["problem"] is None and found["gpus"][0]["problem"] is None, found
    assert found["library"]["cuda"] == "13.0", found
    assert "sm_90a" in found["library"]["architectures"], found
    assert "for sm_" in qed("devices", gpus=H200).stdout
    found = devices(gpus="Tesla T4:7:5:1")
    assert found["problem"]["error"].startswith("Tesla T4 is sm_75, and libqed_cuda.so is"), found
else:
    assert found["problem"] == {
        "error": f"this build of qed has no GPU half: {LIBRARY} is missing",
        "hint": f"configure the build with -DQED_CUDA=ON, {OR_CPU}"}, found

# A run that wants a GPU says why it cannot have one, before it does anything else.
RUN = ["train", "configs/quickstart.toml", "--set", "run.device=cuda"]
with tempfile.TemporaryDirectory(prefix="qed-devices-test-") as temporary:
    folder = pathlib.Path(temporary) / "run"
    cases = [(dict(init=100), "the NVIDIA driver sees no GPU"),
             (dict(version=12040, gpus=H200),
              "the NVIDIA driver is too old: it serves CUDA 12.4, and qed needs 13.0")]
    if not LIBRARY.exists():
        cases.append((dict(gpus=H200), f"this build of qed has no GPU half: {LIBRARY} is missing"))
    for fake, message in cases:
        done = qed(*RUN, "--run", folder, **fake)
        assert done.stderr.startswith(f"error: {message}\n"), done.stderr
        assert 'write run.device = "cpu"' in done.stderr, done.stderr
        assert (done.stdout, done.returncode) == ("", 2), done
        assert not folder.exists()

# The GPU that this CPU plays is one like any other.
with tempfile.TemporaryDirectory(prefix="qed-devices-test-") as temporary:
    environment = gpu_run.fake_gpu(pathlib.Path(temporary) / "gpu", gpu_bytes=5 << 30)
    done = subprocess.run([environment["QED_BIN"], "devices", "--json"], env=os.environ | environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)
    assert (done.stderr, done.returncode, found["problem"]) == ("", 0, None), done
    assert [gpu["memory_bytes"] for gpu in found["gpus"]] == [5 << 30], found
    assert found["library"]["file"] == f"{temporary}/gpu/lib/libqed_cuda.so", found

sys.exit(0)
