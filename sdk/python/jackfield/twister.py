"""Twister's names for tests: snake_case and camelCase, with Twister's return conventions.

A call that fails prints the error and answers `None` (`False` where Twister said so), instead of raising. `NAMES` is what every
Python test finds among its globals without importing anything.
"""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any, Callable, Mapping

import jackfield
from jackfield.errors import JackfieldError
from jackfield.session import Session

# Twister's words for what `jackfield.interact` asks.
_KINDS = {"msg": "message", "message": "message", "input": "input", "decide": "decide", "options": "options"}
# Marks a session among the global parameters: what is kept is its name, since its dialogue lives in the EP anyway.
_SESSION_KEY = "jackfield:session"

_live_objects: dict[str, Any] = {}


def _says(failed: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Twister's convention: print the error, and answer with `failed`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except JackfieldError as error:
                print(f"*ERROR* {function.__name__}: {error}", file=sys.stderr)
                return failed

        return called

    return decorate


@_says(None)
def log_msg(log_type: str, log_message: object) -> None:
    """Append to a log: `logRunning`, `logDebug`, `logTest`, `logCli`, or one of the lab's own."""
    jackfield.log_msg(log_type, log_message)


@_says(False)
def get_global(var: str) -> Any:
    """A global parameter or a folder of them; `False` where there is none."""
    if var in _live_objects:
        return _live_objects[var]
    value = jackfield.get_global(var)
    if isinstance(value, dict) and set(value) == {_SESSION_KEY}:
        kept = value[_SESSION_KEY]
        return jackfield.session(kept["resource"], name=kept["name"])
    return False if value is None else value


@_says(False)
def set_global(var: str, value: Any) -> bool:
    """Set a global parameter for all tests. A session is kept by its name, and joined by the test that asks for it.

    Any other live object is kept for this test alone, since each test is a process of its own.
    """
    if not var or value is None or value is False or (isinstance(value, (str, list, tuple, dict)) and not value):
        print(f"*ERROR* set_global: `{var}` cannot be set to an empty value", file=sys.stderr)
        return False
    if isinstance(value, Session):
        value = {_SESSION_KEY: {"resource": value.resource, "name": value.name}}
    try:
        jackfield.set_global(var, value)
    except JackfieldError as error:
        if not isinstance(error.__cause__, (TypeError, ValueError)):
            raise
        print(f"*WARNING* set_global: `{var}` is a {type(value).__name__}; only this test can see it", file=sys.stderr)
        _live_objects[var] = value
    else:
        _live_objects.pop(var, None)
    return True


@_says(None)
def get_config(cfg_path: str, var_path: str = "") -> Any:
    """A value, or a dictionary, of a test configuration."""
    return jackfield.get_config(cfg_path, var_path)


@_says(False)
def get_bind_id(component_name: str, test_config: str = "default_binding") -> Any:
    """The id of the SUT component that a component of a test configuration is bound to; `False` where there is none."""
    return jackfield.get_bind_id(component_name, test_config) or False


@_says(False)
def get_bind_name(component_name: str, test_config: str = "default_binding") -> Any:
    """The path of the SUT component that a component of a test configuration is bound to; `False` where there is none."""
    return jackfield.get_bind_name(component_name, test_config) or False


@_says(-1)
def count_project_files() -> int:
    """How many tests this run has."""
    return jackfield.context().get("tests_total", -1)


@_says(-1)
def current_file_index() -> int:
    """The place of this test in the run, from 0; -1 where it is not known."""
    words = str(jackfield.context().get("attempt", "")).split(".")
    return int(words[1]) if len(words) == 3 and words[1].isdigit() else -1


@_says(-1)
def count_suite_files() -> int:
    """How many tests this suite has."""
    return _suite_position()[1]


@_says(-1)
def current_fsuite_index() -> int:
    """The place of this test in its suite, from 0; -1 where it is not known."""
    return _suite_position()[0]


@_says(None)
def get_resource(query: str, dtype: type | None = None) -> Any:
    """A node of the test-bed tree, or one property of it. `dtype` is of Python 2 and changes nothing."""
    del dtype
    return jackfield.get_resource(query)


@_says(None)
def set_resource(name: str, parent: str | None = None, props: Mapping[str, Any] | str | None = None) -> Any:
    """Create a node (the answer is its id) or change it (the answer is `True`). `props` is a dictionary, or its text."""
    done = jackfield.set_resource(name, parent or "/", properties(props))
    return done["id"] if done["created"] else True


@_says(None)
def create_new_tb(name: str, parent: str = "/", props: Mapping[str, Any] | str | None = None) -> str:
    """Create a test bed; an error if there is one of that name."""
    return _create(name, "/" if parent in ("", "1") else parent, props)


@_says(None)
def create_component_tb(name: str, parent: str, props: Mapping[str, Any] | str | None = None) -> str:
    """Create a component of a test bed; an error if there is one of that name."""
    return _create(name, parent, props)


@_says(None)
def update_meta_tb(name: str, parent: str = "/", props: Mapping[str, Any] | str | None = None) -> bool:
    """Change properties of a component; an error if there is none of that name."""
    jackfield.get_resource(_below(parent, name))
    jackfield.set_resource(name, parent or "/", properties(props))
    return True


@_says(None)
def rename_resource(res_query: str, new_name: str) -> bool:
    """Give a node, or a property, another name."""
    jackfield.rename_resource(res_query, new_name)
    return True


@_says(None)
def delete_resource(query: str) -> bool:
    """Delete a node, or a property."""
    jackfield.delete_resource(query)
    return True


@_says(None)
def get_sut(query: str, follow_links: bool = False, dtype: type | None = None) -> Any:
    """A component of a SUT, or one property of it. `dtype` is of Python 2 and changes nothing."""
    del dtype
    return jackfield.get_sut(query, follow_links or None)


@_says(False)
def get_info_sut(query: str) -> Any:
    """As `get_sut`, but `False` where there is none."""
    return jackfield.get_sut(query)


@_says(None)
def interact(type: str, msg: str, timeout: float | None = None, options: Any = None) -> Any:
    """Ask a person: `msg`, `input`, `decide`, `options` (`{"options": […], "default": …}`)."""
    kind = _KINDS.get(type)
    if kind is None:
        raise JackfieldError("bad_request", f"`{type}` is no kind of question: msg, input, decide or options", "type")
    given = options if isinstance(options, Mapping) else {"options": options}
    return jackfield.interact(kind, msg, timeout, given.get("options"), given.get("default"))


@_says(False)
def set_custom_file_info(key: str, value: object) -> bool:
    """Keep a value with this test: `$key` in the lab's SQL and mail."""
    jackfield.variable(key, value)
    return True


def properties(props: Mapping[str, Any] | str | None) -> dict[str, Any]:
    """Properties as a dictionary, also from their text in JSON or in Python's notation."""
    if props is None or props == "":
        return {}
    if isinstance(props, Mapping):
        return dict(props)
    import ast
    import json

    for read in (json.loads, ast.literal_eval):
        try:
            value = read(props)
        except (ValueError, SyntaxError, TypeError):
            continue
        if isinstance(value, dict):
            return value
    raise JackfieldError("bad_request", f"properties are a dictionary or its text in JSON, not {props!r}", "props")


class Proxy:
    """What is left of Twister's `PROXY`, its raw connection to the server: the calls that a test needs."""

    get_global_variable = staticmethod(get_global)
    set_global_variable = staticmethod(set_global)
    get_config = staticmethod(get_config)
    log_message = staticmethod(log_msg)
    get_tb = staticmethod(get_resource)
    set_tb = staticmethod(set_resource)
    get_sut = staticmethod(get_sut)

    @staticmethod
    def echo(msg: str) -> str:
        """Proof of life: asks the EP, and answers as Twister did."""
        jackfield.context()
        return f"Echo: {msg}"

    @staticmethod
    def set_custom_file_info(*args: Any) -> bool:
        """Key and value, after whatever else Twister wanted to know (EP, test), which is this test now."""
        return set_custom_file_info(*args[-2:])

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"PROXY.{name} is not served to tests; the engine's HTTP API has it, where it exists (docs/api.md)")


def _suite_position() -> list[int]:
    return jackfield.context().get("suite_position") or [-1, -1]


def _create(name: str, parent: str, props: Mapping[str, Any] | str | None) -> str:
    path = _below(parent, name)
    try:
        jackfield.get_resource(path)
    except JackfieldError as error:
        if error.code != "not_found":
            raise
    else:
        raise JackfieldError("already_exists", f"`{path}` exists already", "name")
    return jackfield.set_resource(name, parent, properties(props))["id"]


def _below(parent: str, name: str) -> str:
    if parent and not parent.startswith("/"):
        parent = jackfield.get_resource(parent)["path"]
    return f"{parent.rstrip('/')}/{name}"


get_tb = get_resource
set_tb = set_resource
rename_tb = ren_resource = rename_resource
delete_tb = delete_resource
test_fail, test_abort = jackfield.test_fail, jackfield.test_abort
test_timeout, test_skip = jackfield.test_timeout, jackfield.test_skip

_SNAKE = (
    "log_msg get_global set_global get_config get_bind_id get_bind_name count_project_files current_file_index count_suite_files "
    "current_fsuite_index get_resource set_resource rename_resource ren_resource delete_resource get_tb set_tb rename_tb delete_tb "
    "create_new_tb create_component_tb update_meta_tb get_sut get_info_sut interact set_custom_file_info "
    "test_fail test_abort test_timeout test_skip"
).split()


# Calls of Twister that are not there yet: they say so, and what to do instead, where a `NameError` would say nothing.
_RESERVE = "a run has its resources for itself as its project says; name the SUT there"
_NOT_YET = {
    "get_binding": "ask for one component at a time with `get_bind_id` or `get_bind_name`",
    "set_binding": "bindings are a file of the lab, `bindings.xml`",
    "del_binding": "bindings are a file of the lab, `bindings.xml`",
    "py_exec": "each test is a process of its own; share values with `set_global`",
    **dict.fromkeys(
        (
            "reserve_tb save_reserved_tb save_release_reserved_tb discard_release_reserved_tb "
            "reserve_sut save_reserved_sut save_reserved_sut_as save_release_reserved_sut discard_release_reserved_sut"
        ).split(),
        _RESERVE,
    ),
    **dict.fromkeys(
        "set_sut create_new_sut create_component_sut update_meta_sut rename_sut delete_sut delete_component_sut".split(),
        "SUTs are changed by people, in the lab folder",
    ),
    "get_resource_status": "Twister had given it up itself; " + _RESERVE,
    "alloc_resource": "Twister had given it up itself; " + _RESERVE,
    "reserve_resource": "Twister had given it up itself; " + _RESERVE,
    "free_resource": "Twister had given it up itself; " + _RESERVE,
}


def _not_yet(name: str, instead: str) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        raise JackfieldError("unavailable", f"`{name}` of Twister is not there yet: {instead} (docs/moving-from-twister.md)")

    called.__name__ = called.__qualname__ = name
    return called


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _names() -> dict[str, Any]:
    here = globals()
    names = {name: here[name] for name in _SNAKE}
    names.update({_camel(name): here[name] for name in _SNAKE})
    names.update(logMessage=log_msg, currentFSuiteIndex=current_fsuite_index, PROXY=Proxy())
    for name, instead in _NOT_YET.items():
        names.update({spelled: _not_yet(spelled, instead) for spelled in (name, _camel(name))})
    names.update({name: getattr(jackfield, name) for name in ("session", "step", "check", "variable", "artifact", "cleanup")})
    return names


NAMES: dict[str, Any] = _names()
globals().update(NAMES)
__all__ = sorted(NAMES)
