"""What the demo's tests share: reading a router's table of routes. A library, sent to every EP of the run."""

import re

ROUTE = re.compile(r"^(?P<code>[A-Z])\s+(?P<prefix>\d+\.\d+\.\d+\.\d+/\d+)\s+via (?P<via>.*?)\s*$", re.M)


def routes(text):
    """The routes in the answer to `show ip route`: where each prefix leads."""
    return {found["prefix"]: found["via"] for found in ROUTE.finditer(text)}


def configure(session, *lines):
    """Give lines of configuration, and come back."""
    for line in ("configure terminal", *lines, "end"):
        answer = session.command(line)
        assert not answer.lstrip().startswith("%"), f"the router refused `{line}`: {answer.strip()}"
