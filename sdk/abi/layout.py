"""Layout and types of the ABI's structs, read from DWARF: the asserts of one level."""

import re
import subprocess
import tempfile

from header import Header, compiler

PREAMBLE = """\
/* Layout of ABI level {level} on 64-bit little-endian machines: sizes, places and types. Written
   from DWARF by sdk/abi/freeze; not to be edited. */

#include "qed/abi.h"

#ifdef __cplusplus
#include <type_traits>
#define QED_ASSERT static_assert
#define QED_IS(S, member, ...) std::is_same<decltype(S::member), __VA_ARGS__>::value
#else
#define QED_ASSERT _Static_assert
#define QED_IS(S, member, ...) \\
  _Generic(&((S*)0)->member, __typeof__(__VA_ARGS__)*: 1, default: 0)
#endif
#define QED_AT(S, member, place, ...)                                        \\
  QED_ASSERT(offsetof(S, member) == (place) && QED_IS(S, member, __VA_ARGS__), \\
             #S "." #member " has moved, or its type has changed")

"""


def anchor(header: Header) -> str:
    """A source whose one exported function mentions every struct of the header."""
    names = [s.name for s in header.structs]
    pointers = ",\n    ".join(f"{name}* p{i}" for i, name in enumerate(names))
    unused = "\n".join(f"  (void)p{i};" for i in range(len(names)))
    return (f'#include "qed/abi.h"\n\nQED_EXPORT void qed_anchor(\n    {pointers},\n'
            f"    qed_entry_fn entry);\n"
            f"void qed_anchor(\n    {pointers},\n    qed_entry_fn entry) {{\n"
            f"{unused}\n  (void)entry;\n}}\n")


def build_anchor(header: Header, out: str) -> None:
    """Compiles the anchor into a shared library with debug information. Paths are relative."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write(anchor(header))
        source.flush()
        subprocess.run(
            [compiler(), "-std=c11", "-g", "-gdwarf-4", "-O0", "-fPIC", "-shared",
             "-fvisibility=hidden", f"-DQED_TARGET_LEVEL={header.target}u",
             "-I.", f"-fdebug-prefix-map={source.name}=anchor.c",
             f"-ffile-prefix-map={header.include}=.", source.name, "-o", out],
            check=True, cwd=header.include)


class Die:
    def __init__(self, tag: str):
        self.tag, self.at, self.children = tag, {}, []


def read_dwarf(library: str) -> dict[int, Die]:
    text = subprocess.run(["readelf", "--wide", "--debug-dump=info", library],
                          check=True, capture_output=True, text=True).stdout
    dies, parents = {}, {}
    die = None
    for line in text.splitlines():
        entry = re.match(r"\s*<(\w+)><(\w+)>: Abbrev Number: \d+ \((\w+)\)", line)
        value = re.match(r"\s*<\w+>\s+(DW_AT_\w+)\s*: (.*)", line)
        if entry:
            depth = int(entry[1], 16)
            die = dies[int(entry[2], 16)] = Die(entry[3][len("DW_TAG_"):])
            parents[depth] = die
            if depth > 0:
                parents[depth - 1].children.append(die)
        elif re.match(r"\s*<\w+><\w+>: Abbrev Number: 0", line):
            die = None
        elif value and die is not None:
            # Before the value stand, depending on readelf's age, its form and a string's place.
            die.at[value[1][len("DW_AT_"):]] = re.sub(r"^(\([^)]*\):? )+", "", value[2].strip())
    return dies


class Types:
    """C's notation for the types of DWARF."""

    def __init__(self, dies: dict[int, Die]):
        self.dies = dies

    def target(self, die: Die) -> Die | None:
        ref = die.at.get("type")
        return None if ref is None else self.dies[int(re.match(r"<0x(\w+)>", ref)[1], 16)]

    def text(self, die: Die | None, inner: str = "") -> str:
        if die is None:
            return f"void {inner}".strip()
        of = self.target(die)
        if die.tag in ("base_type", "typedef"):
            return f"{die.at['name']} {inner}".strip()
        if die.tag == "structure_type":
            return f"struct {die.at['name']} {inner}".strip()
        if die.tag == "pointer_type":
            is_wrapped = of is not None and of.tag in ("subroutine_type", "array_type")
            return self.text(of, f"(*{inner})" if is_wrapped else f"*{inner}")
        if die.tag in ("const_type", "volatile_type"):
            word = die.tag[:-len("_type")]
            if of is not None and of.tag == "pointer_type":
                return self.text(of, f"{word} {inner}".rstrip())
            return f"{word} {self.text(of, inner)}"
        if die.tag == "array_type":
            size = int(die.children[0].at["upper_bound"]) + 1
            return self.text(of, f"{inner}[{size}]")
        if die.tag == "subroutine_type":
            parameters = [self.text(self.target(c)) for c in die.children]
            return self.text(of, f"{inner}({', '.join(parameters) or 'void'})")
        raise ValueError(die.tag)


def asserts(header: Header) -> str:
    with tempfile.NamedTemporaryFile(suffix=".so") as library:
        build_anchor(header, library.name)
        dies = read_dwarf(library.name)
    types = Types(dies)
    structs = {d.at["name"]: d for d in dies.values()
               if d.tag == "structure_type" and "byte_size" in d.at}
    out = PREAMBLE.format(level=header.target)
    for name in [s.name for s in header.structs]:
        die = structs[name]
        size = int(die.at["byte_size"], 0)
        out += f'QED_ASSERT(sizeof({name}) == {size}, "{name} has another size");\n'
        for member in die.children:
            place = int(member.at["data_member_location"], 0)
            kind = types.text(types.target(member))
            out += f"QED_AT({name}, {member.at['name']}, {place}, {kind});\n"
        out += "\n"
    return out
