"""Bad days: each gets one clear sentence that says what and what to do, and nothing accepted is lost."""

import os
import signal
import socket
from pathlib import Path

import httpx
import orjson
import pytest

from examples.prius import bench
from tests.journeys.running import Running
from tests.waiting import PATIENCE_S, until


def say(done: object) -> str:
    words = str(getattr(done, "stderr", ""))
    assert "Traceback" not in words
    return words


def test_a_taken_port_is_named_with_what_to_do(running: Running) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", running.port))
        taken.listen()
        done = running.command("serve", check=False)
    assert done.returncode == 1
    assert f"Port {running.port} on 127.0.0.1 is taken" in say(done)
    assert "LODESTONE_PORT" in say(done)


def test_a_data_directory_of_a_newer_version_is_refused_in_one_sentence(running: Running) -> None:
    folder = running.home / "data" / "postgres"
    running.command("migrate")
    (folder / "FORMAT").write_text("99\n")
    done = running.command("status", check=False)
    (folder / "FORMAT").write_text("1\n")
    assert done.returncode == 1
    assert "newer Lodestone" in say(done)


def test_an_import_that_ends_in_half_a_line_takes_the_rest_and_says_where(running: Running, tmp_path: Path) -> None:
    lines = [orjson.dumps(event) for event in list(bench.masters())]
    file = tmp_path / "cut.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n" + lines[0][:40])
    done = running.command("import", str(file), "--json", check=False)
    assert done.returncode == 1
    summary = orjson.loads(done.stdout)
    assert (summary["accepted"], summary["rejected"]) == (len(lines), 1)
    assert f"cut.ndjson line {len(lines) + 1}" in say(done)
    assert "ends in the middle" in say(done)


def test_a_missing_file_is_wrong_usage(running: Running) -> None:
    done = running.command("import", "/no/such/file.ndjson", check=False)
    assert done.returncode == 2
    assert "no such file" in say(done)


def test_a_wrong_setting_is_named(running: Running) -> None:
    running.environment["LODESTONE_PORT"] = "seventy"
    done = running.command("status", check=False)
    assert done.returncode == 1
    assert "LODESTONE_PORT" in say(done)


def test_a_database_that_is_down_at_start_is_answered_with_503_until_it_comes(running: Running) -> None:
    # Given a service on an address where no database answers
    running.command("migrate")
    running.environment["LODESTONE_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    process = running.start("serve", "--no-worker")
    try:
        until(lambda: running.asked("/healthz") is not None)
        answer = httpx.get(f"{running.url}/v1/status", headers={"Authorization": "Bearer lode_x"}, timeout=PATIENCE_S)
        # Then it is alive, and says that the database is away and when to try again
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "database" in answer.json()["detail"]
        assert httpx.get(f"{running.url}/healthz", timeout=PATIENCE_S).status_code == 200
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)


@pytest.mark.parametrize("command", [["rebuild", "nothing"], ["schema", "lodestone.tests.efficiency_measured.v9"]])
def test_what_does_not_exist_is_named_with_what_does(running: Running, command: list[str]) -> None:
    done = running.command(*command, check=False)
    assert done.returncode == 1
    assert command[1] in say(done)


def test_a_service_that_is_told_to_stop_finishes_and_starts_again_on_what_is_there(running: Running) -> None:
    running.serve()
    client = running.client("admin", "Root")
    events = list(bench.masters())
    answer = client.post(
        "/v1/events",
        content=orjson.dumps(events),
        headers={"Content-Type": "application/cloudevents-batch+json"},
    )
    assert answer.json()["accepted"] == len(events)
    head = answer.json()["position"]
    assert running.stop() == 0
    running.serve()
    assert client.get("/v1/status").json()["position"] >= head
