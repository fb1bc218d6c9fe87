"""Low voices, of which a window holds two or three periods, are heard as voices; noise without a pitch is not."""

import numpy as np
import pytest
from listening_signals import talker

from unmuffle.level import SpeechGate, level
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream

RATE = 16_000


def presence(audio: np.ndarray, rate: int = RATE) -> np.ndarray:
    gate, stream = SpeechGate(grid_for(rate), 1), StftStream(grid_for(rate), 1)
    frames = np.concatenate(list(stream.analyze(audio[None].astype(np.float32))))
    return gate.presence(frames.real**2 + frames.imag**2)[0][:, 0]


def coloured(slope: float, seed: int = 0) -> np.ndarray:
    """Noise whose power falls with frequency to the power of the slope, 20 s at -30 dBFS."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(20 * RATE))
    spectrum /= np.maximum(np.fft.rfftfreq(20 * RATE, 1.0 / RATE), 30.0) ** (0.5 * slope)
    noise = np.fft.irfft(spectrum)
    return 10.0**-1.5 * noise / noise.std()


@pytest.mark.parametrize("pitch_hz", [80.0, 90.0, 110.0, 220.0, 300.0])
def test_voices_of_any_pitch_are_heard(pitch_hz):
    voice = talker(RATE, 6.0, pitch_hz) + 1e-4 * np.random.default_rng(0).standard_normal(6 * RATE)
    assert presence(voice).mean() > 0.15


@pytest.mark.parametrize("pitch_hz", [80.0, 90.0])
def test_a_low_soft_voice_is_brought_up(pitch_hz):
    voice = 0.05 * talker(RATE, 10.0, pitch_hz) + 1e-5 * np.random.default_rng(1).standard_normal(10 * RATE)
    second = slice(5 * RATE, None)
    assert 20.0 * np.log10(level(voice, RATE)[second].std() / voice[second].std()) > 15.0


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0], ids=["white", "pink", "brown"])
def test_noise_is_no_voice(slope):
    assert presence(coloured(slope)).mean() < 0.005
