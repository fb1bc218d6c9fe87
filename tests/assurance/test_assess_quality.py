"""An assessment holds what the measures say, in step, and names what could not be measured."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
from scipy.signal import lfilter

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure import UNPROCESSED, Results, estoi, pesq_wideband, si_sdr_db, snr_db, stoi
from unmuffle.measure.assurance.assess import DEFAULT_MEASURES, assess_quality
from unmuffle.measure.assurance.assessment import QualityAssessment, assessments_of
from unmuffle.measure.damage.scores import score_damage
from unmuffle.measure.single.clipping import measure_clipping

RATE = 16_000
FAST = ("snr_db", "si_sdr_db", "clipping_share", "crest_factor_db")


def voice(seconds=4.0, seed=0):
    """Bursts of a buzz through a resonance, with pauses."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    buzz = np.diff(np.floor(120.0 * time + 2.0 * np.sin(3.0 * time)), prepend=0.0) + 0.01 * rng.standard_normal(
        time.size
    )
    for hz in (500.0, 1500.0, 2500.0):
        buzz = lfilter([1.0], [1.0, -2.0 * 0.97 * np.cos(2.0 * np.pi * hz / RATE), 0.97**2], buzz)
    audio = buzz * np.clip(np.sin(2.0 * np.pi * 2.3 * time), 0.0, None)
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


def noise(size, level, seed=1):
    return (level * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)


@pytest.fixture(scope="module")
def trio():
    clean = voice()
    return clean, clean + noise(clean.size, 0.02), clean + noise(clean.size, 0.004)


def test_values_are_those_of_the_measures_before_and_after(trio):
    clean, noisy, clear = trio
    found = assess_quality(noisy, clear, RATE, clean)
    for key, measure in (
        ("snr_db", snr_db),
        ("si_sdr_db", si_sdr_db),
        ("pesq_wideband", pesq_wideband),
        ("stoi", stoi),
        ("estoi", estoi),
    ):
        before, after = (measure(clean, audio, RATE) for audio in (noisy, clear))
        assert found.before.values[key] == pytest.approx(before)
        assert found.after.values[key] == pytest.approx(after)
        assert found.gains[key] == pytest.approx(after - before)
    for score in score_damage(noisy, clear, RATE, clean):
        assert found.after.values.get(score.measure.key) == (score.value and pytest.approx(score.value))
    assert found.after.values["clipping_share"] == measure_clipping(clear, RATE).share
    assert "artefact_score" not in found.before.values
    assert "delay_ms" not in found.after.values


def test_only_the_measures_asked_for_are_taken(trio):
    clean, noisy, clear = trio
    found = assess_quality(noisy, clear, RATE, clean, measures=("estoi", "onset_loss_db"))
    assert found.after.values.keys() | found.after.failures.keys() == {"estoi", "onset_loss_db"}
    assert found.before.values.keys() == {"estoi"}
    assert not any(key.startswith("dnsmos") for key in DEFAULT_MEASURES)


def test_without_a_reference_only_what_needs_none_is_measured(trio):
    _, noisy, clear = trio
    found = assess_quality(noisy, clear, RATE, measures=(*FAST, "artefact_score"))
    assert found.after.values.keys() == {"clipping_share", "crest_factor_db", "artefact_score"}
    assert found.after.failures["si_sdr_db"] == found.before.failures["si_sdr_db"] == "there is no clean reference"


@pytest.mark.parametrize("late", [160, -240])
@pytest.mark.parametrize("reference_late", [0, 90, -70])
def test_delays_between_the_three_are_taken_out_and_told(trio, late, reference_late):
    clean, noisy, clear = trio
    straight = assess_quality(noisy, clear, RATE, clean, measures=FAST)
    moved = assess_quality(noisy, np.roll(clear, late), RATE, np.roll(clean, reference_late), measures=FAST)
    assert moved.after.values["delay_ms"] == pytest.approx(1e3 * late / RATE, abs=0.05)
    for side in ("before", "after"):
        one, other = getattr(straight, side).values, getattr(moved, side).values
        assert other["si_sdr_db"] == pytest.approx(one["si_sdr_db"], abs=0.3)
        assert other["snr_db"] == pytest.approx(one["snr_db"], abs=0.3)


def test_a_delay_is_found_without_a_reference_too(trio):
    _, noisy, clear = trio
    found = assess_quality(noisy, np.roll(clear, 400), RATE, measures=("crest_factor_db",))
    assert found.after.values["delay_ms"] == pytest.approx(25.0, abs=0.05)
    assert found.lines()[1] == "25.00 ms late, taken out before comparing"


def test_transparency_is_that_of_the_enhanced_reference(trio):
    clean, noisy, clear = trio
    touched = clean + noise(clean.size, 0.001)
    keys = ("transparency_si_sdr_db",)
    found = assess_quality(noisy, clear, RATE, clean, enhanced_reference=touched, measures=keys)
    assert found.after.values["transparency_si_sdr_db"] == pytest.approx(si_sdr_db(clean, touched, RATE), abs=0.01)
    without = assess_quality(noisy, clear, RATE, clean, measures=keys)
    assert "enhancer makes of the clean reference" in without.after.failures["transparency_si_sdr_db"]


def test_cost_is_kept_beside_the_rest(trio):
    _, noisy, clear = trio
    found = assess_quality(noisy, clear, RATE, measures=("dc_offset",), real_time_factor=0.25, latency_ms=32.0)
    assert (found.after.values["real_time_factor"], found.after.values["latency_ms"]) == (0.25, 32.0)
    assert found.gains.keys() == {"dc_offset"}


def test_two_channels_are_measured_as_two(trio):
    clean, noisy, clear = (np.stack((audio, 0.5 * audio)) for audio in trio)
    found = assess_quality(noisy, clear, RATE, clean, measures=("si_sdr_db", "image_shift_db"))
    assert found.after.values["si_sdr_db"] == pytest.approx(si_sdr_db(clean, clear, RATE))
    assert found.after.values["image_shift_db"] == pytest.approx(0.0, abs=0.5)


def test_an_enhancer_that_mutes_all_is_measured_as_far_as_silence_can_be(trio):
    clean, noisy, _ = trio
    found = assess_quality(noisy, np.zeros_like(noisy), RATE, clean)
    assert found.after.values["si_sdr_db"] == -100.0
    assert found.after.failures["loudness_lufs"]
    assert all("\n" not in line for line in found.lines())
    json.dumps(found.to_dict(), allow_nan=False)


def test_silence_and_scraps_become_reasons_not_errors():
    silent = assess_quality(np.zeros(RATE), noise(RATE, 0.1), RATE)
    assert silent.after.failures["artefact_score"]
    scrap = assess_quality(noise(200, 0.1), noise(200, 0.1, 2), RATE, noise(200, 0.1, 3))
    assert scrap.after.failures["pesq_wideband"]
    assert "snr_db" in scrap.after.values


def test_a_missing_package_is_named_with_the_command_that_installs_it(trio, monkeypatch):
    clean, noisy, clear = trio

    def without(name, *rest):
        if name == "pesq":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return importlib.__import__(name, *rest)

    monkeypatch.setattr("unmuffle.measure.extras.import_module", without)
    found = assess_quality(noisy, clear, RATE, clean, measures=("pesq_wideband", "snr_db"))
    assert 'pip install "unmuffle[metrics]"' in found.after.failures["pesq_wideband"]
    assert found.after.values.keys() == {"snr_db"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda audio: audio[:-1], "of one shape"),
        (lambda audio: np.stack((audio, audio)), "of one shape"),
        (lambda audio: np.where(np.arange(audio.size) == 7, np.nan, audio), "enhanced holds 1 samples that are NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(trio, change, said):
    clean, noisy, clear = trio
    with pytest.raises(InvalidAudioError, match=said):
        assess_quality(noisy, change(clear), RATE, clean)


def test_no_samples_and_unknown_measures_are_refused(trio):
    _, noisy, clear = trio
    with pytest.raises(InvalidAudioError):
        assess_quality(np.zeros(0), np.zeros(0), RATE)
    with pytest.raises(InvalidParameterError, match="did you mean si_sdr_db"):
        assess_quality(noisy, clear, RATE, measures=("si_sdr",))
    with pytest.raises(InvalidParameterError, match="sample_rate is 100 Hz"):
        assess_quality(noisy, clear, 100)


def test_it_comes_back_from_json_and_from_rows(trio):
    clean, noisy, clear = trio
    found = assess_quality(
        noisy,
        clear,
        RATE,
        clean,
        measures=FAST,
        clip="a",
        enhancer="mine",
        conditions={"snr_db": 5.0},
        files={"clean": "c"},
    )
    assert QualityAssessment.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found
    (again,) = assessments_of(Results(found.to_rows()))
    assert again == found
    assert [row.enhancer for row in found.to_rows()] == [UNPROCESSED, "mine"]


def test_lines_say_what_became_better_and_worse(trio):
    clean, noisy, clear = trio
    measures = ("snr_db", "log_spectral_distance_db", "crest_factor_db")
    good = "\n".join(assess_quality(noisy, clear, RATE, clean, measures=measures).lines())
    bad = "\n".join(assess_quality(clear, noisy, RATE, clean, measures=measures).lines())
    for name in ("SNR", "log-spectral distance"):
        (line,) = (line for line in good.splitlines() if line.startswith(name))
        assert line.endswith(", better)")
        (line,) = (line for line in bad.splitlines() if line.startswith(name))
        assert line.endswith(", worse)")
    assert "better" not in next(line for line in good.splitlines() if line.startswith("crest"))
