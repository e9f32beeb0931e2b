"""The soak, short: it writes the table, the figures and the plot that the long one writes."""

import json

from tests.soak import __main__ as soak


def test_marks_are_at_the_decades_and_at_the_end():
    assert soak.sizes(3) == [3]
    assert soak.sizes(250_000) == [10_000, 100_000, 250_000]
    assert soak.sizes(10_000_000)[-2:] == [1_000_000, 10_000_000]


def test_a_short_soak_writes_what_the_long_one_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert soak.main(["4000", "--first", "1000", "--within", "100"]) == 0
    marks = json.loads(soak.RESULTS.read_text())["marks"]
    assert [mark["events"] for mark in marks] == [1_000, 4_000]
    assert all(min(mark["cost_us"].values()) > 0 and mark["resident_MB"] > 0 for mark in marks)
    assert "<svg" in soak.PLOT.read_text()
    assert "4,000" in capsys.readouterr().out
