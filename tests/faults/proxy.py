"""A small TCP proxy between any two parts: it passes, delays, swallows or resets what goes through it."""

import random
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Literal

Mode = Literal["pass", "delay", "swallow", "refuse"]
BLOCK = 65_536
_RESET = struct.pack("ii", 1, 0)
"""Lingering for no time: the connection ends with RST, as when a machine or a firewall forgets it."""


class Proxy:
    """Listens on 127.0.0.1 and forwards to `target`, in whichever mode it is in at the moment.

    `pass` forwards; `delay` waits `delay_s` before each block; `swallow` keeps connections open and lets nothing
    through, as a cable that is cut; `refuse` ends them and lets none begin.
    """

    def __init__(self, target: tuple[str, int], port: int = 0) -> None:
        self.target = target
        self.mode: Mode = "pass"
        self.delay_s = 0.2
        self.passed = 0
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._door = socket.create_server(("127.0.0.1", port))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """Where clients connect instead."""
        return f"127.0.0.1:{self.port}"

    def reset(self) -> int:
        """End every connection with RST; how many they were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                _cut(end)
        return len(pairs)

    def trouble(self, chance: random.Random, seconds: float) -> str:
        """One random fault, for this long, and then none; which it was."""
        kind = chance.choice(("delay", "swallow", "refuse", "reset"))
        if kind == "reset":
            self.reset()
            return kind
        self.mode = kind  # type: ignore[assignment]
        if kind == "refuse":
            self.reset()
        time.sleep(seconds)
        self.mode = "pass"
        if kind == "swallow":
            self.reset()  # what was swallowed is lost, and no byte after it may arrive
        return kind

    def close(self) -> None:
        """Take no more connections, and end those that are there."""
        self._ended.set()
        self._door.close()
        self.reset()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        if self.mode == "refuse":
            _cut(client)
            return
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            _cut(client)
            return
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        with suppress(OSError, ValueError):
            while self._step(client, server):
                pass
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            end.close()

    def _step(self, client: socket.socket, server: socket.socket) -> bool:
        """Carry what is there; False when an end was closed."""
        readable, _, _ = select.select([client, server], [], [], 0.5)
        for end in readable:
            block = end.recv(BLOCK)
            if not block:
                return False
            while self.mode == "swallow":
                time.sleep(0.02)  # not taken from the other end's point of view, until the connection is reset
                if self._ended.is_set():
                    return False
            if self.mode == "delay":
                time.sleep(self.delay_s)
            (server if end is client else client).sendall(block)
            self.passed += len(block)
        return True


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        end.shutdown(socket.SHUT_RD)
    end.close()
