"""A front before the real server that speaks TLS as PostgreSQL does: the wheel's own binaries are built without it.

What a client sees is what a server with `ssl = on` shows: it asks by SSLRequest, is answered `S`, and shakes hands.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
VERSION = b"server_version\x00"


class Front:
    """Listens at 127.0.0.1; `plain` counts who came without TLS, `encrypted` who came with it."""

    def __init__(self, to: tuple[str, int], certificate: tuple[Path, Path] | None, says: bytes | None = None) -> None:
        self.to = to
        self.says = says
        self.encrypted = self.plain = 0
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), socket.create_connection(self.to) as server:
            while True:
                first = client.recv(8, socket.MSG_PEEK)
                if len(first) < 8:
                    return
                asked = struct.unpack("!ii", first)[1]
                if asked not in (SSL_REQUEST, GSS_REQUEST):
                    self.plain += 1
                    break
                client.recv(8)
                speaks = asked == SSL_REQUEST and self.context is not None
                client.sendall(b"S" if speaks else b"N")
                if speaks and self.context is not None:
                    client = self.context.wrap_socket(client, server_side=True)
                    self.encrypted += 1
                    break
            back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
            back.start()
            self._copy(client, server)
            back.join()
        client.close()

    def _copy(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                if self.says is not None:
                    part = part.replace(VERSION + b"18", VERSION + self.says)
                to.sendall(part)
        for end in (source, to):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def fronted(port: int, certificate: tuple[Path, Path] | None, says: bytes | None = None) -> Iterator[Front]:
    """A front before the server at this port; with `says` the server seems to be of that major version."""
    front = Front(("127.0.0.1", port), certificate, says)
    with closing(front.listening):
        yield front
        front.listening.shutdown(socket.SHUT_RDWR)
