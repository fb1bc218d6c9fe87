"""SNR and SI-SDR are what another library says they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pair_signals import clean_and_noisy
from torchmetrics.functional.audio import (
    scale_invariant_signal_distortion_ratio,
    scale_invariant_signal_noise_ratio,
    signal_noise_ratio,
)

from unmuffle.measure import si_sdr_db, snr_db

RATE = 16_000


@pytest.fixture(params=[-5.0, 3.0, 20.0])
def pair(request) -> tuple[np.ndarray, np.ndarray]:
    clean, noisy = clean_and_noisy(RATE, request.param)
    # An offset tells whether means are removed.
    return clean, 0.7 * noisy + np.float32(0.02)


def theirs(function, clean: np.ndarray, estimate: np.ndarray, **options: bool) -> float:
    # In double precision: 100 dB is beyond float32.
    return float(function(torch.from_numpy(estimate).double(), torch.from_numpy(clean).double(), **options))


@pytest.mark.parametrize("zero_mean", [False, True])
def test_si_sdr(pair, zero_mean):
    expected = theirs(scale_invariant_signal_distortion_ratio, *pair, zero_mean=zero_mean)
    assert si_sdr_db(*pair, RATE, zero_mean=zero_mean) == pytest.approx(expected, abs=1e-4)


def test_si_snr_is_si_sdr_with_means_removed(pair):
    assert si_sdr_db(*pair, RATE) == pytest.approx(theirs(scale_invariant_signal_noise_ratio, *pair), abs=1e-4)


def test_snr(pair):
    assert snr_db(*pair, RATE) == pytest.approx(theirs(signal_noise_ratio, *pair), abs=1e-4)
