#!/usr/bin/env python3
"""Writes sdk/include/qed/unicode_tables.h: the properties of characters behind qed/unicode.h.

    scripts/unicode_tables.py > sdk/include/qed/unicode_tables.h

The tables are those of the Python that runs this; the rules that qed reproduces ran on Python 3.11,
which has Unicode 14.
"""

import sys
import unicodedata

END = sys.maxunicode + 1


def ranges(codes):
    """[first, last] of every run of consecutive codes."""
    out = []
    for code in codes:
        if out and out[-1][1] == code - 1:
            out[-1][1] = code
        else:
            out.append([code, code])
    return out


def lower_runs():
    """[first, last, step, delta]: adding delta makes first, first + step, ... last lower case."""
    pairs = [(c, ord(chr(c).lower())) for c in range(128, END)
             if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
    out = []
    for code, low in pairs:
        delta = low - code
        if out and out[-1][3] == delta:
            first, last, step, _ = out[-1]
            gap = code - last
            if gap <= 2 and (first == last or gap == step):
                out[-1][1], out[-1][2] = code, gap
                continue
        out.append([code, code, 1, delta])
    return out


def table(kind, name, comment, rows):
    cells = ["{" + ", ".join(cell(i, v) for i, v in enumerate(row)) + "}" if isinstance(row, list)
             else f"0x{row:X}" for row in rows]
    print(f"\n// {comment}\ninline constexpr {kind} {name}[] = {{")
    line = "   "
    for c in cells:
        if len(line) + len(c) + 2 > 100:
            print(line)
            line = "   "
        line += f" {c},"
    print(line.rstrip(",") + "};")


def cell(column, value):
    return f"0x{value:X}" if column < 2 else str(value)


def main():
    decimals = [c for c in range(128, END) if unicodedata.decimal(chr(c), None) == 0]
    for zero in decimals:
        assert [unicodedata.decimal(chr(zero + i)) for i in range(10)] == list(range(10))
    assert sum(chr(c).isdecimal() for c in range(128, END)) == 10 * len(decimals)
    digits = [c for c in range(128, END) if chr(c).isdigit() and not chr(c).isdecimal()]
    assert [c for c in range(END) if len(chr(c).lower()) != 1] == [0x130]

    print(f"""#pragma once

// Properties of characters, ASCII left out: Unicode {unicodedata.unidata_version}.
// Made by scripts/unicode_tables.py: do not edit.
// clang-format off

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace qed {{
inline namespace sdk_1 {{
namespace unicode {{

struct Range {{
  char32_t first, last;
}};
struct LowerRun {{
  char32_t first, last;
  std::int32_t step, delta;
}};""")
    table("char32_t", "kZeros", "The zero of every script: the digits 1 to 9 follow it.", decimals)
    table("Range", "kOtherDigits", "Digits that are no decimals: superscripts, circled digits ...",
          ranges(digits))
    table("LowerRun", "kLower", "Adding delta makes first, first + step, ... last lower case.",
          lower_runs())
    print("""
}  // namespace unicode
}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop""")


if __name__ == "__main__":
    main()
