"""Running commands within the test's own process, as far as that is enough."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from unmuffle.cli.app import app

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="the ffmpeg command line, which makes the files, is not installed"
)
_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on standard error."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("unmuffle: "), self.err
        return self.err.removesuffix("\n")


def command(*arguments: object) -> Said:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.stderr
    return Said(result.exit_code, result.stdout, plain(result.stderr))


def plain(text: str) -> str:
    """Leave out colours and the movements of the cursor."""
    return _STYLES.sub("", text)


def ffmpeg(*arguments: object) -> None:
    command_line = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command_line, check=True, capture_output=True, stdin=subprocess.DEVNULL)
