"""Twister's named SSH connections, on Jackfield's sessions. As `TscTelnetLib`, with the order of arguments that Twister had here."""

from _tsc_connections import Connection, Connections

__all__ = ["SshManager", "SshConnection"]


class SshConnection(Connection):
    """One SSH connection."""

    protocol = "ssh"

    def __init__(self, name, host, port=22, user=None, password=None):
        Connection.__init__(self, name, host, port, user, password)


class SshManager(Connections):
    """Connections by name. Every call takes the name last; without one it means the active connection."""

    kind = "ssh"

    def open_connection(self, name, host, user=None, password=None, port=22):
        """Open a connection and make it the active one."""
        return self._open(name, lambda: SshConnection(name, host, port, user, password))
