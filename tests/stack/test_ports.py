"""Ports that are claimed: nobody gets one twice, none that somebody listens on, and none that a connection may have."""

import socket
import subprocess
import sys
from pathlib import Path

from services.stack.ports import HERE, claim, free_port
from tests.house.tree import ROOT
from tests.waiting import PATIENCE_S


def test_a_port_is_given_once_and_can_be_listened_on():
    given = [free_port() for _ in range(20)]
    assert len(set(given)) == 20
    for port in given:
        socket.create_server((HERE, port)).close()


def test_a_port_that_another_process_claimed_or_listens_on_is_not_given():
    port = free_port()
    code = f"from services.stack.ports import claim; print(claim({port}))"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert done.stdout == "False\n"
    with socket.create_server((HERE, 0)) as listening:
        assert not claim(listening.getsockname()[1])


def test_no_outgoing_connection_is_given_such_a_port():
    path = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(path.read_text().split()[0]) if path.exists() else 49_152
    assert max(free_port() for _ in range(50)) < lowest
