"""Ports for parts that listen later: nobody else gets them meanwhile, neither who asks here nor a connection."""

import socket
from random import sample

PORTS = range(10_000, 32_768)
"""Below those that the system gives to outgoing connections: one could sit on the port of a part that is away."""
HERE = "127.0.0.1"

_claims: list[socket.socket] = []


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, claimed as long as this process lives."""
    return next(port for port in sample(PORTS, len(PORTS)) if claim(port))


def claim(port: int) -> bool:
    """Claim a port for the life of this process; False when somebody listens there, or another process claimed it.

    The claim is a UDP socket of the same number: it is in nobody's way, and goes with the process however that ends.
    """
    ours = socket.socket(type=socket.SOCK_DGRAM)
    try:
        ours.bind((HERE, port))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HERE, port))
    except OSError:
        ours.close()
        return False
    _claims.append(ours)
    return True
