"""How a script's own result is read: Twister's numbers and words, and ours."""

from __future__ import annotations

from typing import Any

from jackfield.errors import text_of

WORDS = {
    "PASS": "PASS",
    "PASSED": "PASS",
    "FAIL": "FAIL",
    "FAILED": "FAIL",
    "SKIP": "SKIPPED",
    "SKIPPED": "SKIPPED",
    "ABORT": "ABORTED",
    "ABORTED": "ABORTED",
    "NOT_EXEC": "NOT_EXECUTED",
    "NO_EXEC": "NOT_EXECUTED",
    "NOT_EXECUTED": "NOT_EXECUTED",
    "TIMEOUT": "TIMEOUT",
    "INVALID": "INVALID",
}
NUMBERS = {
    0: "PASS",
    2: "PASS",
    3: "FAIL",
    4: "SKIPPED",
    5: "ABORTED",
    6: "NOT_EXECUTED",
    7: "TIMEOUT",
    8: "INVALID",
}


def read(value: Any) -> tuple[str, str]:
    """The verdict that a value of `_RESULT` stands for, and a reason where the value needs one.

    Anything that is no verdict is FAIL, as it was in Twister. The two booleans mean what they say: Twister read `True` as 1, which is
    "working" and so FAIL, and `False` as 0, which is PASS.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2:
        verdict, why = read(value[0])
        given = "" if value[1] is None else text_of(value[1])
        return verdict, given or why
    if isinstance(value, bool):
        return ("PASS" if value else "FAIL"), ""
    verdict = _word(value)
    if verdict is not None:
        return verdict, ""
    shown = text_of(value, repr)
    return "FAIL", f"the script's result {shown[:80]} is no verdict: PASS, FAIL, SKIPPED, ABORTED, NOT_EXECUTED, TIMEOUT or INVALID"


def _word(value: Any) -> str | None:
    if isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.isdigit():
            return NUMBERS.get(int(text)) if len(text) < 4 else None
        return WORDS.get(text.upper().replace("-", "_").replace(" ", "_"))
    if isinstance(value, (int, float)):
        return NUMBERS.get(value)
    return None
