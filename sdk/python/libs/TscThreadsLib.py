"""Twister's way of running functions in threads: `tasks_reset`, `tasks_append` for each, `tasks_start` for all."""

import traceback
from threading import Thread

__all__ = ["tasks_reset", "tasks_append", "tasks_start"]

_tasks = []


class _Task(Thread):
    """A thread that keeps what its function returned; `False` if it raised."""

    def __init__(self, function, args, kwargs):
        Thread.__init__(self)
        self._work = function, args, kwargs
        self.result = None

    def run(self):
        function, args, kwargs = self._work
        try:
            self.result = function(*args, **kwargs)
        except Exception:
            traceback.print_exc()
            self.result = False


def tasks_reset():
    """Forget all tasks."""
    del _tasks[:]


def tasks_append(func, *args, **kwargs):
    """Add a task."""
    _tasks.append(_Task(func, args, kwargs))
    return True


def tasks_start(timeout=None):
    """Start all tasks, wait for each for at most `timeout` seconds, and answer with their results in order (`None`: not done)."""
    for task in _tasks:
        task.start()
    for task in _tasks:
        task.join(timeout)
    return [task.result for task in _tasks]
