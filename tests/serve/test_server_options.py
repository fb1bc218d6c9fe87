"""Whatever a server can be told has an option, and what is missing to run one is named."""

from __future__ import annotations

import dataclasses
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from unmuffle.cli.app import app
from unmuffle.serve import server
from unmuffle.serve.keys import make_key
from unmuffle.serve.settings import ServerSettings

OF_THE_SERVER_ITSELF = {"run_dir", "worker"}
VALUES = {
    "--host": "0.0.0.0",
    "--model": "unmuffle-s",
    "--on-overload": "keep",
    "--allow-origin": "https://example.org",
    "--allow-host": "voice.example.org",
}
TOLD = {
    "max_upload_bytes": 7_000_000,
    "max_duration_s": 7 * 3600.0,
    "decode_seconds_limit": 7.0,
    "decode_memory_bytes": 7_000_000,
    "max_jobs": 7,
    "max_jobs_waiting": 7,
    "jobs_per_client": 7,
    "result_kept_s": 7.0,
    "max_results_bytes": 7_000_000,
    "audio_s_per_day": 7 * 3600.0,
    "requests_at_once": 7,
    "idle_timeout_s": 7.0,
    "drain_s": 7.0,
    "deadline_ms": 7.0,
}


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> ServerSettings:
    given: list[ServerSettings] = []
    monkeypatch.setattr(server, "serve", given.append)
    done = CliRunner().invoke(app, ["serve", *arguments])
    assert done.exit_code == 0, done.output
    return given[0]


def test_every_setting_has_an_option(monkeypatch, tmp_path):
    places = {"--keys": tmp_path / "keys", "--temp-dir": tmp_path, "--cache": tmp_path}
    places["--keys"].write_text(make_key()[1])
    arguments: list[str] = []
    for parameter in get_command(app).get_command(None, "serve").params:
        name = parameter.opts[0]
        if name in ("--make-key", "--help"):
            continue
        arguments.append(name)
        if not parameter.is_flag:
            arguments.append(str(places.get(name) or VALUES.get(name, "7")))
    told, before = run(*arguments, monkeypatch=monkeypatch), ServerSettings()
    names = {field.name for field in dataclasses.fields(ServerSettings)} - OF_THE_SERVER_ITSELF
    assert {name for name in names if getattr(told, name) == getattr(before, name)} == set()
    assert {name: getattr(told, name) for name in TOLD} == TOLD


def test_without_options_it_is_what_the_settings_say(monkeypatch):
    told, defaults = run(monkeypatch=monkeypatch), ServerSettings()
    for field in dataclasses.fields(ServerSettings):
        # Megabytes are rounded.
        value = getattr(defaults, field.name)
        assert getattr(told, field.name) == (pytest.approx(value, rel=1e-3) if isinstance(value, int) else value)


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "websockets", "prometheus_client", "python_multipart"])
def test_a_package_that_is_missing_is_named(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(server, "serve", lambda _: None)
    done = CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 1
    assert f"needs the package {package}" in done.output
    assert '"unmuffle[serve]"' in done.output


@pytest.mark.parametrize("option", ["--result-kept-s", "--decode-seconds", "--idle-timeout-s", "--ping-interval-s"])
def test_times_that_cannot_be_are_told(option):
    for value in ("0", "-1", "nan"):
        done = CliRunner().invoke(app, ["serve", option, value])
        assert done.exit_code == 1
        assert "it must be above 0" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "nobody"), "there is no model 'nobody'"),
        (("--model", "{folder}/none.onnx"), "does not exist"),
        (("--model", "{folder}/junk.onnx"), "is damaged, not an ONNX file"),
        (("--temp-dir", "{folder}/file/x"), "no folder for temporary files can be made"),
        (("--cache", "{folder}/file/x"), "the cache cannot be kept in"),
        (("--keys", "{folder}/none"), "cannot be read"),
        (("--audio-hours-per-day", "-1"), "it must be above 0"),
        (("--host", "nowhere.invalid"), "cannot listen on nowhere.invalid"),
    ],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_keeps_it_from_starting_is_told_in_one_line(tmp_path, arguments, words, workers):
    (tmp_path / "file").touch()
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    given = [word.format(folder=tmp_path) for word in arguments]
    done = CliRunner().invoke(app, ["serve", "--port", "0", "--workers", workers, *given])
    assert done.exit_code == 1
    assert words in done.output
    assert len(done.output.splitlines()) == 1
    assert done.output.startswith("unmuffle: ")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "junk.onnx"}
