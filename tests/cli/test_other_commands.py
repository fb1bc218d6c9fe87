"""``doctor``, ``methods``, the version and the help."""

from __future__ import annotations

import json
import platform
from importlib import metadata

import numpy as np
import pytest
from command_line import command

import unmuffle
from unmuffle.cli import doctor
from unmuffle.denoise import METHODS
from unmuffle.models import default_model, list_models


def test_methods_are_listed_one_a_line():
    said = command("methods")
    assert said.code == 0
    names = [line.split()[0] for line in said.out.splitlines()]
    assert names == ["auto", *METHODS]
    assert said.out.splitlines()[0].endswith(f"now {default_model().name}")
    for line, method in zip(said.out.splitlines()[1:], METHODS.values(), strict=True):
        assert line.endswith(f"  {method.summary}")


def test_every_method_that_is_listed_can_be_used():
    noise = 0.01 * np.random.default_rng(0).standard_normal(8_000)
    for line in command("methods").out.splitlines():
        assert unmuffle.enhance(noise, 8_000, method=line.split()[0]).shape == noise.shape


def test_the_doctor_tells_versions_extras_and_speed():
    said = command("doctor")
    assert said.code == 0
    assert said.out.startswith(f"unmuffle {unmuffle.__version__}, Python {platform.python_version()}")
    assert f"  numpy {metadata.version('numpy')}\n" in said.out
    assert "extras\n" in said.out
    assert f"  {default_model().name} {default_model().card.version}: runs, and is what auto means\n" in said.out
    assert "real-time factor" in said.out
    assert "auto needs" in said.out.splitlines()[-1]


def test_the_doctor_speaks_json():
    told = json.loads(command("doctor", "--json").out)
    assert told["unmuffle"] == unmuffle.__version__
    assert set(told["packages"]) == set(doctor.CORE)
    assert all(told["packages"].values())
    assert {"metrics", "dev"} <= set(told["extras"])
    assert set(told["real_time_factor"]) == {*METHODS, *(model.name for model in list_models())}
    assert all(factor > 0 for factor in told["real_time_factor"].values())


def test_the_doctor_fails_where_a_package_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "CORE", ("numpy", "surely-not-installed"))
    said = command("doctor")
    assert said.code == 1
    assert "surely-not-installed is missing: pip install surely-not-installed" in said.out


@pytest.mark.parametrize(("factor", "verdict"), [(0.02, "this machine keeps up"), (1.3, "does not keep up")])
def test_the_doctors_verdict(monkeypatch, factor, verdict):
    monkeypatch.setattr(doctor, "real_time_factor", lambda _: factor)
    assert verdict in command("doctor").out.splitlines()[-1]


def test_the_version():
    assert command("--version").out == f"unmuffle {unmuffle.__version__}\n"


@pytest.mark.parametrize("name", [(), ("enhance",), ("info",), ("doctor",), ("methods",)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_is_there_for_every_command(name, flag):
    said = command(*name, flag)
    assert (said.code, said.err) == (0, "")
    assert "Usage: " in said.out


def test_the_help_of_enhance_names_every_option_in_full():
    text = command("enhance", "--help").out
    for option in (
        "--output",
        "--method",
        "--strength",
        "--max-attenuation-db",
        "--noise-profile",
        "--save-removed",
        "--residual",
        "--no-link-channels",
        "--nonfinite",
        "--format",
        "--raw",
        "--jobs",
        "--overwrite",
        "--skip-existing",
        "--quiet",
    ):
        assert f"{option} " in text or f"{option}\n" in text


def test_commands_are_summarised_in_full():
    assert "..." not in command("--help").out.split("Commands:")[1]
