"""What hum a recording has is reported as it was made."""

from __future__ import annotations

import numpy as np
import pytest
from hum_signals import hum_lines
from voices_to_spoil import noise, speech_like

from unmuffle.errors import InvalidAudioError
from unmuffle.repair import find_hum


@pytest.mark.parametrize("hz", [49.8, 60.0])
def test_frequency_and_levels(hz):
    lines, _ = hum_lines(16000, 8.0, hz, -40.0, harmonics=5)
    clean = speech_like(16000, 8.0) + 1e-4 * noise(16000, 8.0)
    (found,) = find_hum(clean + lines.sum(axis=0), 16000)
    assert found.fundamental_hz == pytest.approx(hz, abs=0.02)
    assert found.lowest_hz <= found.fundamental_hz <= found.highest_hz
    assert 6.0 <= found.seconds <= 7.0
    assert found.level_dbfs == pytest.approx(-40.0, abs=1.0)
    strong = [line for line in found.harmonics if line.number <= 5]
    assert [line.hz for line in strong] == pytest.approx([hz * n for n in range(1, 6)], abs=0.1)


def test_each_channel_has_its_own():
    quiet = 1e-4 * noise(16000, 5.0)
    lines, _ = hum_lines(16000, 5.0, 50.0, -40.0)
    without, with_hum = find_hum(np.stack([quiet, quiet + lines.sum(axis=0)]), 16000)
    assert without.fundamental_hz is None
    assert without.harmonics == ()
    assert with_hum.fundamental_hz == pytest.approx(50.0, abs=0.02)


@pytest.mark.parametrize("audio", [np.zeros(100), np.zeros(80000), np.ones(80000), 0.1 * noise(16000, 5.0)])
def test_no_hum(audio):
    assert find_hum(audio, 16000)[0].fundamental_hz is None


def test_nan_is_refused():
    with pytest.raises(InvalidAudioError, match="NaN"):
        find_hum(np.full(16000, np.nan), 16000)
