"""Every reference case passes, and passes for what its data say: relabelled, reordered and rescaled copies too."""

import csv
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference.run import TASKS, answer, compare, main

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/expected.json"))
ORDERED = {
    "univariate", "e_values", "multiple_tests", "online_fdr", "ewma", "cusum", "interrupted_series",
    "linear_gaussian_chain",
    "tolerance_factor_one_sided", "tolerance_factor_two_sided", "deming", "york", "group_sequential",
}  # fmt: skip


def _spec(name):
    return json.loads((CASES / name / "expected.json").read_text())


def test_there_are_46_cases_and_every_task_of_the_readme_is_known():
    table = (CASES / "README.md").read_text().split("| task | params")[1]
    tasks = {line.split("|")[1].strip() for line in table.splitlines()[2:] if line.startswith("|")}
    assert len(NAMES) == 46 and tasks == set(TASKS)


@pytest.mark.parametrize("name", NAMES)
def test_every_quantity_of_a_case_passes(name):
    result = compare(CASES / name)
    assert result["fail"] == [] and result["missing"] == [] and result["pass"]


@pytest.mark.parametrize("name", [name for name in NAMES if _spec(name)["task"] not in ORDERED])
def test_the_order_of_rows_changes_nothing(name, tmp_path):
    shutil.copytree(CASES / name, tmp_path / "case")
    for path in (tmp_path / "case").glob("*.csv"):
        header, *rows = list(csv.reader(path.open(newline="")))
        random.Random(1).shuffle(rows)
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
    if _spec(name)["task"] == "run_length":
        assert compare(tmp_path / "case")["fail"] == []
        return
    before, after = answer(CASES / name), answer(tmp_path / "case")
    assert before.keys() == after.keys()
    result = compare(tmp_path / "case")
    assert result["fail"] == [] and result["missing"] == []


def test_a_case_without_variation_is_refused_and_does_not_count_as_passed(tmp_path):
    shutil.copytree(CASES / "re1_rail", tmp_path / "flat")
    path = tmp_path / "flat" / "data.csv"
    header, *rows = list(csv.reader(path.open(newline="")))
    path.write_text("\n".join([",".join(header), *(f"{row[0]},50" for row in rows)]) + "\n")
    assert "no_variation" in answer(tmp_path / "flat")["refused"]
    assert main([str(tmp_path)]) == 1


def test_the_runner_is_a_command_with_a_json_answer_and_an_exit_code():
    script = Path(__file__).parent / "run.py"
    done = subprocess.run(
        [sys.executable, str(script), str(CASES / "nist_lls_norris"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and json.loads(done.stdout)["totals"]["pass"] == 6 and done.stderr == ""


def test_the_runner_names_no_case_and_no_folder_of_one():
    source = "".join(
        path.read_text() for path in Path(__file__).parent.rglob("*.py") if path.name != Path(__file__).name
    )
    assert [name for name in NAMES if name in source] == []
