"""What Twister's telnet and SSH libraries have in common: connections by name, one of them active."""

import re
import sys

import jackfield
from jackfield.errors import JackfieldError

TIMEOUT_SECONDS_MIN = 2
TIMEOUT_SECONDS = 4
# How long a read waits for a device that has nothing to say.
QUIET_SECONDS = 0.2


class Connection(object):
    """A session, with the calls that Twister's connections had."""

    protocol = ""

    def __init__(self, name, host, port, user, password):
        self.name, self.host, self.port = name, host, port
        self.timeout = TIMEOUT_SECONDS
        self.newline = None
        given = {"protocol": self.protocol, "host": host, "port": int(port), "user": user, "password": password}
        connect = {key: value for key, value in given.items() if value is not None}
        self.session = jackfield.session(connect=connect, name="%s %s" % (self.protocol, name))

    def write(self, command, result=True):
        """Send a line."""
        del result
        if self.newline is None:
            self.session.send(command)
        else:
            self.session.send(command + self.newline, enter=False)
        return True

    def read(self):
        """What has come and was not read yet; empty where there is nothing."""
        try:
            found = self.session.expect(r"(?s).+$", timeout=QUIET_SECONDS)
        except JackfieldError as error:
            if error.code == "unreachable":
                raise
            return ""
        return found.before + found.match

    def read_until(self, expected):
        """Everything up to, and with, this text."""
        found = self.session.expect(jackfield.exact(expected), timeout=self.timeout)
        return found.before + found.match

    def expect(self, expected, command=None):
        """Send a command, if there is one, and wait for one of the regular expressions: `(index, match, text)`, as `telnetlib` had it."""
        if command is not None:
            self.write(command)
        patterns = [expected] if isinstance(expected, str) else list(expected)
        found = self.session.expect(patterns, timeout=self.timeout)
        return found.index, re.search(patterns[found.index], found.match), found.before + found.match

    def set_newline(self, newline):
        """What ends a line that is sent."""
        self.newline = newline
        return True

    def set_timeout(self, timeout):
        """How long a read waits, in seconds; not less than two."""
        if not isinstance(timeout, (int, float)) or isinstance(timeout, bool):
            return False
        self.timeout = max(TIMEOUT_SECONDS_MIN, timeout)
        return True

    def alive(self):
        """Whether the session is still open."""
        return self.session.name in jackfield.sessions()

    def close(self):
        """Close it."""
        self.session.close()
        return True


class Connections(object):
    """Connections by name. A call that fails prints why and answers `False`."""

    kind = ""

    def __init__(self):
        self.connections = {}
        self.active_connection = None

    def write(self, command, name=None):
        """Send a line."""
        return self._with(name, lambda connection: connection.write(command))

    def read(self, name=None):
        """What has come and was not read yet."""
        return self._with(name, lambda connection: connection.read())

    def read_until(self, expected, name=None):
        """Everything up to, and with, this text."""
        return self._with(name, lambda connection: connection.read_until(expected))

    def expect(self, expected, command=None, name=None):
        """Send a command, and wait for one of the regular expressions."""
        return self._with(name, lambda connection: connection.expect(expected, command))

    def set_newline(self, newline, name=None):
        """What ends a line that is sent."""
        return self._with(name, lambda connection: connection.set_newline(newline))

    def set_timeout(self, timeout, name=None):
        """How long a read waits."""
        return self._with(name, lambda connection: connection.set_timeout(timeout))

    def alive(self, name=None):
        """Whether the connection is still open."""
        return self._with(name, lambda connection: connection.alive())

    def get_connection(self, name=None):
        """The connection itself."""
        return self._with(name, lambda connection: connection)

    def set_active_connection(self, name):
        """Make this connection the one that is meant where no name is given."""
        if name not in self.connections:
            return self._refuse("there is no connection `%s`" % name)
        self.active_connection = name
        return True

    def list_connections(self):
        """The names of all connections."""
        return list(self.connections)

    def close_connection(self, name=None):
        """Close one."""
        meant = name or self.active_connection
        if not self._with(name, lambda connection: connection.close()):
            return False
        del self.connections[meant]
        if self.active_connection == meant:
            self.active_connection = None
        return True

    def close_all_connections(self):
        """Close all."""
        closed = [self.close_connection(name) for name in list(self.connections)]
        return all(closed)

    def _open(self, name, connect):
        if name in self.connections:
            return self._refuse("the name `%s` is taken" % name)
        try:
            self.connections[name] = connect()
        except JackfieldError as error:
            return self._refuse(error)
        self.active_connection = name
        return True

    def _with(self, name, action):
        meant = name or self.active_connection
        if meant not in self.connections:
            return self._refuse("there is no connection `%s`" % meant if meant else "no connection is active")
        try:
            return action(self.connections[meant])
        except JackfieldError as error:
            return self._refuse(error)

    def _refuse(self, why):
        print("*ERROR* %s: %s" % (self.kind, why), file=sys.stderr)
        return False
