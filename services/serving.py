"""Serving: the HTTP server in a thread, the worker as a supervised child process, and how both end."""

import errno
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from events.errors import Unavailable
from services.store import leases
from services.wiring import Parts

if TYPE_CHECKING:
    from uvicorn import Server

START_S = 30.0
STOP_S = 20.0
RESTART_S = 1.0
STOPPED_S = 10.0

_words = structlog.get_logger("serving")


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT, so that what was begun is finished."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


class Service:
    """The API, and unless told otherwise a worker beside it."""

    def __init__(self, here: Parts, *, with_worker: bool, with_decider: bool) -> None:
        self.here = here
        self.with_worker = with_worker
        self.with_decider = with_decider
        self.stopping = threading.Event()
        self.hurried = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._server: Server | None = None

    def start(self) -> None:
        """Bind the port, start everything, and return when the door answers.

        Raises Unavailable with one sentence when the port is taken.
        """
        bound = self._bind()
        # The doors take half a second to load: a worker needs none, and a taken port is said before.
        import uvicorn

        from services.app import create_app

        runtime = self.here.runtime()
        runtime.stopping = self.stopping
        config = uvicorn.Config(
            create_app(runtime),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(STOP_S),
            timeout_keep_alive=65,
        )
        self._server = uvicorn.Server(config)
        server = self._server
        self._in_thread(lambda: server.run(sockets=[bound]))
        self._in_thread(self._prepare)
        if self.with_worker:
            self._in_thread(self._supervise)
        deadline = time.monotonic() + START_S
        while not self._server.started:
            if time.monotonic() > deadline:
                raise Unavailable("The server did not start.")
            time.sleep(0.02)

    def _in_thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _bind(self) -> socket.socket:
        settings = self.here.settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((settings.host, settings.port))
            bound.listen(128)
        except OSError as error:
            bound.close()
            if error.errno == errno.EADDRINUSE:
                raise Unavailable(
                    f"Port {settings.port} on {settings.host} is taken by another program. "
                    "Stop that one, or choose another port with LODESTONE_PORT."
                ) from error
            raise Unavailable(f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.") from error
        return bound

    def _prepare(self) -> None:
        """Bring the tables up to date as soon as the database answers; until then the door answers 503."""
        while not self.stopping.is_set():
            try:
                self.here.prepare()
            except Unavailable as error:
                _words.warning("waiting for the database", reason=error.detail)
                self.stopping.wait(2.0)
            else:
                return

    def _supervise(self) -> None:
        """Keep one worker process alive until we stop."""
        command = [sys.executable, "-m", "services.cli", "worker", "--supervised"]
        if not self.with_decider:
            command.append("--no-decider")
        while not self.stopping.is_set():
            # The pipe says nothing; it closes when we end, however we end, and the worker ends with it.
            self._worker = subprocess.Popen(command, stdin=subprocess.PIPE)
            while self._worker.poll() is None and not self.stopping.wait(0.2):
                pass
            if not self.stopping.is_set():
                with suppress(Unavailable):
                    leases.drop(self.here.database, leases.owner_of(self._worker.pid))
                self._wait_for_another_try(self._worker.returncode)
        worker = self._worker
        if worker is not None and worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(STOP_S)
            except subprocess.TimeoutExpired:
                worker.kill()

    def _wait_for_another_try(self, code: int) -> None:
        """A moment after a fault. At an event of a newer release: as long as it stands there, said once."""
        reason = self._newer()
        if reason is None:
            _words.error("worker ended; starting another", code=code)
            self.stopping.wait(RESTART_S)
            return
        _words.error("worker stopped; readers see what was folded until then", reason=reason)
        while not self.stopping.wait(STOPPED_S) and self._newer() is not None:
            pass

    def _newer(self) -> str | None:
        with suppress(Unavailable):
            return self.here.projector.stopped()
        return None

    def wait(self) -> None:
        """Serve until SIGTERM or Ctrl-C, then stop: at once, or once LODESTONE_DRAIN_S passed or a second one came."""
        stop_on_signals(self._told)
        while not self.stopping.wait(0.5):
            pass
        self.hurried.wait(self.here.settings.drain_s)
        self.stop()

    def _told(self) -> None:
        """The first signal lets `/readyz` say that we stop; the second ends the time that a load balancer is given."""
        if self.stopping.is_set():
            self.hurried.set()
        self.stopping.set()

    def stop(self) -> None:
        """Finish the requests at hand, stop the worker, let the port go."""
        self.stopping.set()
        if self._server is not None:
            self._server.should_exit = True
        for thread in self._threads:
            thread.join(STOP_S + 5)
