"""What goes wrong in a script where nobody looks, and what of it never ran: without a word it would pass.

An exception in a thread, in a task of asyncio that nobody awaits, or in a callback of its loop is printed, and the script goes on; a coroutine
that nobody awaits has not run at all. Whoever has a handler of their own (`threading.excepthook`, `loop.set_exception_handler`) looks after
them instead.
"""

from __future__ import annotations

import _thread
import os
import sys
import warnings
from types import CodeType, CoroutineType, ModuleType
from typing import Any, Callable, NamedTuple


class Unheard(NamedTuple):
    """Something of that kind."""

    error: BaseException | None
    """What nothing caught; `None` where something did not run."""
    where: str
    """The thread, task or callback; or, the whole sentence."""


found: list[Unheard] = []
"""All of it so far, in order."""

OWN_FILES = os.path.dirname(os.path.abspath(__file__)) + os.sep
"""How the names of this package's files begin."""

_listens = False
_has_coroutines = False
_LIBRARY = os.path.dirname(os.__file__) + os.sep


def listen() -> None:
    """Hear of it from now on, once. Imports nothing that a test does not import itself: `threading` and `asyncio` cost more than most tests."""
    global _listens
    if _listens:
        return
    _listens = True
    _hear_threads()
    _hear_coroutines()
    if "asyncio.base_events" in sys.modules:
        _hear_tasks(sys.modules["asyncio.base_events"])
    else:
        sys.meta_path.insert(0, _Asyncio)  # type: ignore[arg-type]


def expect_coroutines() -> None:
    """The script makes some itself: at its end they are looked for, also where nothing imports asyncio."""
    global _has_coroutines
    _has_coroutines = True


def at_the_end() -> None:
    """Wait for the threads that are left, and look through what nobody has thrown away yet."""
    if "threading" in sys.modules:
        import threading

        own = threading.current_thread()
        while waited := [one for one in threading.enumerate() if one is not own and not one.daemon]:
            waited[0].join()
    if _has_coroutines or "asyncio" in sys.modules:
        _look_through()


def _hear_threads() -> None:
    """`threading` takes what it does about an exception that a thread does not catch from `_thread`, where it is imported."""
    show = _thread._excepthook  # type: ignore[attr-defined]

    def excepthook(args: Any) -> None:
        show(args)
        if not issubclass(args.exc_type, SystemExit):
            found.append(Unheard(args.exc_value, getattr(args.thread, "name", "a thread")))

    _thread._excepthook = excepthook  # type: ignore[attr-defined]
    threading = sys.modules.get("threading")
    if threading is not None and threading.excepthook is show:
        threading.excepthook = excepthook


class _Asyncio:
    """Finds no modules, and sees when that of asyncio's loops is imported."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "asyncio.base_events":
            return None
        others = [finder for finder in sys.meta_path if finder is not cls]
        spec = next((spec for finder in others if (spec := finder.find_spec(name, path, target)) is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _hear_tasks(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _hear_tasks(base_events: Any) -> None:
    show: Callable[[Any, dict[str, Any]], None] = base_events.BaseEventLoop.default_exception_handler

    def default_exception_handler(loop: Any, context: dict[str, Any]) -> None:
        show(loop, context)
        error = context.get("exception")
        # What a peer does to a connection is told as well, and is nothing that the script has missed.
        is_connection = "transport" in context and "client_connected_cb" not in context.get("message", "")
        if isinstance(error, BaseException) and not is_connection:
            found.append(Unheard(error, _place(context)))

    base_events.BaseEventLoop.default_exception_handler = default_exception_handler


def _place(context: dict[str, Any]) -> str:
    task = context.get("task") or context.get("future")
    if hasattr(task, "get_name"):
        coroutine = getattr(task.get_coro(), "__qualname__", "")
        return f"{task.get_name()} ({coroutine})" if coroutine else str(task.get_name())
    return "a callback of asyncio" if "handle" in context else "asyncio"


def _hear_coroutines() -> None:
    warn = getattr(warnings, "_warn_unawaited_coroutine", None)
    if warn is None:
        # This Python tells of them in another way; those that are left at the end are seen all the same.
        return

    def warn_unawaited_coroutine(coroutine: CoroutineType[Any, Any, Any]) -> None:
        warn(coroutine)
        _never_ran(coroutine)

    warnings._warn_unawaited_coroutine = warn_unawaited_coroutine  # type: ignore[attr-defined]


def _never_ran(coroutine: CoroutineType[Any, Any, Any]) -> None:
    code: CodeType = coroutine.cr_code
    # Libraries, such as the mocks of unittest, make some that are never asked for.
    if code.co_filename.startswith((_LIBRARY, OWN_FILES)) or f"-packages{os.sep}" in code.co_filename:
        return
    name = coroutine.__name__
    found.append(Unheard(None, f"the coroutine `{name}` was never awaited, so it did not run; await it, or end with `asyncio.run({name}(...))`"))


def _look_through() -> None:
    """Tasks and coroutines that something still refers to: an interpreter tells of them while it ends, which this one leaves out."""
    import gc

    asyncio = sys.modules.get("asyncio")
    futures = (asyncio.Future, asyncio.Task) if asyncio is not None and hasattr(asyncio, "Task") else ()
    for one in gc.get_objects():
        kind = type(one)
        if kind is CoroutineType:
            if _is_new(one):
                _never_ran(one)
        elif futures and issubclass(kind, futures) and one.done() and getattr(one, "_log_traceback", False):
            error = one.exception()
            # By its loop, which may have a handler of the script's own.
            one.get_loop().call_exception_handler({"message": f"{kind.__name__} exception was never retrieved", "exception": error, "future": one})


def _is_new(coroutine: CoroutineType[Any, Any, Any]) -> bool:
    """Whether nothing of it has run; `inspect.getcoroutinestate`, without importing it."""
    frame = coroutine.cr_frame
    if frame is None or coroutine.cr_running:
        return False
    is_suspended: bool = getattr(coroutine, "cr_suspended", frame.f_lasti != -1)
    return not is_suspended
