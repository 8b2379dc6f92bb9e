"""The warm interpreter's end of its socket to the EP; `warm.py` says what travels on it."""

from __future__ import annotations

import json
import socket

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
# Standard output and standard error of a test.
FDS_PER_RUN = 2
# In the place of a message that comes in a file of its own, whose descriptor is the third one then.
APART = b'{"apart": true}'
FDS_AT_ONCE_MAX = 64
RECEIVE_BYTES = 256 * 1024
# Four bytes of length, eight of the test's number.
HEADER_BYTES = 12


class Channel:
    """The EP's messages, and the file descriptors that came with them, in order."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self._bytes = bytearray()
        self._fds: list[int] = []

    def receive(self) -> list[tuple[int, bytes]] | None:
        """Tests that have come: the EP's number and the message of each; `None` when the EP has closed its end."""
        data, fds, flags, _ = socket.recv_fds(self.link, RECEIVE_BYTES, FDS_AT_ONCE_MAX)
        self._fds += fds
        if flags & socket.MSG_CTRUNC:
            raise RuntimeError("file descriptors of the EP were lost: the limit of open files is too low")
        if not data:
            return None
        self._bytes += data
        return self._messages()

    def take_fds(self, body: bytes) -> list[int]:
        """Standard output and standard error of the next `run`, and the file with its message where that is not the body."""
        count = FDS_PER_RUN + (body == APART)
        if len(self._fds) < count:
            raise RuntimeError(f"a `run` came without its {count} file descriptors")
        fds = self._fds[:count]
        del self._fds[:count]
        return fds

    def highest_fd(self) -> int:
        """The highest file descriptor in use here."""
        return max(self.link.fileno(), *self._fds, 0)

    def send_ready(self, version: str) -> None:
        """Tell the EP that tests may come."""
        self._send(json.dumps({"event": "ready", "version": version}).encode())

    # Formatted, and not through `json`: these are said for each test, and cost pages shared with its child.

    def send_started(self, identity: int, pid: int) -> None:
        """Tell the EP that a test runs."""
        self._send(b'{"event": "started", "id": %d, "pid": %d}' % (identity, pid))

    def send_exited(self, identity: int, code: int) -> None:
        """Tell the EP how a test ended; a negative number is a signal."""
        how = b'"signal": %d' % -code if code < 0 else b'"code": %d' % code
        self._send(b'{"event": "exited", "id": %d, %b}' % (identity, how))

    def _send(self, body: bytes) -> None:
        self.link.sendall(len(body).to_bytes(4, "big") + body)

    def _messages(self) -> list[tuple[int, bytes]]:
        found = []
        while len(self._bytes) >= HEADER_BYTES:
            length = int.from_bytes(self._bytes[:4], "big")
            if length > MESSAGE_BYTES_MAX:
                raise RuntimeError(f"the EP announced a message of {length} bytes")
            end = HEADER_BYTES + length
            if len(self._bytes) < end:
                break
            found.append((int.from_bytes(self._bytes[4:HEADER_BYTES], "big"), bytes(self._bytes[HEADER_BYTES:end])))
            del self._bytes[:end]
        return found
