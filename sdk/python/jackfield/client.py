"""The connection to the EP: JSON-RPC 2.0, one object per line, over the Unix socket of `JACKFIELD_SOCKET`.

Importing this module opens nothing. The first call connects. Each thread has a connection of its own, so a question that waits
for a person in one thread does not hold up the log lines of another; a process that was forked opens its own, too.
"""

from __future__ import annotations

import os
from _thread import _local
from typing import Any

from jackfield.errors import JackfieldError

# What one answer may weigh; the EP has lower limits of its own, this one keeps a broken peer from filling the memory.
ANSWER_BYTES_MAX = 64 * 1024 * 1024

_connections = _local()


def call(method: str, **params: Any) -> Any:
    """Ask the EP, and wait for the answer. Parameters that are `None` are left out."""
    connection = _connection()
    return connection.request(method, {name: value for name, value in params.items() if value is not None})


def context() -> dict[str, Any]:
    """What the EP said about this test when the connection was made (the answer to `hello`)."""
    return _connection().hello


def close() -> None:
    """Close this thread's connection; the next call opens a new one."""
    connection = getattr(_connections, "open", None)
    if connection is not None:
        _connections.open = None
        connection.close()


def _connection() -> "_Connection":
    connection = getattr(_connections, "open", None)
    if connection is not None and connection.pid != os.getpid():
        # The parent's: its answers are not ours.
        connection.close()
        connection = None
    if connection is None:
        connection = _Connection()
        _connections.open = connection
    return connection


def _utf8(text: str) -> bytes:
    """A text as the EP reads it. What was undecodable, and so is half a character in Python, arrives as U+FFFD instead of not at all."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")


class _Connection:
    """One connection that has said hello. The requests of one connection are answered in order."""

    def __init__(self) -> None:
        path, token = os.environ.get("JACKFIELD_SOCKET"), os.environ.get("JACKFIELD_TOKEN")
        if not path or token is None:
            raise JackfieldError(
                "unreachable",
                "JACKFIELD_SOCKET and JACKFIELD_TOKEN are not set: this script was not started by an EP; "
                "start it with `jackfield run`",
            )
        import socket

        self.pid = os.getpid()
        self._last_id = 0
        self._received = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            why = f"the EP does not answer at {path}: {error.strerror or error}; is it still running?"
            raise JackfieldError("unreachable", why) from None
        self.hello: dict[str, Any] = self.request("hello", {"token": token})

    def close(self) -> None:
        self._socket.close()

    def __del__(self) -> None:
        # A thread has ended, and its connection with it.
        if hasattr(self, "_socket"):
            self._socket.close()

    def request(self, method: str, params: dict[str, Any]) -> Any:
        import json

        self._last_id += 1
        try:
            line = json.dumps({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise JackfieldError("bad_request", f"the parameters of `{method}` cannot be sent: {error}") from error
        try:
            self._socket.sendall(_utf8(line) + b"\n")
            answer = json.loads(self._read_line(method))
        except OSError as error:
            raise self._lost(method, str(error)) from error
        except BaseException as error:
            # An interrupted or unreadable answer would be taken for that of the next request.
            self.close()
            _connections.open = None
            if isinstance(error, ValueError):
                raise JackfieldError("unreachable", f"the answer to `{method}` is not JSON: {error}") from error
            raise
        return self._result(method, answer)

    def _result(self, method: str, answer: Any) -> Any:
        if not isinstance(answer, dict) or answer.get("id") != self._last_id:
            raise self._lost(method, "an answer to another request came")
        if "error" not in answer:
            return answer.get("result")
        error = answer["error"] or {}
        problem = error.get("data") or {}
        title = problem.get("title") or error.get("message") or f"`{method}` was refused"
        raise JackfieldError(problem.get("code", "internal"), title, problem.get("field"), problem.get("status", 0))

    def _read_line(self, method: str) -> bytes:
        searched = 0
        while True:
            end = self._received.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._received[:end])
                del self._received[: end + 1]
                return line
            searched = len(self._received)
            if searched > ANSWER_BYTES_MAX:
                raise self._lost(method, f"an answer of more than {ANSWER_BYTES_MAX} bytes")
            piece = self._socket.recv(65536)
            if not piece:
                raise self._lost(method, "the EP closed the connection")
            self._received += piece

    def _lost(self, method: str, why: str) -> JackfieldError:
        self.close()
        _connections.open = None
        return JackfieldError("unreachable", f"no answer to `{method}`: {why}")
