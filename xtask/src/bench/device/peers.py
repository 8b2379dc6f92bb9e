"""The measures of dialogues through other clients: `peers.py TELNET-PORT SSH-PORT USER KEY`.

Each as its documentation shows it, and tuned where people tune it. Which are measured depends on what is installed beside this
Python (pexpect, paramiko, netmiko, scrapli) and whether it still has telnetlib; the others are named on standard error. One JSON
object a line; every step is bounded, and slow clients do fewer commands.
"""

import json
import signal
import socket
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")
TELNET, SSH, USER, KEY = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
PROMPT = b"router#"
SECONDS_MAX = 60
SSH_ARGUMENTS = ["-i", KEY, "-p", str(SSH), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", f"{USER}@127.0.0.1"]


class Slow(Exception):
    pass


def too_slow(*_):
    raise Slow("took longer than the bound")


class Socket:
    """A bare loop in Python: what the language itself costs."""

    def open(self, kind):
        self.socket = socket.create_connection(("127.0.0.1", TELNET))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for wanted, answer in ((b"Username: ", b"lab\r\n"), (b"Password: ", b"lab\r\n")):
            self.until(wanted)
            self.socket.sendall(answer)
        self.until(PROMPT)

    def until(self, wanted):
        seen = bytearray()
        while not seen.endswith(wanted):
            piece = self.socket.recv(262144)
            if not piece:
                raise EOFError
            seen += piece
        return seen

    def command(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.until(PROMPT).decode()

    def close(self):
        self.socket.close()


class Telnetlib:
    def open(self, kind):
        import telnetlib

        self.telnet = telnetlib.Telnet("127.0.0.1", TELNET, 10)
        for wanted in (b"Username: ", b"Password: "):
            self.telnet.read_until(wanted, 10)
            self.telnet.write(b"lab\r\n")
        self.telnet.read_until(PROMPT, 10)

    def command(self, text):
        self.telnet.write(text.encode() + b"\r\n")
        return self.telnet.read_until(PROMPT, SECONDS_MAX).decode()

    def close(self):
        self.telnet.close()


class Pexpect:
    options, delay, exact = {}, 0.05, False

    def open(self, kind):
        import pexpect

        program, arguments = ("telnet", ["127.0.0.1", str(TELNET)]) if kind == "telnet" else ("ssh", SSH_ARGUMENTS)
        self.child = pexpect.spawn(program, arguments, timeout=SECONDS_MAX, **self.options)
        self.child.delaybeforesend = self.delay
        if kind == "telnet":
            for wanted in ("Username: ", "Password: "):
                self.child.expect(wanted)
                self.child.sendline("lab")
        self.child.expect("router#")

    def command(self, text):
        self.child.sendline(text)
        (self.child.expect_exact if self.exact else self.child.expect)("router#")
        return self.child.before.decode()

    def close(self):
        self.child.close(force=True)


class PexpectTuned(Pexpect):
    options, delay, exact = {"maxread": 262144, "searchwindowsize": 200}, None, True


class PexpectSocket(PexpectTuned):
    """On a bare socket: no telnet program between."""

    def open(self, kind):
        from pexpect import fdpexpect

        # Detached: the child closes it.
        descriptor = socket.create_connection(("127.0.0.1", TELNET)).detach()
        self.child = fdpexpect.fdspawn(descriptor, timeout=SECONDS_MAX, **self.options)
        self.child.delaybeforesend = None
        for wanted in ("Username: ", "Password: "):
            self.child.expect(wanted)
            self.child.send("lab\r\n")
        self.child.expect("router#")

    def command(self, text):
        self.child.send(text + "\r\n")
        self.child.expect_exact("router#")
        return self.child.before.decode()

    def close(self):
        self.child.close()


class Paramiko:
    """A shell channel and a loop: it has no prompts of its own."""

    def open(self, kind):
        import paramiko

        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self.client.connect("127.0.0.1", SSH, USER, key_filename=KEY, look_for_keys=False, allow_agent=False)
        self.shell = self.client.invoke_shell(width=200)
        self.until_prompt()

    def until_prompt(self):
        seen = bytearray()
        while not seen.endswith(PROMPT):
            piece = self.shell.recv(262144)
            if not piece:
                raise EOFError
            seen += piece
        return seen

    def command(self, text):
        self.shell.sendall(text.encode() + b"\n")
        return self.until_prompt().decode()

    def close(self):
        self.client.close()


class Netmiko:
    def open(self, kind):
        from netmiko import ConnectHandler

        if kind == "telnet":
            login = {"device_type": "cisco_ios_telnet", "port": TELNET, "username": "lab", "password": "lab"}
        else:
            login = {"device_type": "cisco_ios", "port": SSH, "username": USER, "use_keys": True, "key_file": KEY}
        self.connection = ConnectHandler(host="127.0.0.1", **login)

    def command(self, text):
        return self.connection.send_command(text, read_timeout=SECONDS_MAX, expect_string="router#" if "tech" in text else None)

    def close(self):
        self.connection.disconnect()


class Scrapli:
    def open(self, kind):
        from scrapli.driver.core import IOSXEDriver

        login = {"auth_username": "lab", "auth_password": "lab", "port": TELNET, "transport": "telnet"}
        if kind == "ssh":
            login = {"auth_username": USER, "auth_private_key": KEY, "port": SSH, "transport": "system"}
        self.driver = IOSXEDriver(
            host="127.0.0.1", auth_strict_key=False, timeout_ops=SECONDS_MAX, default_desired_privilege_level="privilege_exec", **login
        )
        self.driver.open()

    def command(self, text):
        return self.driver.send_command(text).result

    def close(self):
        self.driver.close()


PEERS = [
    ("a bare loop in Python", Socket, ["telnet"]),
    ("telnetlib", Telnetlib, ["telnet"]),
    ("pexpect", Pexpect, ["telnet", "ssh"]),
    ("pexpect, tuned", PexpectTuned, ["telnet", "ssh"]),
    ("pexpect, tuned, on a socket", PexpectSocket, ["telnet"]),
    ("paramiko", Paramiko, ["ssh"]),
    ("netmiko", Netmiko, ["telnet", "ssh"]),
    ("scrapli", Scrapli, ["telnet", "ssh"]),
]


def bounded(work):
    signal.alarm(SECONDS_MAX)
    try:
        return work()
    finally:
        signal.alarm(0)


def logins(client, kind):
    def one():
        begin = time.perf_counter()
        client.open(kind)
        answer = client.command("show version")
        took = (time.perf_counter() - begin) * 1e3
        client.close()
        assert "line 39" in answer, answer[-200:]
        return took

    return statistics.median([one() for _ in range(3)])


def commands(client, kind):
    client.open(kind)
    begin = time.perf_counter()
    client.command("show version")
    each = time.perf_counter() - begin
    count = max(5, min(1000, int(5 / each)))
    begin = time.perf_counter()
    for _ in range(count):
        client.command("show version")
    return count / (time.perf_counter() - begin)


def large(client):
    begin = time.perf_counter()
    answer = client.command("show tech 10")
    assert len(answer) > 9_500_000, len(answer)
    return len(answer) / 1e6 / (time.perf_counter() - begin)


def measure(who, client, kind):
    name = {"telnet": "telnet", "ssh": "SSH"}[kind]
    for what, work in (
        (f"{name}: connect, log in, one command", lambda: logins(client, kind)),
        (f"{name}: show version of 40 lines", lambda: commands(client, kind)),
        (f"{name}: 10 MB as the answer of a command", lambda: large(client)),
    ):
        value = bounded(work)
        print(json.dumps({"peer": who, "name": what, "value": value}), flush=True)


signal.signal(signal.SIGALRM, too_slow)
for who, make, kinds in PEERS:
    for kind in kinds:
        try:
            measure(who, make(), kind)
        except ImportError as error:
            print(f"{who} is not measured: {error}", file=sys.stderr)
        except Exception as error:
            print(f"{who} over {kind} is measured no further: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
