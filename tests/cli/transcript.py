"""Runs the commands of a transcript and compares what they print and return.

    transcript.py FILE.txt [--update]

A transcript has lines of these forms, in this order per command:

    # comment
    file NAME          writes NAME into the working folder; its lines follow
    | text
    |- text            the same, without a newline at its end
    $ qed ARGUMENTS    runs the program, `< NAME` at the end is its input; $BUILD and $SOURCE stand for
                       folders
    out| line of stdout
    err| line of stderr
    exit CODE

The working folder is fresh and holds a link `configs` to the real ones. Paths that vary are printed
as $BUILD, $SOURCE and $CWD. --update writes what the program does now into the file.
"""

import difflib
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile


def run_transcript(text: str, cwd: pathlib.Path) -> str:
    """Returns the transcript as it is now."""
    folders = {
        "$BUILD": os.environ["QED_BINARY_DIR"],
        "$SOURCE": os.environ["QED_SOURCE_DIR"],
        "$CWD": str(cwd),
    }

    def expand(line: str) -> str:
        for name, folder in folders.items():
            line = line.replace(name, folder)
        return line

    def normalise(line: str) -> str:
        for name, folder in sorted(folders.items(), key=lambda pair: -len(pair[1])):
            line = line.replace(folder, name)
        return line

    environment = {key: value for key, value in os.environ.items() if not key.startswith("QED_")}
    lines, file = [], None
    for line in text.splitlines():
        if line.startswith(("out|", "err|", "exit ")):
            continue
        lines.append(line)
        if line.startswith("file "):
            file = cwd / line[len("file "):]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        elif line.startswith("|"):
            with file.open("a") as out:
                end = "" if line.startswith("|- ") else "\n"
                out.write(expand(line.removeprefix("|-").removeprefix("|")[1:]) + end)
        elif line.startswith("$ "):
            command = shlex.split(expand(line[2:]))
            assert command[0] == "qed", line
            source = os.devnull
            if "<" in command:
                *command, _, name = command
                source = cwd / name
            with open(source) as stdin:
                done = subprocess.run(
                    [os.environ["QED_BIN"], *command[1:]], cwd=cwd, env=environment,
                    stdin=stdin, capture_output=True, text=True, timeout=60)
            for prefix, output in (("out|", done.stdout), ("err|", done.stderr)):
                lines += [f"{prefix} {normalise(part)}".rstrip() for part in output.splitlines()]
            lines.append(f"exit {done.returncode}")
    return "\n".join(lines) + "\n"


def main() -> int:
    path = pathlib.Path(sys.argv[1])
    expected = path.read_text()
    with tempfile.TemporaryDirectory() as folder:
        cwd = pathlib.Path(folder).resolve()
        (cwd / "configs").symlink_to(pathlib.Path(os.environ["QED_SOURCE_DIR"]) / "configs")
        actual = run_transcript(expected, cwd)
    if "--update" in sys.argv[2:]:
        path.write_text(actual)
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        expected.splitlines(True), actual.splitlines(True), str(path), "what qed does now"))
    return 0 if actual == expected else 1


if __name__ == "__main__":
    sys.exit(main())
