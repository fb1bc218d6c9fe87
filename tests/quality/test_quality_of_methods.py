"""What each method gains on the example recording must not get lost.

PESQ: P.862.2 wideband by ``pesq`` 0.0.4; ESTOI by ``pystoi`` 0.4.1; both at 16 kHz. SI-SDR: means removed, at 48 kHz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from pesq import pesq
from pystoi import stoi

import unmuffle
from unmuffle.denoise import METHODS
from unmuffle.signal import resample

EXAMPLES = Path(__file__).parents[2] / "examples"
NOISY = (1.039, 0.643, 3.78)
FIGURES = {
    "om_lsa": (1.195, 0.678, 7.71),
    "log_mmse": (1.164, 0.695, 7.73),
    "mmse_stsa": (1.135, 0.695, 7.50),
    "wiener": (1.178, 0.688, 7.71),
    "om_lsa_imcra": (1.195, 0.708, 8.30),
    "multiband": (1.161, 0.708, 8.12),
    "oversubtraction": (1.135, 0.700, 7.52),
    "spectral_subtraction": (1.154, 0.714, 7.96),
}
"""PESQ, ESTOI, SI-SDR in dB."""
ALLOWED_LOSS = (0.01, 0.005, 0.1)


def scores(clean: np.ndarray, estimate: np.ndarray, rate: int) -> np.ndarray:
    reference, degraded = (resample(audio, rate, 16_000)[0] for audio in (clean, estimate))
    return np.array(
        [
            pesq(16_000, reference, degraded, "wb"),
            stoi(reference, degraded, 16_000, extended=True),
            si_sdr_db(clean, estimate),
        ]
    )


def si_sdr_db(clean: np.ndarray, estimate: np.ndarray) -> float:
    clean, estimate = (audio.astype(np.float64) - audio.mean() for audio in (clean, estimate))
    target = clean * (clean @ estimate) / (clean @ clean)
    return float(10 * np.log10((target @ target) / np.sum((estimate - target) ** 2)))


@pytest.fixture(scope="module")
def example() -> tuple[np.ndarray, np.ndarray, int]:
    clean, rate = soundfile.read(EXAMPLES / "clean.flac", dtype="float32")
    noisy, _ = soundfile.read(EXAMPLES / "noisy.flac", dtype="float32")
    return clean, noisy, rate


def test_every_method_has_its_figures():
    assert FIGURES.keys() == METHODS.keys()


@pytest.mark.parametrize("method", METHODS)
def test_no_method_gets_worse(example, method):
    clean, noisy, rate = example
    measured = scores(clean, unmuffle.enhance(noisy, rate, method=method), rate)
    assert (measured >= np.subtract(FIGURES[method], ALLOWED_LOSS)).all(), measured


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_better_than_nothing_in_every_measure(method):
    assert (np.array(FIGURES[method]) > NOISY).all()


def test_the_figures_of_the_noisy_recording(example):
    clean, noisy, rate = example
    np.testing.assert_allclose(scores(clean, noisy, rate), NOISY, atol=0.01)
