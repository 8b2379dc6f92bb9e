"""Twister's named SSH connections, on Jackfield's sessions. As `TscTelnetLib`, with the order of arguments that Twister had here.

The key of a host that is not known yet is taken in, and a changed one refused; Twister took any. A resource of the lab says more
(`jackfield.session`).
"""

from _tsc_connections import Connection, Connections

__all__ = ["SshManager", "SshConnection"]


class SshConnection(Connection):
    """One SSH connection."""

    protocol = "ssh"

    def __init__(self, name, host, port=22, user=None, password=None):
        Connection.__init__(self, name, host, port, user, password, {"host_key": "accept-new"})


class SshManager(Connections):
    """Connections by name. Every call takes the name last; without one it means the active connection."""

    kind = "ssh"

    def open_connection(self, name, host, user=None, password=None, port=22):
        """Open a connection and make it the active one."""
        return self._open(name, lambda: SshConnection(name, host, port, user, password))
