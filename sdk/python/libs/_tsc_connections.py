"""What Twister's telnet and SSH libraries have in common: connections by name, one of them active."""

import sys

import jackfield
from jackfield.errors import JackfieldError

TIMEOUT_SECONDS_MIN = 2
TIMEOUT_SECONDS = 4
# A device that says nothing for so long has said what it had to say.
QUIET_SECONDS = 0.2


class Connection(object):
    """A session, with the calls that Twister's connections had."""

    protocol = ""

    def __init__(self, name, host, port, user, password, more=None):
        self.name, self.host, self.port = name, host, port
        self.timeout = TIMEOUT_SECONDS
        self.newline = None
        # What `write` has answered with, and `read` and `read_until` may still want to see.
        self._seen = ""
        given = {"protocol": self.protocol, "host": host, "port": int(port), "user": user, "password": password}
        self._connect = {key: value for key, value in dict(given, **(more or {})).items() if value is not None}
        self.session = self._open()

    def _open(self):
        """Opens the session, or joins it; one whose connection was lost is connected again."""
        return jackfield.session(connect=self._connect, name="%s %s" % (self.protocol, self.name))

    def write(self, command, result=True, display=True):
        """Send a line; the answer is what the device says to it, or `True` where no result is wanted.

        What was answered can still be read: `write` and then `read_until` sees it, too.
        """
        self._seen = ""
        if self.newline is None:
            self.session.send(str(command))
        else:
            self.session.send(str(command) + self.newline, enter=False)
        if display:
            print("command: %s" % command)
        if not result:
            return True
        self._seen = self._come(self.timeout)
        return self._seen

    def read(self):
        """What has come and was not read yet; empty where there is nothing."""
        seen, self._seen = self._seen, ""
        return seen + self._come(QUIET_SECONDS)

    def read_until(self, expected):
        """Everything up to, and with, this text."""
        before, found, after = self._seen.partition(expected)
        if found:
            self._seen = after
            return before + found
        found = self.session.expect(jackfield.exact(expected), timeout=self.timeout)
        before, self._seen = self._seen, ""
        return before + found.before + found.match

    def expect(self, expected, command=None, result=True, display=True):
        """Wait until the device shows this text, then send the command; the answer is what follows, or `True` where no result is wanted."""
        shown = self.read_until(expected)
        if display:
            print(shown)
        if command is not None:
            return self.write(command, result, display)
        return (self.read() or shown) if result else True

    def _come(self, seconds):
        """What comes, until the device is quiet; waits so long for the first of it."""
        text = ""
        while True:
            found = self.session.expect(["(?s).+$", jackfield.TIMEOUT, jackfield.END], timeout=QUIET_SECONDS if text else seconds)
            text += found.before + found.match
            if found.index:
                return text

    def set_newline(self, newline):
        """What ends a line that is sent."""
        if not isinstance(newline, str):
            return False
        self.newline = newline
        return True

    def set_timeout(self, timeout):
        """How long a read waits, in seconds; not less than two."""
        if not isinstance(timeout, (int, float)) or isinstance(timeout, bool):
            return False
        self.timeout = max(TIMEOUT_SECONDS_MIN, timeout)
        return True

    def alive(self):
        """Whether the device can still be talked to; a connection that was lost is made again."""
        self.session = self._open()
        return True

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

    @property
    def activeConnection(self):
        """Twister's name of it."""
        return self.active_connection

    def write(self, command, name=None):
        """Send a line; the answer is what the device says to it."""
        return self._with(name, lambda connection: connection.write(command))

    def read(self, name=None):
        """What has come and was not read yet."""
        return self._with(name, lambda connection: connection.read())

    def read_until(self, expected, name=None):
        """Everything up to, and with, this text."""
        return self._with(name, lambda connection: connection.read_until(expected))

    def expect(self, expected, command=None, name=None):
        """Wait for a text, then send the command; the answer is what follows."""
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
