"""A wire between the product and a server, to be cut or to fall silent."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from threading import Event, Lock, Thread


class Wire:
    """
    Passes bytes on between a port of its own and a server.

    :param server: the path of the server's socket
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = Event()
        self._open.set()
        self._ends: list[socket.socket] = []
        self._lock = Lock()
        Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Swallow all that comes from now on, as a firewall that drops packets: nobody is told."""
        self._open.clear()

    def speak(self) -> None:
        """Pass on what comes from now on."""
        self._open.set()

    def cut(self) -> None:
        """End every connection with a reset."""
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()

    def stop(self) -> None:
        """Cut, and accept nobody any more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                with self._lock:
                    self._ends += [client, server]
                for source, target in ((client, server), (server, client)):
                    Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65_536):
                if self._open.is_set():
                    target.sendall(content)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
