"""A qed that sees one GPU, played by this CPU: see fake_driver.cpp and host_gpu/library.cpp."""

import os
import pathlib
import shutil

BUILD = pathlib.Path(os.environ["QED_BINARY_DIR"])
FAKES = BUILD / "tests" / "cuda" / "fake"


def fake_gpu(folder, gpu_bytes=1 << 30, report=False, reverse=False):
    """Makes the folder, where the program lies beside the GPU half that this CPU plays. Returns what
    to add to the environment, `os.environ |= fake_gpu(...)`: QED_BIN is that program. `report`: at
    its end it says on stderr how much memory of the GPU it used, and what it never released.
    `reverse`: of the threads of a kernel the last one runs first, which must not change a bit."""
    folder = pathlib.Path(folder)
    (folder / "bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    program = folder / "bin" / "qed"  # no symbolic link: its libraries are beside the file itself
    try:
        os.link(os.environ["QED_BIN"], program)
    except OSError:
        shutil.copy2(os.environ["QED_BIN"], program)
    libraries = [path for path in (BUILD / "lib").iterdir() if path.name != "libqed_cuda.so"]
    for path in [*libraries, FAKES / "libqed_cuda.so"]:
        (folder / "lib" / path.name).symlink_to(path)
    search = [str(FAKES), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {"QED_BIN": str(program),
            "LD_LIBRARY_PATH": ":".join(search),
            "FAKE_CUDA_GPUS": f"NVIDIA H100:9:0:{gpu_bytes}",
            "FAKE_GPU_BYTES": str(gpu_bytes),
            "FAKE_GPU_ORDER": "reverse" if reverse else "",
            "FAKE_GPU_REPORT": "1" if report else ""}
