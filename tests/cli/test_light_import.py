"""Importing the package loads none of what is only needed later, so that it is quick."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("scipy", "av", "soundfile", "soxr", "onnxruntime", "torch", "typer", "rich", "multiprocessing")


def loaded_after(statement):
    ask = f"import json, sys; {statement}; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import unmuffle") & set(HEAVY) == set()


@pytest.mark.parametrize("module", ["unmuffle.cli", "unmuffle.cli.app"])
def test_importing_the_command_line_loads_no_codecs(module):
    assert loaded_after(f"import {module}") & {"scipy", "av", "soundfile", "soxr", "onnxruntime", "torch"} == set()


def test_enhancing_loads_no_more_than_it_uses():
    statement = "import numpy, unmuffle; unmuffle.enhance(numpy.ones(8000), 8000, method='wiener')"
    assert loaded_after(statement) & {"av", "soundfile", "soxr", "onnxruntime", "torch", "typer"} == set()
