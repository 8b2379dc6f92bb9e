"""The warm interpreter's end of its socket to the EP: four bytes of length, big-endian, and JSON."""

from __future__ import annotations

import json
import socket
from typing import Any

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
# Standard output and standard error of a test.
FDS_PER_RUN = 2
FDS_AT_ONCE_MAX = 64
RECEIVE_BYTES = 256 * 1024


class Channel:
    """The EP's messages, and the file descriptors that came with them, in order."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self._bytes = bytearray()
        self._fds: list[int] = []

    def receive(self) -> list[dict[str, Any]] | None:
        """What has come; `None` when the EP has closed its end."""
        data, fds, flags, _ = socket.recv_fds(self.link, RECEIVE_BYTES, FDS_AT_ONCE_MAX)
        self._fds += fds
        if flags & socket.MSG_CTRUNC:
            raise RuntimeError("file descriptors of the EP were lost: the limit of open files is too low")
        if not data:
            return None
        self._bytes += data
        return self._messages()

    def take_fds(self) -> tuple[int, int]:
        """Standard output and standard error of the next `run`."""
        if len(self._fds) < FDS_PER_RUN:
            raise RuntimeError("a `run` came without its two file descriptors")
        out, err = self._fds[:FDS_PER_RUN]
        del self._fds[:FDS_PER_RUN]
        return out, err

    def highest_fd(self) -> int:
        """The highest file descriptor in use here."""
        return max(self.link.fileno(), *self._fds, 0)

    def send(self, event: str, **more: int | str) -> None:
        """Tell the EP."""
        body = json.dumps({"event": event, **more}).encode()
        self.link.sendall(len(body).to_bytes(4, "big") + body)

    def _messages(self) -> list[dict[str, Any]]:
        found = []
        while len(self._bytes) >= 4:
            length = int.from_bytes(self._bytes[:4], "big")
            if length > MESSAGE_BYTES_MAX:
                raise RuntimeError(f"the EP announced a message of {length} bytes")
            if len(self._bytes) < 4 + length:
                break
            found.append(json.loads(self._bytes[4 : 4 + length]))
            del self._bytes[: 4 + length]
        return found
