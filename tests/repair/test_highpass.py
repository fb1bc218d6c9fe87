"""The high-pass has the response of its textbook, at every rate."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from voices_to_spoil import noise

from unmuffle.errors import InvalidParameterError
from unmuffle.repair import HighPass, high_pass


@pytest.mark.parametrize("rate", [8000, 48000, 192000])
@pytest.mark.parametrize("order", [1, 2, 4, 8])
@pytest.mark.parametrize("cutoff_hz", [20.0, 70.0, 150.0])
def test_butterworth_response(rate, order, cutoff_hz):
    impulse = np.zeros(2 * rate)
    impulse[0] = 1.0
    response = np.abs(np.fft.rfft(high_pass(impulse, rate, cutoff_hz=cutoff_hz, order=order)))
    hz = np.fft.rfftfreq(impulse.size, 1.0 / rate)
    # The closed form of the bilinear transform, prewarped at the cut-off.
    ratio = np.tan(np.pi * cutoff_hz / rate) / np.tan(np.pi * np.clip(hz, 1e-3, 0.4999 * rate) / rate)
    expected = 1.0 / np.sqrt(1.0 + ratio ** (2 * order))
    heard = (hz > 0.25 * cutoff_hz) & (hz < 0.49 * rate)
    assert np.abs(response - expected)[heard].max() < 1e-4


@pytest.mark.parametrize("rate", [8000, 192000])
def test_dc_is_gone(rate):
    output = high_pass(0.5 + 0.01 * noise(rate, 1.0), rate)
    assert abs(output[rate // 2 :].mean()) < 1e-4


def test_no_energy_before_its_cause():
    impulse = np.zeros(1000, np.float32)
    impulse[500] = 1.0
    output = high_pass(impulse, 16000)
    assert not output[:500].any()
    assert output[500] > 0.9


@pytest.mark.parametrize("audio", [np.zeros(800), np.ones(800), np.eye(1, 800)[0], np.sign(np.sin(np.arange(800.0)))])
def test_never_louder_than_twice_full_scale(audio):
    output = high_pass(np.tile(audio, (8, 1)), 8000)
    assert np.abs(output).max() <= 2.0


def test_silence_after_sound_does_not_slow_down_in_denormals():
    processor = HighPass(8000)
    processor.process(noise(8000, 1.0)[None].astype(np.float32))
    for _ in range(60):
        rest = processor.process(np.zeros((1, 8000), np.float32))
    assert_array_equal(rest, np.zeros((1, 8000)))


@pytest.mark.parametrize(
    "options", [{"cutoff_hz": 0.0}, {"cutoff_hz": 2000.0}, {"order": 0}, {"order": 9}, {"order": 2.5}]
)
def test_what_cannot_be_is_refused(options):
    with pytest.raises(InvalidParameterError, match="must be"):
        HighPass(16000, **options)
