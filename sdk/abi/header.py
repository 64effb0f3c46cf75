"""The C header qed/abi.h as text: its structs, its function pointers with their thread tags, and
the rules that each must obey."""

import re
import subprocess

TAGS = ("[main]", "[any]", "[handle]", "[caller]")
INCLUDES = {"stddef.h", "stdint.h"}
# Types whose size or shape depends on the compiler, or that cannot grow.
FORBIDDEN = r"\b(bool|_Bool|int|unsigned|signed|short|long|enum|union|size_t|wchar_t|va_list)\b"


def compiler() -> str:
    return "cc"


class Header:
    """One level's view of the header: what a plugin with -DQED_TARGET_LEVEL=level sees."""

    def __init__(self, include: str, level: int | None = None):
        self.include = include
        self.path = f"{include}/qed/abi.h"
        self.macros = {}
        target = [] if level is None else [f"-DQED_TARGET_LEVEL={level}u"]
        for line in self._preprocess(*target, "-dM").splitlines():
            name, _, value = line[len("#define "):].partition(" ")
            if name.startswith("QED_") and name not in ("QED_ABI_H_", "QED_TARGET_LEVEL"):
                self.macros[name] = value
        self.level = int(re.sub(r"\D", "", self.macros["QED_LEVEL"]))
        self.target = level or self.level
        self.text = self._own_lines(self._preprocess(*target, "-C"))
        # The same text with blanks for comments, and where the comments are.
        self.comments = [m.span() for m in re.finditer(r"/\*.*?\*/|//[^\n]*", self.text, re.S)]
        code = self.text
        for begin, end in self.comments:
            code = code[:begin] + re.sub(r"[^\n]", " ", code[begin:end]) + code[end:]
        self.code = code
        self.structs = list(self._find_structs())

    def _preprocess(self, *flags: str) -> str:
        return subprocess.run(
            [compiler(), "-E", "-x", "c", "-std=c11", *flags, self.path],
            check=True, capture_output=True, text=True).stdout

    def _own_lines(self, text: str) -> str:
        """The lines of the header itself, each at its own number."""
        own, is_own, number = {}, False, 0
        for line in text.splitlines():
            marker = re.match(r'# (\d+) "(.*?)"', line)
            if marker:
                number, is_own = int(marker[1]), marker[2] == self.path
                continue
            if is_own:
                own[number] = line
            number += 1
        return "\n".join(own.get(i, "") for i in range(1, max(own) + 1)) + "\n"

    def line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def comment_before(self, at: int) -> str:
        """The comment that stands alone right before the declaration at `at`."""
        for begin, end in reversed(self.comments):
            if end <= at:
                own_line = self.code[self.code.rfind("\n", 0, begin) + 1:begin]
                is_alone = not own_line.strip() and not self.code[end:at].strip()
                return self.text[begin:end] if is_alone else ""
        return ""

    def _find_structs(self):
        for m in re.finditer(r"\btypedef\s+struct\s+(\w+)\s*\{", self.code):
            end = closing(self.code, m.end() - 1, "{", "}")
            yield Struct(self, m[1], m.start(), self.code[m.end():end])

    def function_pointers(self):
        """(name, tags, line) of every function pointer; members are called struct.member."""
        for m in re.finditer(r"\(\s*\*\s*(?:const\s+)?(\w+)\s*\)\s*\(", self.code):
            end = closing(self.code, m.end() - 1, "(", ")") + 1
            stop = re.compile(r"[;,)]").search(self.code, end).end()
            line_end = self.code.find("\n", stop)
            following = re.compile(r"\S").search(self.code, stop)
            after = min(line_end, following.start() if following else line_end)
            around = "".join(
                self.text[b:e] for b, e in self.comments if end <= b < max(stop, after))
            begin = max(self.code.rfind(c, 0, m.start()) for c in ";{,") + 1
            begin += len(self.code[begin:]) - len(self.code[begin:].lstrip())
            around += self.comment_before(begin)
            owner = next((s.name + "." for s in self.structs if s.begin < m.start() < s.end), "")
            yield owner + m[1], [tag for tag in TAGS for _ in range(around.count(tag))], \
                self.line(m.start())

    def threads(self) -> str:
        """One line per function pointer, with its tag."""
        return "".join(f"{name} {' '.join(tags)}\n" for name, tags, _ in self.function_pointers())

    def constants(self) -> str:
        return "".join(f"{name} {value}\n" for name, value in sorted(self.macros.items())
                       if name != "QED_LEVEL")


class Struct:
    def __init__(self, header: Header, name: str, begin: int, body: str):
        self.name, self.begin, self.end = name, begin, begin + len(body)
        self.members = [" ".join(m.split()) for m in split_members(body)]
        doc = header.comment_before(begin)
        section = header.text[:begin].rfind("/* ----")
        self.is_frozen = "FROZEN" in doc or (
            section >= 0 and header.text.startswith("/* ---- FROZEN", section))
        self.is_growable = not self.is_frozen


def closing(text: str, at: int, opening: str, close: str) -> int:
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == opening) - (text[i] == close)
        if depth == 0:
            return i
    raise ValueError(f"unbalanced {opening}")


def split_members(body: str):
    depth, begin = 0, 0
    for i, c in enumerate(body):
        depth += (c in "({") - (c in ")}")
        if c == ";" and depth == 0:
            yield body[begin:i]
            begin = i + 1


def problems(header: Header):
    """What the lint has to say, as `line: sentence`."""
    with open(header.path) as file:
        for name in re.findall(r'^\s*#\s*include\s*[<"](.*?)[>"]', file.read(), re.M):
            if name not in INCLUDES:
                yield f"includes {name}; only {' and '.join(sorted(INCLUDES))} may be"
    for m in re.finditer(FORBIDDEN, header.code):
        yield f"line {header.line(m.start())}: `{m[0]}`; use a type of fixed size"
    for name, tags, line in header.function_pointers():
        if len(tags) != 1:
            found = " and ".join(tags) if tags else "none"
            yield f"line {line}: {name} needs exactly one thread tag, it has {found}"
    growable = {s.name for s in header.structs if s.is_growable}
    for struct in header.structs:
        where = f"line {header.line(struct.begin)}: {struct.name}"
        first = struct.members[0] if struct.members else ""
        if struct.is_growable and first not in ("uint32_t size", "qed_object object"):
            yield f"{where} must begin with `uint32_t size`, or its comment must say FROZEN"
        for member in struct.members:
            if re.search(r":\s*\d+$", member):
                yield f"{where} has the bitfield `{member}`"
    for name in growable:
        for m in re.finditer(rf"\b{name}\b(?!\s*(?:const\s*)*\*)", header.code):
            before = header.code[:m.start()].split()[-2:]
            is_name = before[-2:] == ["typedef", "struct"] or before[-1:] == ["}"]
            if not is_name:
                yield f"line {header.line(m.start())}: growable {name} must be behind a pointer"
