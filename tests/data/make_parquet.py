#!/usr/bin/env python3
"""Makes golden/: parquet files by pyarrow, and their rows as JSON by pyarrow.

  python3 -m venv V && V/bin/pip install pyarrow==26.0.1 numpy==2.4.6 pandas
  V/bin/python tests/data/make_parquet.py [FOLDER]

FOLDER holds other parquet files: of each, only the number of rows, the bytes of JSON and their
FNV-1a hash are kept, in golden/hashes.txt.
"""

import base64
import datetime
import decimal
import json
import math
import pathlib
import sys

import numpy
import pandas
import pyarrow as pa
import pyarrow.parquet as pq

GOLDEN = pathlib.Path(__file__).parent / "golden"


def text(value, kind):
    """A value of pyarrow as JSON without spaces."""
    if value is None:
        return "null"
    if pa.types.is_struct(kind):
        members = (f"{json.dumps(f.name)}:{text(value[f.name], f.type)}" for f in kind)
        return "{" + ",".join(members) + "}"
    if pa.types.is_map(kind):
        pairs = (f"[{text(k, kind.key_type)},{text(v, kind.item_type)}]" for k, v in value)
        return "[" + ",".join(pairs) + "]"
    if isinstance(value, list):
        return "[" + ",".join(text(v, kind.value_type) for v in value) + "]"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "null"
        short = {pa.float16(): numpy.float32, pa.float32(): numpy.float32}.get(kind, float)(value)
        return str(short).replace("e-0", "e-").replace("e+", "e")
    if isinstance(value, bytes):
        return json.dumps(base64.b64encode(value).decode())
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, (datetime.date, datetime.time, pandas.Timestamp)):
        return json.dumps(value.isoformat())
    return json.dumps(value, ensure_ascii=False)


def rows(path):
    table = pq.read_table(path)
    kinds = {f.name: f.type for f in table.schema}
    columns = {n: table.column(n).to_pylist() for n in table.column_names}
    for i in range(table.num_rows):
        yield text({n: c[i] for n, c in columns.items()}, pa.struct(list(table.schema)))


def types():
    day = datetime.datetime(2024, 2, 29, 23, 59, 58)
    utc = datetime.timezone.utc
    columns = {
        "bool": (pa.bool_(), [True, False, None, True]),
        "int8": (pa.int8(), [-128, 127, 0, None]),
        "int16": (pa.int16(), [-32768, 32767, 0, None]),
        "int32": (pa.int32(), [-(2**31), 2**31 - 1, 0, None]),
        "int64": (pa.int64(), [-(2**63), 2**63 - 1, 9007199254740993, None]),
        "uint8": (pa.uint8(), [255, 0, 1, None]),
        "uint16": (pa.uint16(), [65535, 0, 1, None]),
        "uint32": (pa.uint32(), [2**32 - 1, 0, 1, None]),
        "uint64": (pa.uint64(), [2**64 - 1, 0, 1, None]),
        "float16": (pa.float16(), [0.5, 65504.0, -0.0, None]),
        "float32": (pa.float32(), [0.1, 3.4028234663852886e38, float("nan"), None]),
        "float64": (pa.float64(), [0.1, 5e-324, 1e300, float("-inf")]),
        "decimal": (pa.decimal128(9, 3), [decimal.Decimal(x) for x in ("1.250", "-0.001", "0.000")] + [None]),
        "wide decimal": (pa.decimal256(60, 2), [decimal.Decimal(x) for x in ("1" * 50 + ".25", "-7.00")] + [None] * 2),
        "string": (pa.string(), ["", 'a "quoted" \\ word\nline\ttab\r\x00\x1f\x7f', "κόσμε 🙂", None]),
        "large string": (pa.large_string(), ["x" * 300, "", "y", None]),
        "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["red", "blue", "red", None]),
        "binary": (pa.binary(), [b"", b"\x00\xff", b"abc", None]),
        "fixed": (pa.binary(3), [b"abc", b"\xff\xfe\xfd", b"\0\0\0", None]),
        "date": (pa.date32(), [day.date(), datetime.date(1969, 12, 31), datetime.date(1, 1, 1), None]),
        "time ms": (pa.time32("ms"), [datetime.time(12, 30, 5, 250000), datetime.time(0), None, None]),
        "time us": (pa.time64("us"), [datetime.time(12, 30, 5, 1), datetime.time(0), None, None]),
        "stamp ms": (pa.timestamp("ms"), [day, day.replace(microsecond=7000), datetime.datetime(1900, 3, 1), None]),
        "stamp us": (pa.timestamp("us", "UTC"), [day.replace(tzinfo=utc), day.replace(microsecond=1, tzinfo=utc), None, None]),
        "stamp ns": (pa.timestamp("ns"), [1709251198000000001, -1, 0, None]),
        "list": (pa.list_(pa.int64()), [[1, None, 3], [], None, [4]]),
        "lists": (pa.list_(pa.list_(pa.string())), [[["a"], [], None], [], None, [["b", "c"]]]),
        "struct": (pa.struct([("a", pa.int64()), ("b", pa.list_(pa.struct([("c", pa.string())])))]),
                   [{"a": 1, "b": [{"c": "x"}, {"c": None}, None]}, {"a": None, "b": None}, None, {"a": 2, "b": []}]),
        "map": (pa.map_(pa.string(), pa.int64()), [[("k", 1), ("l", None)], [], None, [("m", 2)]]),
        "nothing": (pa.null(), [None] * 4),
        'odd "name"': (pa.int64(), [1, 2, 3, 4]),
    }  # fmt: skip
    table = pa.table({n: pa.array(v, k) for n, (k, v) in columns.items()})
    codecs = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]
    compression = {n: codecs[i % len(codecs)] for i, n in enumerate(columns)}
    pq.write_table(table, GOLDEN / "types.parquet", row_group_size=3, compression=compression)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


GOLDEN.mkdir(exist_ok=True)
types()
(GOLDEN / "types.jsonl").write_text("".join(row + "\n" for row in rows(GOLDEN / "types.parquet")), "utf-8")
if len(sys.argv) > 1:
    lines = []
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.parquet")):
        data = "".join(row + "\n" for row in rows(path)).encode()
        lines.append(f"{path.name} {data.count(10)} {len(data)} {fnv(data):016x}\n")
    (GOLDEN / "hashes.txt").write_text("".join(lines))
