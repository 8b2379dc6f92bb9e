"""The examples and what goes with the product: everything they name is there and can be read, and the snippets of the documentation are what the examples say.

That they run is shown by the scenario that runs the demo with an engine, EPs and simulated devices.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import unittest
import xml.etree.ElementTree as xml

from lab import PYTHON, SDK_DIR

ROOT = os.path.dirname(SDK_DIR)
DEMO = os.path.join(ROOT, "examples", "demo")
# Marks a snippet of the documentation as taken from a file.
SNIPPET = re.compile(r"<!-- (examples/\S+) -->\n```\w+\n(.*?)```", re.S)

# For each ending, the command that reads a script, given as its last argument, without running it.
_PERL = "use Jackfield; my $text = do { local (@ARGV, $/) = $ARGV[0]; <> }; eval qq{use vars qw(\$EP); sub { $text }} or die $@"
_TCL = "printf 'if {![info complete [read [open %s]]]} { exit 1 }' \"$0\" | tclsh"
CHECKS = {
    ".py": [PYTHON, "-c", "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')"],
    ".sh": ["sh", "-n"],
    ".pl": ["perl", "-I", os.path.join(SDK_DIR, "perl"), "-e", _PERL],
    ".tcl": ["sh", "-c", _TCL],
}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def files(*below):
    found = []
    for folder, _, names in os.walk(os.path.join(DEMO, *below)):
        found += [os.path.join(folder, name) for name in names if not name.endswith(".pyc")]
    return sorted(found)


class Demo(unittest.TestCase):
    def setUp(self):
        self.project = xml.fromstring(read(DEMO, "projects", "demo.xml"))
        # Its tests need a JDK, which not every workstation has.
        self.java = xml.fromstring(read(DEMO, "projects", "java.xml"))

    def test_every_file_that_is_named_is_there_and_no_other(self):
        named = [case.text for project in (self.project, self.java) for case in project.iter("tcName")]
        there = [os.path.relpath(path, os.path.join(DEMO, "tests")) for path in files("tests")]
        self.assertEqual(sorted(named), there)
        for config in self.project.iter("Config"):
            self.assertTrue(os.path.isfile(os.path.join(DEMO, "configs", config.get("name"))))
        for library in filter(None, self.project.findtext("libraries").split(";")):
            self.assertTrue(os.path.isfile(os.path.join(DEMO, "libs", library)))

    def test_ids_are_unique_and_dependencies_lead_to_them(self):
        ids = [element.text for element in self.project.iter("ID")]
        self.assertEqual(len(ids), len(set(ids)))
        for dependency in self.project.iter("Dependency"):
            for part in filter(None, dependency.text.split(";")):
                self.assertIn(part.split(":")[0], ids)

    def test_the_sut_links_to_devices_that_exist(self):
        devices = {node["id"]: name for name, node in json.loads(read(DEMO, "resources.json"))["children"]["lab"]["children"].items()}
        sut = json.loads(read(DEMO, "sut", "demo.json"))
        self.assertEqual(sorted(devices[part["meta"]["_id"]] for part in sut["children"].values()), sorted(devices.values()))
        self.assertEqual({sut["path"][0]}, {re.sub(r"\((\w+)\)", r".\1", name.text) for name in self.project.iter("SutName")})

    def test_every_script_can_be_read_by_its_language(self):
        seen = set()
        for path in files("tests"):
            ending = os.path.splitext(path)[1]
            seen.add(ending)
            if not ending:
                self.assertTrue(os.access(path, os.X_OK), path)
                ending = ".sh"
            if ending in CHECKS:
                done = subprocess.run([*CHECKS[ending], path], capture_output=True, text=True, timeout=30)
                self.assertEqual(done.returncode, 0, f"{path}: {done.stderr}")
        self.assertEqual(seen, {".py", ".sh", ".tcl", ".pl", ".toml", ".java", ""})

    def test_xml_files_can_be_read(self):
        for name in ("globals.xml", "db.xml", "email.xml", "configs/router_load"):
            xml.fromstring(read(DEMO, name))


class Embedding(unittest.TestCase):
    def test_the_ep_carries_every_file(self):
        rust = read(ROOT, "execution-process", "src", "sdk.rs")
        carried = set(re.findall(r'include_str!\("\.\./\.\./sdk/([^"]+)"\)', rust))
        there = set()
        for language in ("java", "python", "tcl", "perl", "shell"):
            for folder, _, names in os.walk(os.path.join(SDK_DIR, language)):
                if "tests" not in folder and "__pycache__" not in folder:
                    there |= {os.path.relpath(os.path.join(folder, name), SDK_DIR) for name in names}
        self.assertEqual(carried, there, "execution-process/src/sdk.rs lists what an EP gives its tests")


class Documentation(unittest.TestCase):
    def test_snippets_are_what_the_examples_say(self):
        found = SNIPPET.findall(read(ROOT, "docs", "writing-tests.md"))
        self.assertGreaterEqual(len(found), 6)
        for path, snippet in found:
            self.assertIn(snippet, read(ROOT, path), f"docs/writing-tests.md quotes {path} wrongly")

    def test_every_function_that_is_named_exists(self):
        text = read(ROOT, "docs", "writing-tests.md")
        shell = read(SDK_DIR, "shell", "jackfield.sh")
        for name in set(re.findall(r"\bjf_\w+", text)):
            self.assertRegex(shell, rf"(?m)^{name}\(\)", name)


if __name__ == "__main__":
    unittest.main()
