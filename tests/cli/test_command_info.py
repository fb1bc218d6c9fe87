"""``unmuffle info``: what a recording is, for people and for programs."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from command_line import command

RATE = 48_000


@pytest.fixture
def hissing(tmp_path, noisy_speech, write_file):
    """Stereo, clipped, with hum, and half a second of nothing at its end."""
    audio = noisy_speech(RATE, seconds=6.0, channels=2)
    audio += 0.05 * np.sin(2 * np.pi * 50 * np.arange(audio.shape[1]) / RATE)
    audio = np.clip(4.0 * audio, -0.9, 0.9)
    audio[:, -RATE // 2 :] = 0.0
    return write_file(tmp_path / "hissing.wav", audio, RATE, "PCM_24")


def test_every_finding_has_its_line(hissing):
    said = command("info", hissing)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == str(hissing)
    assert lines[1] == "stored as: pcm_s24le (s24) in wav, stereo"
    begins = [line.split(":")[0] for line in lines[1:11]]
    assert begins == [
        "stored as",
        "format",
        "bandwidth",
        "level",
        "samples",
        "speech",
        "speech over noise",
        "clipping",
        "hum",
        "silence",
    ]
    assert lines[2] == "format: 48,000 Hz, stereo, 6.00 s"
    assert re.fullmatch(r"level: -\d+\.\d LUFS, range \d+\.\d LU, true peak -?\d+\.\d dBTP", lines[4])
    assert re.fullmatch(r"samples: peak -0\.9 dBFS, RMS -\d+\.\d dBFS, crest factor \d+\.\d dB", lines[5])


def test_json_is_the_same_for_programs(hissing):
    said = command("info", hissing, "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert told["file"] == str(hissing)
    assert (told["sample_rate"], told["channels"], told["seconds"]) == (RATE, 2, 6.0)
    assert (told["format"]["codec"], told["format"]["container"]) == ("pcm_s24le", "wav")
    assert told["peak_dbfs"] == pytest.approx(20 * np.log10(0.9), abs=0.01)
    assert told["crest_factor_db"] == pytest.approx(told["peak_dbfs"] - told["rms_dbfs"])
    # Flat tops rise between their samples.
    assert told["peak_dbfs"] < told["true_peak_dbtp"] < told["peak_dbfs"] + 6.0
    assert told["peak_to_loudness_lu"] == pytest.approx(told["true_peak_dbtp"] - told["loudness_lufs"])
    assert told["loudness_range_lu"] >= 0.0
    assert told["clipping"]["runs"] > 0
    assert told["silence"]["digital_share"] == pytest.approx(0.5 / 6.0, abs=0.02)
    assert told["nonfinite_samples"] == 0
    assert told["warnings"] == []


def test_json_of_silence_holds_no_infinity(tmp_path, write_file):
    write_file(tmp_path / "silent.wav", np.zeros((1, RATE)), RATE)
    said = command("info", tmp_path / "silent.wav", "--json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    told = json.loads(said.out, parse_constant=refuse)
    assert told["loudness_lufs"] is told["loudness_range_lu"] is told["true_peak_dbtp"] is None


def test_a_truncated_file_is_described_and_it_is_said(hissing, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(hissing.read_bytes()[:600_000])
    said = command("info", cut)
    assert said.code == 0
    assert "format: 48,000 Hz, stereo, 2.08 s" in said.out
    assert said.err.startswith(f"warning: {cut} ends ")
    assert any("cut.wav ends" in warning for warning in json.loads(command("info", cut, "--json").out)["warnings"])


def test_standard_input_and_headerless_samples(hissing, run_command):
    done = run_command("info", "-", input=hissing.read_bytes())
    assert b"format: 48,000 Hz, stereo, 6.00 s" in done.stdout
    raw = run_command("info", "-", "--raw", "s16le,8000,1", input=bytes(2 * 8_000))
    assert b"format: 8,000 Hz, mono, 1.00 s" in raw.stdout
