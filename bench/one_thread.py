"""Runs a function of this package alone in a process of its own, on one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from unmuffle.jobs.one_thread import ONE_THREAD

RUN = """
import importlib, json, sys
module, function, arguments = json.loads(sys.argv[1])
print("RESULT " + json.dumps(getattr(importlib.import_module(module), function)(*arguments)))
"""


def call(module: str, function: str, *arguments: Any) -> Any:
    """Return what the function returns; arguments and result are JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, json.dumps([module, function, arguments])],
        cwd=Path(__file__).parent.parent,
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise RuntimeError(f"{module}.{function} failed:\n{done.stderr}")


def peak_mb() -> float:
    """Return the largest memory this process has had resident, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
