"""What ``unmuffle doctor`` tells of extras: which are there, what they are for, and how the others are had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import command

from unmuffle.cli import doctor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(doctor, "real_time_factor", lambda _: 0.01)


def extras_said() -> dict[str, str]:
    lines = command("doctor").out.splitlines()
    chosen = lines[lines.index("extras") + 1 : lines.index("models")]
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in chosen}


def test_every_extra_has_a_purpose():
    assert set(doctor.PURPOSES) == set(tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"])


def test_what_is_missing_and_what_installs_it(monkeypatch):
    told = {"made-up": [], "ray": ["ray"], "serve": ["uvicorn", "websockets"], "live": []}
    monkeypatch.setattr(doctor, "extras", lambda: told)
    monkeypatch.setattr(doctor, "troubles", dict)
    said = extras_said()
    assert list(said) == ["serve", "live", "ray", "made-up"]
    assert said["serve"].startswith('not installed: pip install "unmuffle[serve]" brings uvicorn, websockets (')
    assert said["live"] == "installed (unmuffle live: microphone to headphones)"
    assert said["made-up"] == "installed"


def test_sound_without_its_library_is_told(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(doctor, "extras", lambda: {"live": []})
    assert "needs the library PortAudio: sudo apt install libportaudio2" in extras_said()["live"]
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)


def test_no_sound_without_its_package_is_no_trouble(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    assert doctor.troubles() == {}
