"""Twister's named telnet connections, on Jackfield's sessions: owned, recorded and shown by the EP.

    manager = TelnetManager()
    manager.open_connection("r1", "10.0.0.1", 23, "admin", "secret", "login:", "assword:")
    print(manager.write("show version"))

A call that fails prints why and answers `False`. There is no fixed wait after a write: it ends when the device is quiet.
"""

import re
import sys

from _tsc_connections import Connection, Connections

__all__ = ["TelnetManager", "TelnetConnection"]


# Nobody to log in: the script does it itself, by `expect`, or by `login` later.
_RAW = {"login": False}


class TelnetConnection(Connection):
    """One telnet connection."""

    protocol = "telnet"

    def __init__(self, name, host, port=23, user=None, password=None, userExpect=None, passwordExpect=None, keepalive=True):
        # Whether the connection still lives is asked when it is used.
        del keepalive
        self._asked = userExpect, passwordExpect
        more = _RAW if user is None and password is None else _questions(userExpect, passwordExpect)
        Connection.__init__(self, name, host, port, user, password, more)

    def login(self, user=None, password=None, userExpect=None, passwordExpect=None):
        """Log in with what was given here or when the connection was made, over a new connection."""
        asked = (userExpect or self._asked[0], passwordExpect or self._asked[1])
        given = {"user": user, "password": password}
        given.update(_questions(*asked))
        connect = dict(self._connect, **{key: value for key, value in given.items() if value is not None})
        connect.pop("login", None)
        if "user" not in connect and "password" not in connect:
            print("*ERROR* telnet: there is neither a user nor a password to log in with", file=sys.stderr)
            return False
        if connect != self._connect:
            self.session.close()
            self._connect = connect
        return self.alive()


def _questions(user, password):
    """How the device asks, for its profile: texts as they stand at the end of what it shows."""
    asked = {"user": user, "password": password}
    login = {key: re.escape(text) + r"\s*$" for key, text in asked.items() if text}
    return {"profile_settings": {"login": login}} if login else {}


class TelnetManager(Connections):
    """Connections by name. Every call takes the name last; without one it means the active connection."""

    kind = "telnet"

    def open_connection(self, name, host, port=23, user=None, password=None, userExpect=None, passwordExpect=None, keepalive=True):
        """Open a connection, log in where user and password are given, and make it the active one."""
        return self._open(name, lambda: TelnetConnection(name, host, port, user, password, userExpect, passwordExpect, keepalive))

    def login(self, name=None, user=None, password=None, userExpect=None, passwordExpect=None):
        """Log in; a connection that was opened with user and password is logged in already."""
        return self._with(name, lambda connection: connection.login(user, password, userExpect, passwordExpect))
