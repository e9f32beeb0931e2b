#!/usr/bin/env python3
"""Compare answers with a reference case.   python check.py CASE_DIR ANSWERS.json
ANSWERS.json: {"name of expected quantity": value, ...}. Quantities not answered are listed as missing.
Exit 0 only if all pass.
{"refused": "reason"} passes where the case says refusal_accepted."""

import json
import math
import pathlib
import sys


def close(x, e):
    v = e["value"]
    rt, at = e.get("rel_tol", 0.0), e.get("abs_tol", 0.0)
    if isinstance(v, list):
        return (
            isinstance(x, list)
            and len(x) == len(v)
            and all(close(a, dict(e, value=b)) for a, b in zip(x, v, strict=True))
        )
    if v is None or isinstance(v, (str, bool)):
        return x is v or x == v
    return (
        isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) and abs(x - v) <= at + rt * abs(v)
    )


def check(case_dir, answers):
    d = json.loads((pathlib.Path(case_dir) / "expected.json").read_text())
    res: dict = {"pass": [], "fail": [], "missing": []}
    if d.get("refusal_accepted") and answers.get("refused"):
        return {"pass": ["refused"], "fail": [], "missing": []}
    for e in d["expected"]:
        k = e["name"]
        res["missing" if k not in answers else "pass" if close(answers[k], e) else "fail"].append(k)
    return res


if __name__ == "__main__":
    r = check(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()))
    print(json.dumps(r, indent=1))
    sys.exit(0 if not r["fail"] and not r["missing"] else 1)
