"""POST /v1/analyze tells what the command line tells, and /v1/measure what the measures say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from files_server import FileServer, running

from unmuffle import Enhancer
from unmuffle.measure import score, score_damage
from unmuffle.measure.evaluation.clips import read_audio

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve")) as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four seconds of a noisy recording, its clean version and its enhanced one."""
    folder = tmp_path_factory.mktemp("files")
    found = {}
    for role in ("noisy", "clean"):
        audio, rate = soundfile.read(EXAMPLES / f"{role}.flac", stop=4 * 48_000)
        found[role] = folder / f"{role}.flac"
        soundfile.write(found[role], audio, rate)
    found["enhanced"] = folder / "enhanced.flac"
    Enhancer("wiener").enhance_file(found["noisy"], found["enhanced"])
    return found


def assert_alike(one: object, other: object) -> None:
    """Equal, numbers but for what the order of summing makes of them."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_alike(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for item, its_other in zip(one, other, strict=True):
            assert_alike(item, its_other)
    else:
        assert one == (pytest.approx(other, rel=1e-4) if isinstance(one, float) else other)


def test_analyze_tells_what_info_and_diagnose_tell(server, files, run_command):
    answer = server.client.post("/v1/analyze", files={"file": ("noisy.flac", files["noisy"].read_bytes())})
    assert answer.status_code == 200, answer.text
    for part, command in (("info", "info"), ("diagnosis", "diagnose")):
        told = json.loads(run_command(command, "--json", files["noisy"]).stdout)
        got = answer.json()[part]
        assert got.pop("file") == "noisy.flac"
        assert told.pop("file") == str(files["noisy"])
        assert_alike(got, told)
    server.wait_until_clean()


def test_measure_tells_what_the_measures_say(server, files):
    sent = {role: (path.name, path.read_bytes()) for role, path in files.items()}
    answer = server.client.post("/v1/measure", files=sent)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    (noisy, rate), (enhanced, _), (clean, _) = (read_audio(files[role]) for role in ("noisy", "enhanced", "clean"))
    for name, audio in (("noisy", noisy), ("enhanced", enhanced)):
        for item in score(clean, audio, rate, ("si_sdr_db", "estoi", "pesq_wideband")):
            assert told[name]["values"][item.measure.key] == pytest.approx(item.value, rel=1e-6)
    for item in score_damage(noisy, enhanced, rate, clean, ("onset_loss_db", "musical_noise", "artefact_score")):
        assert told["enhanced"]["values"].get(item.measure.key) == pytest.approx(item.value, rel=1e-6)
    assert told["gains"]["si_sdr_db"] == pytest.approx(
        told["enhanced"]["values"]["si_sdr_db"] - told["noisy"]["values"]["si_sdr_db"]
    )
    assert told["measures"]["si_sdr_db"] == {"name": "SI-SDR", "unit": "dB", "more_is_better": True}
    assert {"loudness_lufs", "estimated_snr_db", "dnsmos_ovrl"} <= told["enhanced"]["values"].keys()
    server.wait_until_clean()


def test_without_a_clean_file_there_are_only_measures_that_need_none(server, files):
    sent = {role: files[role].read_bytes() for role in ("noisy", "enhanced")}
    told = server.client.post("/v1/measure", files=sent).json()
    assert "si_sdr_db" not in told["measures"]
    assert {"musical_noise", "estimated_snr_db"} <= told["measures"].keys()


def test_the_page_needs_nothing_from_elsewhere_and_tells_nothing_of_the_server(server, files):
    sent = {role: (f"{role}.flac", path.read_bytes()) for role, path in files.items()}
    answer = server.client.post("/v1/measure", params={"format": "html"}, files=sent)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert answer.text.count("data:audio/mpeg") == 3
    assert not re.search(r"(src|href)=[\"']?https?:", answer.text)
    assert str(server.settings.temp_dir) not in answer.text
    server.wait_until_clean()


@pytest.mark.parametrize(
    ("roles", "status", "words"),
    [
        (("noisy",), 422, "lacks enhanced"),
        (("clean",), 422, "lacks noisy and enhanced"),
        (("noisy", "enhanced", "file"), 422, "part 'file'"),
    ],
)
def test_what_is_missing_or_too_much_is_named(server, files, roles, status, words):
    answer = server.client.post("/v1/measure", files={role: files["noisy"].read_bytes() for role in roles})
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_a_body_that_is_no_form_is_refused(server):
    assert server.client.post("/v1/measure", content=b"x").status_code == 415


def test_files_that_do_not_belong_together_are_told(server, files, tmp_path, write_file, noisy_speech):
    noisy = files["noisy"].read_bytes()
    other_rate = write_file(tmp_path / "a.wav", noisy_speech(8000, 4.0), 8000).read_bytes()
    stereo = write_file(tmp_path / "b.wav", noisy_speech(48_000, 4.0, 2), 48_000).read_bytes()
    short = write_file(tmp_path / "c.wav", noisy_speech(48_000, 1.0), 48_000).read_bytes()
    for other, words in ((other_rate, "8000 Hz"), (stereo, "channel"), (short, "1.00 s")):
        answer = server.client.post("/v1/measure", files={"noisy": noisy, "enhanced": other})
        assert answer.status_code == 422, answer.text
        assert words in answer.json()["error"]["message"]
        assert str(server.settings.temp_dir) not in answer.text
    answer = server.client.post("/v1/measure", files={"noisy": noisy, "enhanced": noisy, "clean": short})
    assert answer.status_code == 422
    server.wait_until_clean()
