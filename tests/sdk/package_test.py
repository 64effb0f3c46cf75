"""The SDK as others get it: installs the build into a fresh folder, moves that folder, writes one
plugin of each kind with `qed plugin new`, builds them out of the tree and uses them.

    package_test.py             as a newcomer does it: plain cmake, the default compiler
    package_test.py --matrix    g++ and clang++, -O0 and -O3, dynamic and static libstdc++; and a
                                plugin that throws inside every function
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ["QED_BINARY_DIR"])
HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("task", "reward", "algorithm", "sampler")
PROBE = BUILD / "tests/bin/qed_package_probe"
# Nothing of qed, LibTorch or a package prefix comes in from outside.
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if not k.startswith(("QED_", "CMAKE_", "LD_", "Torch"))}


def run(*command, cwd=None, stdin=None, code=0) -> str:
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=ENVIRONMENT, text=True,
                          input=stdin, capture_output=True)
    if done.returncode != code:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\nexit {done.returncode}, not {code}\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def install(work: pathlib.Path) -> pathlib.Path:
    """A prefix with the program and the SDK, without the engine, at another place than it was
    installed to. Returns the program."""
    run("cmake", "--install", BUILD, "--prefix", work / "first")
    (work / "first").rename(work / "prefix")
    (work / "prefix/lib/libqed_engine.so").unlink(missing_ok=True)
    for file in (work / "prefix").rglob("*"):
        if file.suffix in (".cmake", ".h") and str(BUILD) in file.read_text():
            sys.exit(f"FAILED: {file} names the folder {BUILD}")
    qed = work / "prefix/bin/qed"
    libraries = run("ldd", qed)
    if "torch" in libraries:
        sys.exit(f"FAILED: the program needs LibTorch\n{libraries}")
    return qed


def generate(qed: pathlib.Path, work: pathlib.Path) -> None:
    for kind in KINDS:
        print(run(qed, "plugin", "new", kind, f"my_{kind}", cwd=work))
        run(qed, "plugin", "new", kind, f"my_{kind}", cwd=work, code=2)  # never twice
        source = (work / f"my_{kind}/my_{kind}.cpp").read_text()
        lines = source.count("\n")
        if lines > 60 or "laceholder" in source:
            sys.exit(f"FAILED: my_{kind}.cpp has {lines} lines, or a placeholder is left")


def use(qed: pathlib.Path, kind: str, folder: pathlib.Path, work: pathlib.Path) -> None:
    """Loads the plugin my_KIND from `folder` in every way that there is."""
    name = f"my_{kind}"
    shown = run(qed, "plugins", name, "--plugin-dir", folder)
    if name not in shown:
        sys.exit(f"FAILED: qed plugins {name} says\n{shown}")
    run(PROBE, folder / f"{name}.so")
    if kind == "task":
        rows = (work / name / "golden/rows.jsonl").read_text()
        scored = run(qed, "verify", name, "--plugin-dir", folder, stdin=rows)
        wanted = [json.loads(row)["reward"] for row in rows.splitlines()]
        found = [json.loads(row)["reward"] for row in scored.splitlines() if row.startswith("{")]
        if found != wanted:
            sys.exit(f"FAILED: qed verify gives {found}, not {wanted}\n{scored}")


def as_a_newcomer(qed: pathlib.Path, work: pathlib.Path) -> None:
    for kind in KINDS:
        folder = work / f"my_{kind}"
        run("cmake", "-B", "build", cwd=folder)
        run("cmake", "--build", "build", cwd=folder)
        print(run("ctest", "--test-dir", "build", "--output-on-failure", "--no-tests=error",
                  cwd=folder))  # the test that qed_add_plugin adds: qed plugin check
        use(qed, kind, folder / "build", work)


def matrix(qed: pathlib.Path, work: pathlib.Path) -> None:
    """All plugins and the throwing one in one project, once per compiler and setting."""
    (work / "throws").mkdir()
    shutil.copy(HERE / "package_throws.cpp", work / "throws/throws.cpp")
    folders = "\n".join(f"add_subdirectory(my_{kind})" for kind in KINDS)
    (work / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.22)
project(all LANGUAGES CXX)
find_package(qed-sdk CONFIG REQUIRED)
{folders}
qed_add_plugin(throws SOURCES throws/throws.cpp)
qed_add_plugin(refuses SOURCES throws/throws.cpp)
target_compile_definitions(refuses PRIVATE THROW_IN_ENTRY)
""")
    compilers = ["g++"] + [c for c in ("clang++", "clang++-14") if shutil.which(c)][:1]
    if len(compilers) == 1:
        print("SKIPPED: clang++ is not here; only g++ was tried")
    for compiler in compilers:
        for optimise in ("-O0", "-O3"):
            for runtime in ("", "-static-libstdc++"):
                build = work / f"build {compiler}{optimise}{runtime}"
                run("cmake", "-S", work, "-B", build, f"-DCMAKE_CXX_COMPILER={compiler}",
                    "-DCMAKE_BUILD_TYPE=Plain", f"-DCMAKE_CXX_FLAGS={optimise} -Wall -Wextra",
                    f"-DCMAKE_MODULE_LINKER_FLAGS={runtime}",
                    f"-DCMAKE_PREFIX_PATH={qed.parent.parent}")
                run("cmake", "--build", build)
                for kind in KINDS:
                    use(qed, kind, build / f"my_{kind}", work)
                    run(qed, "plugin", "check", build / f"my_{kind}/my_{kind}.so")
                print(compiler, optimise, runtime, run(PROBE, build / "throws.so", "--throws"))
                run(qed, "plugins", "throws", "--plugin-dir", build)
                refusal = run(qed, "plugins", "refuses", "--plugin-dir", build, code=3)
                if "thrown on purpose" not in refusal:
                    sys.exit(f"FAILED: the refusal does not say why\n{refusal}")
                # A qed::Error says that what the user gave is wrong.
                items = run(qed, "items", "throws", "--plugin-dir", build, code=2)
                if "thrown on purpose" not in items:
                    sys.exit(f"FAILED: qed items does not say why\n{items}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        qed = install(work)
        generate(qed, work)
        if "--matrix" in sys.argv[1:]:
            matrix(qed, work)
        else:
            as_a_newcomer(qed, work)
    print("passed")


if __name__ == "__main__":
    main()
