"""Several COPYs as one message: the rows of the next ones are made while the server takes in those of the last one."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from select import select
from typing import Any

import psycopg
from psycopg.generators import fetch, fetch_many, send
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

Copy = tuple[str, Callable[[], bytes]]
"""A `COPY … FROM STDIN (FORMAT binary)`, and what makes its rows."""

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_GIVEN_UP = b"the rows were not made"


def run(
    connection: psycopg.Connection[Any], message: str, meanwhile: Callable[[], None] = lambda: None
) -> list[PGresult]:
    """The results of these statements, in one message and without what a cursor adds. Raises what the server says.

    `meanwhile` is called while the server is at it; it must not raise.
    """
    connection.pgconn.send_query(message.encode())
    connection.wait(send(connection.pgconn))
    meanwhile()
    results: list[PGresult] = connection.wait(fetch_many(connection.pgconn))
    if results[-1].status == ExecStatus.FATAL_ERROR:
        raise _told(connection, results[-1])
    return results


def copy_all(connection: psycopg.Connection[Any], copies: Sequence[Copy], then: str = "") -> None:
    """Run these COPYs one after another, within the transaction there is, and the statements of `then` after them.

    All is one message, of which the server does nothing more once a part failed. Raises what it says, or a maker does.

    The driver's own copy waits for the server at the end of each. In binary the server keeps the rows of one COPY, up
    to 1000, and only then writes them; so a large one gives it nothing to do while we make rows, and us nothing while
    it writes. Its notes of what it keeps also grow with the square of their number.
    """
    pgconn = connection.pgconn
    pgconn.send_query(";".join([*[statement for statement, _ in copies], then]).encode())
    connection.wait(send(pgconn))
    ahead = _Ahead(pgconn.socket, [make for _, make in copies])
    for at in range(len(copies)):
        rows: bytes | None = None
        try:
            rows = ahead.next()
        finally:
            if rows is None:
                _give_up(connection)
        if at:
            _expect(connection, ExecStatus.COMMAND_OK)
        _expect(connection, ExecStatus.COPY_IN)
        pgconn.put_copy_data(_HEADER + rows + _TRAILER)
        pgconn.put_copy_end()
        connection.wait(send(pgconn))
    _expect(connection, ExecStatus.COMMAND_OK)
    _rest(connection)


class _Ahead:
    """Rows made in order, and ahead of what the server asks for as long as it is busy: neither waits for the other."""

    def __init__(self, socket: int, makers: Iterable[Callable[[], bytes]]) -> None:
        self.socket = socket
        self.makers = deque(makers)
        self.made: deque[bytes] = deque()

    def next(self) -> bytes:
        if not self.made:
            self.made.append(self.makers.popleft()())
        while self.makers and not select([self.socket], [], [], 0)[0]:
            self.made.append(self.makers.popleft()())
        return self.made.popleft()


def _expect(connection: psycopg.Connection[Any], status: ExecStatus) -> None:
    """Take the next result. Raises what the server says instead, once it has ended the message."""
    result = connection.wait(fetch(connection.pgconn))
    if result is not None and result.status == status:
        return
    if result is not None and result.status == ExecStatus.FATAL_ERROR:
        _rest(connection)
        raise _told(connection, result)
    raise psycopg.InterfaceError("the server answered a COPY with something else")


def _give_up(connection: psycopg.Connection[Any]) -> None:
    """Let the server end the message with an error; our own is the one that counts."""
    pgconn = connection.pgconn
    while (result := connection.wait(fetch(pgconn))) is not None:
        if result.status == ExecStatus.COPY_IN:
            pgconn.put_copy_end(_GIVEN_UP)
            connection.wait(send(pgconn))


def _rest(connection: psycopg.Connection[Any]) -> None:
    """Take the results up to the end of the message. Raises what the server says of any of them."""
    failed = None
    while (result := connection.wait(fetch(connection.pgconn))) is not None:
        if result.status == ExecStatus.FATAL_ERROR:
            failed = result
    if failed is not None:
        raise _told(connection, failed)


def _told(connection: psycopg.Connection[Any], result: PGresult) -> psycopg.Error:
    return psycopg.errors.error_from_result(result, encoding=connection.info.encoding)
