"""The measures of dialogues through the SDK: a test like any other, which writes its figures into a file."""

import json
import statistics
import time

from jackfield import session

ROUNDS = 3
COMMANDS = 1000
CONNECT = {"protocol": "telnet", "host": "127.0.0.1", "port": @PORT@, "user": "lab", "password": "lab", "profile": "ios"}

rates = {"SDK: show version of 40 lines": [], "SDK: 10 MB as the answer of a command": []}
with session(connect=CONNECT) as router:
    router.command("show version")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(COMMANDS):
            answer = router.command("show version")
        rates["SDK: show version of 40 lines"].append(COMMANDS / (time.perf_counter() - begin))
        assert answer.count("\n") == 39, answer
        begin = time.perf_counter()
        answer = router.command("show tech 10", timeout=120)
        rates["SDK: 10 MB as the answer of a command"].append(len(answer) / 1e6 / (time.perf_counter() - begin))
        assert len(answer) > 9_500_000, len(answer)

with open("@FILE@", "w") as file:
    for name, values in rates.items():
        unit = "MB/s" if "MB" in name else "1/s"
        print(json.dumps({"name": name, "value": statistics.median(values), "floor": None, "unit": unit}), file=file)
