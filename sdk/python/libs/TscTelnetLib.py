"""Twister's named telnet connections, on Jackfield's sessions: owned, recorded and shown by the EP.

    manager = TelnetManager()
    manager.open_connection("r1", "10.0.0.1", 23, "admin", "secret", "login:", "assword:")
    manager.write("show version")
    print(manager.read_until("#"))

A call that fails prints why and answers `False`. There is no fixed wait after a write: what is read is waited for.
"""

from _tsc_connections import Connection, Connections

__all__ = ["TelnetManager", "TelnetConnection"]


class TelnetConnection(Connection):
    """One telnet connection."""

    protocol = "telnet"

    def __init__(self, name, host, port=23, user=None, password=None, userExpect=None, passwordExpect=None, keepalive=True):
        # Keeping the connection alive, and how the device asks for user and password, are its profile's business.
        del userExpect, passwordExpect, keepalive
        Connection.__init__(self, name, host, port, user, password)


class TelnetManager(Connections):
    """Connections by name. Every call takes the name last; without one it means the active connection."""

    kind = "telnet"

    def open_connection(self, name, host, port=23, user=None, password=None, userExpect=None, passwordExpect=None, keepalive=True):
        """Open a connection, log in where user and password are given, and make it the active one."""
        return self._open(name, lambda: TelnetConnection(name, host, port, user, password, userExpect, passwordExpect, keepalive))

    def login(self, name=None):
        """The login took place when the connection was opened; whether it is still good."""
        return self.alive(name)
