"""The part on repair measures what it says, on the example recording here."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from bench import page, repair, repair_measures, repair_peers, repair_signals

RATE = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three clips of the example."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "clean").mkdir()
    audio, rate = soundfile.read("examples/clean.flac")
    audio = resample_poly(audio, RATE, rate)
    with (folder / "pairs.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id"])
        for number, start_s in enumerate((1, 4, 8)):
            rows.writerow([f"c{number}"])
            soundfile.write(folder / "clean" / f"c{number}.flac", audio[start_s * RATE :][: 3 * RATE], RATE)
    return folder


@pytest.fixture(scope="module")
def programme(folder):
    (programme,) = repair_signals.read_programmes(folder, 3)
    return programme


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(repair_signals, "LEAST_S", 9.0)
    monkeypatch.setattr(repair_peers, "ROUNDS", 1)


@pytest.fixture(scope="module", autouse=True)
def short_programmes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repair_signals, "LEAST_S", 9.0)
        yield


def test_clips_are_joined_at_one_level(programme):
    levels = [np.square(programme.audio[place]).mean() for place in programme.clips]
    np.testing.assert_allclose(10 * np.log10(levels), repair_signals.CLIP_DBFS, atol=0.01)
    assert programme.seconds == pytest.approx(3 * 3.3)


def test_speech_is_clipped_to_10_db(programme):
    spoilt = repair_signals.clipped(programme.audio)
    assert repair_measures.sdr_db(programme.audio, spoilt) == pytest.approx(10.0, abs=0.1)


def test_what_is_repaired_and_what_is_changed_are_counted(programme):
    spoilt, places = repair_signals.with_clicks(programme, np.random.default_rng(0))
    assert 20 <= len(places) <= 30
    assert repair_measures.repaired(programme.audio, spoilt, programme.audio, places) == (1.0, 0.0)
    assert repair_measures.repaired(programme.audio, spoilt, spoilt, places) == (0.0, 0.0)
    recall, changed = repair_measures.repaired(programme.audio, spoilt, 0.0 * spoilt, places)
    assert changed > 0.5
    assert recall < 0.9


def test_lines_that_fell_by_20_db_are_measured_so(programme):
    lines, phase = repair_signals.hum(programme, np.random.default_rng(0), 50.0)
    ratio = np.square(lines.sum(axis=0)).mean() / np.square(programme.audio).mean()
    assert 10 * np.log10(ratio) == pytest.approx(repair_signals.HUM_DB, abs=0.1)
    fell, below = repair_measures.line_reductions_db(programme, programme.audio + 0.1 * lines.sum(axis=0), lines, phase)
    np.testing.assert_allclose(fell, 20.0, atol=0.5)
    np.testing.assert_allclose(below, 20.0, atol=0.5)
    assert repair_measures.change_elsewhere_db(programme, programme.audio, phase) == 0.0
    louder = repair_measures.change_elsewhere_db(programme, 2.0 * programme.audio, phase)
    assert louder == pytest.approx(6.02, abs=0.01)


def test_a_recording_with_hum_gets_hum_of_the_other_mains(programme):
    at_s = np.arange(len(programme.audio)) / RATE
    for mains_hz, other_hz in ((50.0, 60.0), (60.0, 50.0)):
        audio = programme.audio + 0.02 * np.sin(2 * np.pi * 2 * mains_hz * at_s)
        assert repair_signals.quieter_mains_hz(audio, RATE) == other_hz


def test_recovery_is_told_from_the_gain(programme):
    audio, drops, pause = repair_signals.uneven(programme, np.random.default_rng(0))
    assert len(drops) == 3
    treated = audio.copy()
    drop = drops[0]
    treated[drop.after.start + RATE : drop.after.stop] *= 9.0
    back_s, off_db = repair_measures.recovery(audio, treated, drop, RATE)
    assert back_s == pytest.approx(1.0, abs=0.4)
    assert off_db == pytest.approx(20.0 - 19.1, abs=0.1)
    assert repair_measures.recovery(audio, audio, drop, RATE) == (None, pytest.approx(20.0))
    assert abs(repair_measures.rise_in_pause_db(audio, audio, pause, RATE)) < 1e-6


@pytest.mark.parametrize("kind", repair.KINDS)
def test_every_kind_is_measured_and_shown(folder, kind, monkeypatch):
    monkeypatch.setattr(repair, "RT60S", (0.6,))
    monkeypatch.setattr(repair, "LOSSES_S", (0.01,))
    rows = repair.measured(kind, str(folder), 3)["rows"]
    ours = {"clipped": "declip", "clicked": "declick", "hummed": "dehum", "quiet": "normalize", "uneven": "level"}
    own = next(row for row in rows if row["method"] == ours.get(kind, "wpe"))
    least = {"clipped": ("gain_db", 6.0), "clicked": ("recall", 0.5), "hummed": ("reduction_db", 25.0)}
    least |= {"reverberant": ("srmr_gain", 0.1), "quiet": ("most_true_peak_dbtp", -3.0), "uneven": ("back", 1.0)}
    key, value = least[kind]
    assert own[key] >= value
    assert 0.0 < own["most_rtf"] < 1.0
    everything = {name: [] for name in repair.KINDS} | {kind: rows, "clips": 3, "seconds": 9.9, "peers": "some"}
    shown = page.render({"repair": everything | {"date": "today", "machine": "this one"}})
    assert sum(f"{row['method']} |" in line for row in rows[-1:] for line in shown.splitlines()) >= 1
