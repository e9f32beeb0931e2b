"""Answer reference cases through the estimators and compare: `python tests/reference/run.py DIR [--json]`."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from projections.mathematics.answers import NoAnswer
from tests.reference.reading import Answers, Case
from tests.reference.tasks import alarms, chain, limits, lives, models, studies

TASKS: dict[str, Callable[[Case], Answers]] = {
    "accelerated_life": lives.accelerated_life,
    "capability": limits.capability_task,
    "cusum": alarms.cusum,
    "deming": chain.deming_task,
    "difference_in_differences": studies.did,
    "e_values": alarms.e_values,
    "estimability": models.estimability,
    "ewma": alarms.ewma,
    "gauge_rr": studies.gauge_rr,
    "group_sequential": alarms.group_sequential,
    "guard_band": limits.guard_task,
    "interrupted_series": studies.interrupted,
    "interrupted_series_poisson": studies.interrupted_poisson,
    "inversion_regression": chain.inversion,
    "joint_limits": chain.joint_task,
    "least_squares": models.least_squares_task,
    "linear_gaussian_chain": chain.chain,
    "mixed_model": models.mixed_model,
    "moment_corrected": chain.moment,
    "multiple_tests": alarms.multiple_tests,
    "normal_inverse_gamma": chain.normal_inverse_gamma,
    "one_way_anova": models.one_way_anova,
    "online_fdr": alarms.online_fdr,
    "run_length": alarms.run_length,
    "tolerance_factor_one_sided": limits.one_sided,
    "tolerance_factor_two_sided": limits.two_sided,
    "tolerance_with_lots": limits.with_lots,
    "univariate": models.univariate,
    "weibull": lives.weibull_task,
    "weibull_lots": lives.lots_task,
    "weibull_zero_failures": lives.zero_failures,
    "york": chain.york_task,
}


def close(answer: Any, expected: dict[str, Any]) -> bool:
    """The pass rule of the cases: |x - value| <= abs_tol + rel_tol |value|, lists element by element, else equality."""
    value = expected["value"]
    if isinstance(value, list):
        if not isinstance(answer, list) or len(answer) != len(value):
            return False
        return all(close(a, {**expected, "value": v}) for a, v in zip(answer, value, strict=True))
    if value is None or isinstance(value, str | bool):
        return bool(answer is value or answer == value)
    if not isinstance(answer, int | float) or isinstance(answer, bool) or not math.isfinite(answer):
        return False
    allowed = expected.get("abs_tol", 0.0) + expected.get("rel_tol", 0.0) * abs(value)
    return bool(abs(answer - value) <= allowed)


def answer(folder: Path) -> Answers:
    """All that the task of a case can answer, or its refusal."""
    case = Case.read(folder)
    try:
        return TASKS[case.task](case)
    except NoAnswer as refusal:
        return {"refused": f"{refusal.code}: {refusal.detail}"}


def compare(folder: Path) -> dict[str, list[str]]:
    """Names that pass, fail and are missing."""
    spec = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    answers = answer(folder)
    result: dict[str, list[str]] = {"pass": [], "fail": [], "missing": []}
    if spec.get("refusal_accepted") and answers.get("refused"):
        return {**result, "pass": ["refused"]}
    for expected in spec["expected"]:
        name = expected["name"]
        verdict = "missing" if name not in answers else "pass" if close(answers[name], expected) else "fail"
        result[verdict].append(name)
    return result


def main(arguments: list[str]) -> int:
    """Exit code 0 only when nothing fails or is missing."""
    folders = [argument for argument in arguments if not argument.startswith("-")]
    if len(folders) != 1 or not Path(folders[0]).is_dir():
        print("usage: run.py DIR [--json]   (DIR holds folders with an expected.json)", file=sys.stderr)
        return 2
    found = sorted(path.parent for path in Path(folders[0]).rglob("expected.json"))
    cases = {folder.name: compare(folder) for folder in found}
    totals = {key: sum(len(case[key]) for case in cases.values()) for key in ("pass", "fail", "missing")}
    whole = sum(not case["fail"] and not case["missing"] for case in cases.values())
    totals |= {"cases": len(cases), "cases_passed": whole}
    if "--json" in arguments:
        print(json.dumps({"cases": cases, "totals": totals}, indent=1))
    else:
        for name, case in cases.items():
            bad = [f"{key}: {', '.join(case[key])}" for key in ("fail", "missing") if case[key]]
            print(f"{'pass' if not bad else 'FAIL'}  {name} ({len(case['pass'])})  {'; '.join(bad)}".rstrip())
        print(f"{whole} of {len(cases)} cases; {totals['pass']} quantities pass, {totals['fail']} fail, "
              f"{totals['missing']} are missing")  # fmt: skip
    return 0 if found and not totals["fail"] and not totals["missing"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
