"""math_verify_suite.py CASES: Math-Verify on the pairs of a case file; prints the microseconds of
each verdict, sorted, as JSON. A pair is timed once, since Math-Verify remembers what it parsed.
"""

import json
import logging
import sys
import time

from math_verify import parse, verify


def main():
    logging.disable(logging.CRITICAL)  # what it cannot parse
    verify(parse("$x+1$"), parse("$1+x$"))  # loads its grammar
    times = []
    with open(sys.argv[1], encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        if not isinstance(row["gold"], str) or not isinstance(row["pred"], str):
            continue
        begin = time.process_time()
        verify(parse(row["gold"]), parse(row["pred"]))
        times.append(1e6 * (time.process_time() - begin))
    print(json.dumps(sorted(times)))


if __name__ == "__main__":
    main()
