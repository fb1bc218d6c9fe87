"""Diagnosis: a fault that was made is found with its number and its stage, and only that."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle import Enhancer
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure import Diagnosis, diagnose
from unmuffle.presets import parse_chain

RATE = 16_000


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """A buzz in bursts is speech to the classical estimator; networks know better. Recordings are in the other file."""
    monkeypatch.setattr("unmuffle.measure.diagnosis.evidence.default_model", lambda: None)


def voice(seconds: float = 12.0, seed: int = 0) -> np.ndarray:
    """Bursts of a voice of steady level, 24 dB below full scale, with pauses; dry and almost without noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2.0 * np.pi * np.cumsum(140.0 + 15.0 * np.sin(2.0 * np.pi * 0.4 * time)) / RATE
    tones = sum(np.cos(k * phase + k * k) / k for k in range(1, 51))
    gate = np.clip(np.sin(2.0 * np.pi * 2.1 * time) * 8.0, 0.0, 1.0)
    sound = gate * tones
    return 0.063 * sound / sound.std() + 1e-5 * rng.standard_normal(time.size)


def keys(diagnosis: Diagnosis) -> set[str]:
    return {finding.key for finding in diagnosis.findings}


def test_a_clean_voice_is_left_alone():
    diagnosis = diagnose(voice(), RATE)
    assert keys(diagnosis) == {"clean"}
    assert diagnosis.chain == ()
    assert str(diagnosis) == ""


def test_hum_is_told_with_its_frequency_and_level():
    time = np.arange(12 * RATE) / RATE
    hum = sum(0.01 / k * np.sin(2.0 * np.pi * 49.9 * k * time + k) for k in (1, 2, 3))
    found = diagnose(voice() + hum, RATE).of("hum")
    assert found is not None
    assert "49.9 Hz" in found.text
    assert found.value == pytest.approx(10.0 * np.log10(np.square(hum).mean()), abs=1.5)
    assert found.stage is not None
    assert (found.stage.name, found.stage.options["mains_hz"]) == ("dehum", 50.0)


def test_clipping_is_told_by_its_share():
    limit = np.quantile(np.abs(voice()), 0.97)
    found = diagnose(np.clip(voice(), -limit, limit), RATE).of("clipping")
    assert found is not None
    assert found.value == pytest.approx(3.0, abs=0.5)
    assert found.severity == "serious"
    assert found.stage is not None
    assert found.stage.name == "declip"


def test_noise_is_worse_the_more_of_it_there_is():
    noise = np.random.default_rng(1).standard_normal(12 * RATE)
    little, much = (diagnose(voice() + level * noise, RATE).of("noise") for level in (0.015, 0.06))
    assert little is not None
    assert much is not None
    assert little.value > much.value
    assert much.severity == "serious"
    assert str(diagnose(voice() + 0.06 * noise, RATE)).endswith("denoise")


def test_an_offset_and_rumble_ask_for_one_high_pass():
    rumble = 0.08 * np.sin(2.0 * np.pi * 17.0 * np.arange(12 * RATE) / RATE)
    diagnosis = diagnose(voice() + rumble + 0.03, RATE)
    assert {"rumble", "dc"} <= keys(diagnosis)
    assert diagnosis.of("dc").value == pytest.approx(3.0, abs=0.1)
    assert [stage.name for stage in diagnosis.chain].count("highpass") == 1
    assert diagnosis.chain[0].name == "highpass"


def test_clicks_are_counted():
    clicked = voice()
    places = np.arange(1, 11) * RATE + 700
    clicked[places] += 0.8
    found = diagnose(clicked, RATE).of("clicks")
    assert found is not None
    assert found.value == pytest.approx(50.0, abs=10.0)


def test_a_long_room_is_heard():
    rng = np.random.default_rng(2)
    tail = np.arange(int(0.6 * RATE)) / RATE
    room = rng.standard_normal(tail.size) * 10.0 ** (-3.0 * tail / 0.6)
    room[0] = 1.0 * np.sqrt(np.square(room).sum())
    found = diagnose(0.2 * np.convolve(voice(), room)[: 12 * RATE] / np.abs(room).max(), RATE).of("reverberation")
    assert found is not None
    assert found.value == pytest.approx(0.6, abs=0.2)
    assert found.stage is not None
    assert found.stage.name == "dereverb"


@pytest.mark.parametrize("gain_db", [-25.0, -35.0])
def test_the_gain_of_a_quiet_recording_leads_to_the_working_level(gain_db):
    diagnosis = diagnose(voice() * 10.0 ** (gain_db / 20.0), RATE)
    assert keys(diagnosis) == {"quiet"}
    raised = Enhancer(chain=str(diagnosis)).enhance(voice() * 10.0 ** (gain_db / 20.0), RATE)
    assert keys(diagnose(raised, RATE)) == {"clean"}


def test_talkers_of_different_levels_are_evened():
    uneven = np.concatenate([voice(15.0), voice(15.0, 1) * 10.0 ** (-13.0 / 20.0)])
    diagnosis = diagnose(uneven, RATE)
    assert keys(diagnosis) == {"uneven"}
    assert [stage.name for stage in diagnosis.chain] == ["level", "limit"]


def test_the_chain_can_be_read_back():
    diagnosis = diagnose(
        voice() + 0.05 * np.random.default_rng(1).standard_normal(12 * RATE) + 0.02,
        RATE,
    )
    assert parse_chain(str(diagnosis)) == diagnosis.chain


def test_telephone_band_is_told_and_not_treated():
    from scipy.signal import resample_poly

    found = diagnose(resample_poly(voice(), 1, 2), RATE // 2).of("bandwidth")
    assert found is not None
    assert found.value <= 4_000.0
    assert found.stages == ()


def test_silence_and_what_is_no_number():
    assert keys(diagnose(np.zeros((2, RATE)), RATE)) == {"silent"}
    damaged = voice()
    damaged[100:105] = np.nan
    found = diagnose(damaged, RATE).of("damaged")
    assert found is not None
    assert found.value == 5.0


@pytest.mark.parametrize("samples", [1, 800, 4_000])
@pytest.mark.parametrize("channels", [1, 8])
def test_short_recordings_of_many_channels(samples, channels):
    audio = np.random.default_rng(0).standard_normal((channels, samples)) * 0.1
    assert diagnose(audio, RATE).channels == channels


def test_arrays_that_cannot_be_diagnosed():
    with pytest.raises(InvalidAudioError, match="no samples"):
        diagnose(np.zeros(0), RATE)


def test_the_preset_auto_names_the_way_out_in_python():
    with pytest.raises(InvalidParameterError, match=r"unmuffle\.measure\.diagnose"):
        Enhancer(preset="auto")
