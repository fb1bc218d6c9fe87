"""A process that reads files of strangers on the server's behalf, within limits: its main loop.

It is told tasks on standard input and answers on standard output, one JSON object a line: data that cannot become code
in the server, whatever a decoder was made to do here. Started by ``media_pool``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, BinaryIO

from unmuffle.serve.media_limits import TaskLimits, limit_this_process

Tell = Callable[[float, "float | None"], None]
"""Told the seconds of audio done, and those in all, None if they are not known."""


def main() -> None:
    """Do tasks until standard input ends, which it also does when the server dies."""
    # Both may be meant for all processes of the server; this one ends when the server lets go of it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    answers = _own_standard_output()
    tasks: SimpleQueue[dict[str, Any]] = SimpleQueue()
    # In a thread of its own, so that a task at work is not left over when the server is killed.
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    limit_this_process(tasks.get()["memory_bytes"])
    from unmuffle.serve.media_tasks import do_task, warm_up

    warm_up()
    _say(answers, {"ready": True})
    while True:
        task = tasks.get()
        _say(answers, {"taken": True})
        limits = TaskLimits(task["cpu_s"], task["file_bytes"])
        _say(answers, do_task(task, partial(_tell, answers, limits)))


def _own_standard_output() -> BinaryIO:
    """Return standard output for answers alone; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _listen(stream: BinaryIO, tasks: SimpleQueue[dict[str, Any]]) -> None:
    for line in stream:
        tasks.put(json.loads(line))
    os._exit(0)


def _tell(answers: BinaryIO, limits: TaskLimits, done_s: float, total_s: float | None) -> None:
    limits.allow_for(done_s)
    _say(answers, {"told": [done_s, total_s]})


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    try:
        answers.write(json.dumps(message).encode() + b"\n")
    except BrokenPipeError:
        # Nobody is there to hear it.
        os._exit(0)


if __name__ == "__main__":
    main()
