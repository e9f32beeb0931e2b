"""Results for people: a line for each entry, also of what lies deeper."""

from services.cli.printing import result


def test_processes_stand_on_a_line_each_role(capsys):
    worker = {"owner": "plant:7", "state": "working", "age_s": 0.4, "detail": None}
    result({"position": 3, "processes": {"worker": [worker, {**worker, "owner": "plant:8"}], "relay": []}}, False)
    assert capsys.readouterr().out.splitlines() == [
        "position: 3",
        "processes:",
        "  worker: owner plant:7, state working, age_s 0.4; owner plant:8, state working, age_s 0.4",
        "  relay: none",
    ]
