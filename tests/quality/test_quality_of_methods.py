"""What each method gains on the example recording must not get lost.

PESQ: P.862.2 wideband by ``pesq`` 0.0.4 at 16 kHz; ESTOI by ``pystoi`` 0.4.1; SI-SDR: means removed, at 48 kHz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import unmuffle
from unmuffle.denoise import METHODS
from unmuffle.measure import estoi, pesq_wideband, si_sdr_db

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
    return np.array([measure(clean, estimate, rate) for measure in (pesq_wideband, estoi, si_sdr_db)])


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
