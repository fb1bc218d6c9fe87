"""A command loads what it needs, and nothing of the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = """
import sys
from unmuffle.cli import main
sys.argv = ["unmuffle", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print([name for name in sys.modules if name.startswith(("unmuffle.measure.", "unmuffle.train"))], file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--version"], ["methods"], ["enhance", "--help"]])
def test_commands_that_measure_nothing_load_no_evaluation(arguments):
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    loaded = done.stderr.splitlines()[-1]
    assert "unmuffle.measure.evaluation" not in loaded
    assert "unmuffle.measure.report" not in loaded
    assert "unmuffle.train" not in loaded
