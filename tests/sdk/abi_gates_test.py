"""Every gate of sdk/abi/check fires: on a copy of the header, each forbidden edit fails the gates
that it must fail, and an allowed one passes them all."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["QED_SOURCE_DIR"])
HAS_ABIDIFF = shutil.which("abidiff") is not None

# Name of the edit, what is replaced (a regular expression), by what, and the gates that must fail.
FORBIDDEN = [
    ("member appended", r"\} qed_call;", "  uint64_t extra;\n} qed_call;", "layout types"),
    ("member inserted", r"(  uint64_t seed;)", r"  uint64_t extra;\n\1", "layout types"),
    ("members swapped", r"(  uint64_t seed;.*\n)(  uint64_t deadline_ns;.*\n)", r"\2\1",
     "layout types"),
    ("member renamed", r"uint64_t deadline_ns;", "uint64_t deadline;", "layout"),
    ("type changed", r"uint64_t deadline_ns;", "int64_t deadline_ns;", "layout types"),
    ("signature changed", r"\(\*destroy\)\(void\* self\)", "(*destroy)(void* self, uint32_t why)",
     "layout types"),
    ("entry's signature changed", r"\(\*qed_entry_fn\)\(const qed_host\* host, qed_err\* err\)",
     "(*qed_entry_fn)(const qed_host* host)", "types"),
    ("function removed", r"  void \(\*destroy\).*\n", "", "layout threads types"),
    ("constant renumbered", r"QED_OP_TOP_P 3u", "QED_OP_TOP_P 13u", "constants"),
    ("constant removed", r"#define QED_OP_TOP_P .*\n", "", "constants"),
    ("constant added", r"(#define QED_OP_TOP_P)", r"#define QED_OP_NEW 99u\n\1", "constants"),
    ("tag missing", r"(\(\*destroy\)\(void\* self\);\s*)/\* \[main\] \*/", r"\1", "lint threads"),
    ("two tags", r"(\(\*destroy\).*)\[main\]", r"\1[main] [any]", "lint threads"),
    ("tag changed", r"(\(\*destroy\).*)\[main\]", r"\1[any]", "threads"),
    ("bool", r"uint32_t is_done;", "_Bool is_done;", "lint"),
    ("long", r"uint64_t seed;", "unsigned long seed;", "lint"),
    ("enum", r"typedef struct qed_err \{", "enum qed_e { QED_A };\ntypedef struct qed_err {",
     "lint"),
    ("union", r"uint64_t seed;", "union { uint64_t seed; double x; } u;", "lint"),
    ("bitfield", r"uint32_t is_done;", "uint32_t is_done : 32;", "lint"),
    ("size is not first", r"(  uint32_t size;\n)(  int32_t code;\n)", r"\2\1", "lint layout"),
    ("growable by value", r"qed_err\* err;  ", "qed_err err;   ", "lint"),
    ("growable argument by value", r"const qed_item\* item", "const qed_item item", "lint"),
    ("other include", r"#include <stdint.h>", "#include <stdint.h>\n#include <string.h>", "lint"),
    ("not self-contained", r"#include <stdint.h>\n", "", "compile"),
    ("padding", r"(typedef struct qed_err \{)",
     r"typedef struct qed_pad { uint32_t size; uint64_t x; } qed_pad;\n\1", "compile"),
    ("not C++", r"(typedef struct qed_err \{)", r"extern int restrict_me(char *restrict p);\n\1",
     "compile"),
    ("frozen copy out of date", r"(#define QED_EPOCH 1u) ", r"\1  ", "frozen"),
    ("level without a frozen copy", r"QED_LEVEL 1u", "QED_LEVEL 2u", "frozen"),
    ("member of a new level for all", r"(?s)(QED_LEVEL) 1u(.*)\} qed_call;",
     r"\1 2u\2  uint64_t extra;\n} qed_call;", "layout types"),
]

ALLOWED = (r"(?s)(QED_LEVEL) 1u(.*)\} qed_call;",
           r"\1 2u\2#if QED_TARGET_LEVEL >= 2\n  uint64_t extra;\n#endif\n} qed_call;")


def run(tool: str, work: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([SOURCE / "sdk/abi" / tool, *arguments, "--include", work / "include",
                           "--levels", work / "levels"], capture_output=True, text=True)


def main() -> int:
    failures = []

    def expect(condition: bool, what: str, done: subprocess.CompletedProcess) -> None:
        if not condition:
            failures.append(what)
            print(f"FAILED: {what} (exit {done.returncode})\n{done.stdout}{done.stderr}")

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shutil.copytree(SOURCE / "sdk/include", work / "include")
        (work / "levels").mkdir()
        (work / "levels/released.txt").write_text("0\n")
        header = work / "include/qed/abi.h"
        original = header.read_text()

        done = run("freeze", work)
        expect(done.returncode in (0, 77), "a fresh header is frozen", done)
        done = run("check", work)
        expect(done.returncode in (0, 77), "a fresh header passes", done)

        for name, old, new, gates in FORBIDDEN:
            text, count = re.subn(old, new, original, count=1)
            expect(count == 1 and text != original, f"{name}: the edit fits the header", done)
            header.write_text(text)
            for gate in gates.split():
                if gate == "types" and not HAS_ABIDIFF:
                    continue
                done = run("check", work, gate)
                expect(done.returncode == 1 and f"{gate}: FAILED" in done.stdout,
                       f"{gate} fires: {name}", done)

        header.write_text(re.sub(*ALLOWED, original, count=1))
        done = run("freeze", work)
        expect(done.returncode in (0, 77), "a second level is frozen", done)
        done = run("check", work)
        expect(done.returncode in (0, 77), "what a new level may do passes", done)
        (work / "levels/released.txt").write_text("2\n")
        done = run("freeze", work)
        expect(done.returncode == 2, "a released level is not frozen again", done)

    if not HAS_ABIDIFF:
        print("SKIPPED: the gate `types`; abidiff is not here (package abigail-tools)")
    print(f"{len(FORBIDDEN)} forbidden edits, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
