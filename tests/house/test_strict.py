"""In CI a skipped test fails the run; elsewhere it is only named."""

import os
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

SKIPS = {
    "a test that skips itself": "import pytest\n\ndef test_it():\n    pytest.skip('no part')\n",
    "a mark": "import pytest\n\n@pytest.mark.skip\ndef test_it():\n    pass\n",
    "an expected failure": "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    assert False\n",
    "a module that skips itself": "import pytest\n\npytest.skip('no part', allow_module_level=True)\n",
}


def _run(folder, source, ci):
    (folder / "test_inner.py").write_text(source, encoding="utf-8")
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.strict", "-p", "no:cacheprovider", "test_inner.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", SKIPS)
def test_a_skip_fails_the_run_in_ci(kind, tmp_path):
    outcome = _run(tmp_path, SKIPS[kind], "true")
    assert outcome.returncode in {1, 2}, outcome.stdout
    assert "in CI nothing is" in outcome.stdout


def test_a_skip_is_only_named_elsewhere(tmp_path):
    assert _run(tmp_path, SKIPS["a mark"], "").returncode == 0


def test_a_passing_test_passes_in_ci(tmp_path):
    assert _run(tmp_path, "def test_it():\n    assert 1 + 1 == 2\n", "true").returncode == 0
