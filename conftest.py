"""Runs the examples of README.md and docs/ as tests, each page in a folder of its own that holds ``examples/``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from xdist.scheduler import LoadScopeScheduling

HERE = Path(__file__).parent

# One thread a test process, read by numerical libraries as they load: more get in each other's way.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")


def enter_folder(namespace: dict[str, Any]) -> None:
    """Go into a new folder with the example recording in it."""
    folder = tempfile.mkdtemp(prefix="unmuffle-docs-")
    (Path(folder) / "examples").mkdir()
    for recording in (HERE / "examples").glob("*.flac"):
        shutil.copy(recording, Path(folder) / "examples")
    namespace["_left"], namespace["_entered"] = Path.cwd(), folder
    # Examples clear the user's cache: not that of whoever runs them.
    namespace["_cache"] = os.environ.get("UNMUFFLE_CACHE")
    os.environ["UNMUFFLE_CACHE"] = str(Path(folder) / "cache")
    os.chdir(folder)


def leave_folder(namespace: dict[str, Any]) -> None:
    """Go back and remove the folder."""
    os.chdir(namespace["_left"])
    if namespace["_cache"] is None:
        del os.environ["UNMUFFLE_CACHE"]
    else:
        os.environ["UNMUFFLE_CACHE"] = namespace["_cache"]
    shutil.rmtree(namespace["_entered"])


def run_shell(example: Example) -> str | None:
    """Run a block of commands as a reader would; return what went wrong."""
    commands = str(example.parsed)
    if "pip install" in commands:
        # Installing is tried by .ci/run, in fresh environments.
        return None
    if "ffmpeg" in commands and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=os.environ | {"PATH": path},
        capture_output=True,
        check=False,
    )
    return None if done.returncode == 0 else f"exit code {done.returncode}\n{done.stderr.decode(errors='replace')}"


# They import frameworks that may be missing or warn of their own; their examples are in docs/integrations.md.
collect_ignore = [f"src/unmuffle/integrations/{name}.py" for name in ("aiortc_track", "livekit", "pipecat")]

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), CodeBlockParser("bash", run_shell)],
    patterns=["README.md", "docs/*.md"],
    setup=enter_folder,
    teardown=leave_folder,
).pytest()


class FileByFile(LoadScopeScheduling):
    """Shares files of tests and pages of examples out as wholes, but the tests of the laws singly: they are thousands.

    The examples of a page use the names of earlier ones, and tests of a file share what is costly to make.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith("tests/laws/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileByFile:
    """Have pytest-xdist share the tests out in this way."""
    return FileByFile(config, log)
