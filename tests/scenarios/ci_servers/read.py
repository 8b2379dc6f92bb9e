"""Reads a JUnit file as those do who get one: read.py FILE prints what each of them makes of it, as JSON.

junitparser is the library itself. Jenkins and GitLab are played by the rules of their own readers (SuiteResult and TestResult of Jenkins' JUnit
plugin, lib/gitlab/ci/parsers/test/junit.rb), as far as these drop, merge or refuse something."""

import json
import sys
import xml.etree.ElementTree as tree

from junitparser import Error, Failure, JUnitXml, Skipped

FILE = sys.argv[1]
KINDS = ("failure", "error", "skipped")
# What GitLab takes of a report by default: 100 MB of an artifact, 500,000 cases.
GITLAB_BYTES_MAX = 100 * 1024 * 1024


def counted(kinds):
    kinds = list(kinds)
    return {"tests": len(kinds), **{kind: kinds.count(kind) for kind in KINDS}}


def junitparser():
    report = JUnitXml.fromfile(FILE)
    names = {Failure: "failure", Error: "error", Skipped: "skipped"}
    kinds, faults = [], []
    for suite in report:
        own = []
        for case in suite:
            results = case.result if isinstance(case.result, list) else [case.result]
            found = [names[type(result)] for result in results if type(result) in names]
            own.append(found[0] if found else "passed")
            if not case.name or not case.classname or case.time is None:
                faults.append(f"a case of {suite.name} lacks name, class or time")
        told = {"tests": suite.tests, "failure": suite.failures, "error": suite.errors, "skipped": suite.skipped}
        if told != counted(own):
            faults.append(f"{suite.name} tells {told} and holds {counted(own)}")
        kinds += own
    told = {"tests": report.tests, "failure": report.failures, "error": report.errors, "skipped": report.skipped}
    if told != counted(kinds):
        faults.append(f"the file tells {told} and holds {counted(kinds)}")
    return {**counted(kinds), "faults": faults}


def kind_of(case):
    return next((kind for kind in KINDS if case.find(kind) is not None), "passed")


def leaves(node):
    for suite in node.findall("testsuite"):
        yield from leaves(suite)
    if node.find("testcase") is not None:
        yield node


def jenkins():
    suites, faults, kinds = {}, [], []
    for suite in leaves(tree.parse(FILE).getroot()):
        float(suite.get("time").replace(",", ""))
        key = (suite.get("name"), suite.get("id"))
        if key in suites and suites[key] == suite.get("timestamp") is not None:
            faults.append(f"{key} is dropped: a suite of this name, id and timestamp was there before")
            continue
        suites[key] = suite.get("timestamp")
        for case in suite.findall("testcase"):
            float(case.get("time").replace(",", ""))
            if "." not in case.get("classname"):
                faults.append(f"{case.get('name')} stands in the package (root): its class has no dot")
            kinds.append(kind_of(case))
    return {**counted(kinds), "faults": faults}


def gitlab():
    cases, faults = {}, []
    with open(FILE, "rb") as file:
        if len(file.read()) > GITLAB_BYTES_MAX:
            faults.append("the file is larger than an artifact may be")
    root = tree.parse(FILE).getroot()
    if root.tag not in ("testsuites", "testsuite"):
        faults.append(f"{root.tag} is no root")
    for suite in root.iter("testsuite"):
        for case in suite.findall("testcase"):
            # The newest versions tell suites apart, too; those that people have run do not.
            key = (case.get("classname"), case.get("name"))
            if key in cases:
                faults.append(f"{key} is left out: a case of this class and name was there before")
                continue
            cases[key] = kind = kind_of(case)
            if kind in ("failure", "error") and not (case.find(kind).text or "").strip():
                faults.append(f"{key} shows no reason: only what stands inside of <{kind}> is shown")
            if not case.get("file") or case.get("file").startswith("/"):
                faults.append(f"{key} has no file below the project")
    return {**counted(cases.values()), "faults": faults}


print(json.dumps({"junitparser": junitparser(), "jenkins": jenkins(), "gitlab": gitlab()}))
