"""Twister's libraries for devices, on sessions."""

from __future__ import annotations

import os
import unittest

from lab import PYTHON, SDK_DIR, Lab


class Libraries(Lab):
    def run_script(self, text):
        return self.execute([PYTHON, os.path.join(SDK_DIR, "python", "run.py"), self.write("t.py", text)])

    def test_telnet(self):
        text = """
from TscTelnetLib import *
m = TelnetManager()
assert m.write("x") is False and m.get_connection("r1") is False
assert m.open_connection("r1", "10.0.0.1", 2323, "admin", "pw", "login:", "assword:")
assert m.open_connection("r1", "10.0.0.1") is False
assert m.open_connection("r2", "10.0.0.2") and m.list_connections() == ["r1", "r2"]
assert m.set_active_connection("r1") and not m.set_active_connection("r3")
assert m.write("ip route 10.0.0.0/24") == "router# " and m.read_until("# ") == "router# "
assert m.write("show ip route") == "10.0.0.0/24\\nrouter# " and m.read() == "10.0.0.0/24\\nrouter# " and m.read() == ""
assert m.get_connection().write("", result=False) is True and m.expect("router#", "show ip route").lstrip() == "10.0.0.0/24\\nrouter# "
assert m.read_until("never") is False
assert m.set_timeout(1) and m.get_connection().timeout == 2 and not m.set_timeout("x")
assert m.alive() and m.login("r1") and m.login("r2") is False and m.close_connection() and m.alive("r1") is False
assert m.close_all_connections() and m.list_connections() == []
"""
        done = self.run_script(text)
        self.ended(done, 0)
        self.assertIn("*ERROR* telnet: timed out waiting for", done.stderr)

    def test_ssh(self):
        text = """
from TscSshLib import SshManager
m = SshManager()
assert m.open_connection("s", "10.0.0.1", "admin", "pw")
c = m.get_connection()
assert c.port == 22 and c.write("show ip route") and c.read().endswith("router# ")
"""
        self.ended(self.run_script(text), 0)
        self.assertEqual(self.ep.sessions["ssh s"]["target"], {"protocol": "ssh", "host": "10.0.0.1", "port": 22, "user": "admin", "password": "pw", "host_key": "accept-new"})


if __name__ == "__main__":
    unittest.main()
