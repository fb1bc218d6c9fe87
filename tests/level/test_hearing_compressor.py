"""Gains for a hearing loss against the rules' own arithmetic, on tones and speech."""

import numpy as np
import pytest
from listening_signals import bad_inputs, talker

from unmuffle.errors import InvalidParameterError
from unmuffle.level import HearingCompressor, compensate_hearing, insertion_gains_db, true_peak_dbtp
from unmuffle.level.hearing import BANDS_HZ, MultibandCompressor

RATE = 16_000
SLOPING = "250:20,500:25,1000:30,2000:45,3000:55,4000:60,6000:65,8000:70"
ZERO = "250:0,8000:0"


def tone(hz: float, level_dbfs: float, seconds: float = 1.0) -> np.ndarray:
    return np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def gain_db(hz: float, level_dbfs: float, **options) -> float:
    audio = tone(hz, level_dbfs)
    louder = compensate_hearing(audio, RATE, **options)
    settled = slice(RATE // 2, -RATE // 10)
    return 10 * np.log10(np.square(louder[settled]).mean() / np.square(audio[settled]).mean())


def test_nal_r_by_hand():
    # X = 0.05 (25 + 30 + 45) = 5, plus 0.31 H, plus the correction; clipped at 0.
    wanted = [0.0, 5 + 7.75 - 8, 5 + 9.3 + 1, 5 + 13.95 - 1, 5 + 17.05 - 2, 5 + 18.6 - 2, 5 + 20.15 - 2, 5 + 21.7 - 2]
    assert insertion_gains_db(SLOPING, BANDS_HZ) == pytest.approx(wanted)


def test_half_gain_by_hand():
    assert insertion_gains_db("500:20,1000:40", [250, 500, 1000, 8000], "half-gain").tolist() == [10, 10, 20, 20]


@pytest.mark.parametrize("hz", [500.0, 1000.0, 2000.0, 4000.0])
def test_linear_gain_of_a_tone_is_the_prescription(hz):
    options = {"audiogram": SLOPING, "keep_loudness": False, "max_ratio": 1.0}
    assert gain_db(hz, -50.0, **options) == pytest.approx(insertion_gains_db(SLOPING, [hz])[0], abs=0.4)


def test_a_flat_loss_of_50_db_compresses_two_to_one():
    # 100 / (100 - 50) = 2: 10 dB more in are 5 dB more out, above the knee and while some gain is left.
    options = {"audiogram": "250:50,8000:50", "rule": "half-gain", "keep_loudness": False, "max_output_dbfs": 20.0}
    gains = [gain_db(1000.0, level_dbfs, **options) for level_dbfs in (-45.0, -35.0, -25.0)]
    assert np.diff(gains) == pytest.approx([-5.0, -5.0], abs=0.2)


def test_gain_stays_below_the_knee():
    options = {"audiogram": "250:50,8000:50", "keep_loudness": False}
    assert gain_db(1000.0, -70.0, **options) == pytest.approx(gain_db(1000.0, -90.0, **options), abs=0.1)


def test_speech_of_normal_level_keeps_its_power():
    speech = talker(RATE, 10.0, 130.0) * 10 ** (-3 / 20)
    louder = compensate_hearing(speech, RATE, audiogram=SLOPING)
    assert 10 * np.log10(np.square(louder).mean() / np.square(speech).mean()) == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_no_loss_is_identity(rate):
    audio = (0.2 * np.random.default_rng(0).uniform(-1, 1, (2, rate))).astype(np.float32)
    assert compensate_hearing(audio, rate, audiogram=ZERO) == pytest.approx(audio, abs=1e-6)


def test_output_is_bounded():
    loud = talker(RATE, 5.0, 130.0) * 20.0
    louder = compensate_hearing(loud, RATE, audiogram=SLOPING, keep_loudness=False, max_output_dbfs=-6.0)
    assert true_peak_dbtp(louder, RATE) <= -5.85


def test_each_ear_has_its_audiogram():
    audio = np.stack([tone(2000.0, -50.0)] * 2)
    both = compensate_hearing(audio, RATE, audiogram=f"{ZERO}|{SLOPING}", keep_loudness=False)
    assert both[0] == pytest.approx(audio[0], abs=1e-5)
    alone = compensate_hearing(audio[1], RATE, audiogram=SLOPING, keep_loudness=False)
    assert both[1] == pytest.approx(alone, abs=1e-6)


def test_latency_is_that_of_a_hearing_aid():
    assert MultibandCompressor(48_000, audiogram=ZERO).latency_ms == pytest.approx(8.0, abs=0.1)
    assert HearingCompressor(48_000).latency_ms < 12.0


@pytest.mark.parametrize("name", list(bad_inputs(RATE)))
def test_bad_input_stays_bounded(name):
    audio = bad_inputs(RATE)[name]
    louder = compensate_hearing(audio, RATE, audiogram=SLOPING)
    assert louder.shape == audio.shape
    assert np.abs(louder).max() <= 10 ** (-0.85 / 20)


@pytest.mark.parametrize(
    ("audiogram", "message"),
    [
        ("", "pairs of Hz and dB"),
        ("250:20,500", "holds '500'"),
        ("250:20,250:30", "names a frequency twice"),
        ("250:130", "levels -10 to 120 dB"),
        ("-250:20", "above 0 Hz"),
        (f"{ZERO}|{ZERO}|{ZERO}", "3 ears and the audio of 2 channels"),
    ],
)
def test_audiograms_that_cannot_be_read(audiogram, message):
    with pytest.raises(InvalidParameterError, match=message):
        HearingCompressor(RATE, 2, audiogram=audiogram)


def test_a_rule_that_is_not_known():
    with pytest.raises(InvalidParameterError, match="nal-r, half-gain"):
        HearingCompressor(RATE, rule="dsl")
