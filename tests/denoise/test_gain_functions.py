"""Every gain is its paper's closed form, written out here in double precision with scipy's special functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import exp1, ive

from unmuffle.denoise.gains import (
    log_mmse_gain,
    magnitude_subtraction_gain,
    mmse_stsa_gain,
    oversubtraction_factor,
    power_subtraction_gain,
    wiener_gain,
)

A_PRIORI_DB = np.arange(-30.0, 60.1, 0.37)
A_POSTERIORI_DB = np.arange(-40.0, 60.1, 0.41)
ACCURACY = 1e-4


@pytest.fixture(scope="module")
def snrs():
    """A priori and a posteriori SNR as float32, every pair of the two ranges."""
    a_priori, a_posteriori = np.meshgrid(10 ** (A_PRIORI_DB / 10), 10 ** (A_POSTERIORI_DB / 10), indexing="ij")
    return a_priori.astype(np.float32), a_posteriori.astype(np.float32)


def log_mmse_of_paper(a_priori, a_posteriori):
    v = a_priori / (1 + a_priori) * a_posteriori
    return a_priori / (1 + a_priori) * np.exp(exp1(v) / 2)


def stsa_of_paper(a_priori, a_posteriori):
    """Gamma(1.5) sqrt(v) / gamma exp(-v / 2) [(1 + v) I0(v / 2) + v I1(v / 2)]; ive(n, x) is In(x) exp(-x)."""
    v = a_priori / (1 + a_priori) * a_posteriori
    return np.sqrt(np.pi) / 2 * np.sqrt(v) / a_posteriori * ((1 + v) * ive(0, v / 2) + v * ive(1, v / 2))


PAPERS = [
    (lambda xi, _: wiener_gain(xi), lambda xi, _: xi / (1 + xi)),
    (log_mmse_gain, log_mmse_of_paper),
    (mmse_stsa_gain, stsa_of_paper),
]


@pytest.mark.parametrize(("ours", "papers"), PAPERS, ids=["wiener", "log_mmse", "mmse_stsa"])
def test_closed_form(ours, papers, snrs):
    found = ours(*snrs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, papers(*(snr.astype(np.float64) for snr in snrs)), rtol=ACCURACY)


@pytest.mark.parametrize(("ours", "papers"), PAPERS[1:], ids=["log_mmse", "mmse_stsa"])
def test_accuracy_holds_down_to_the_documented_v(ours, papers):
    v = np.geomspace(6.1e-8, 1e-3, 2000).astype(np.float32)
    one = np.ones_like(v)
    np.testing.assert_allclose(ours(one, 2 * v), papers(1.0, 2 * v.astype(np.float64)), rtol=ACCURACY)


@pytest.mark.parametrize("gain", [log_mmse_gain, mmse_stsa_gain])
def test_no_power_gives_a_large_but_finite_gain(gain):
    found = gain(np.float32([0.001, 1.0, 1e6]), np.zeros(3, np.float32))
    assert np.isfinite(found).all()
    assert (found > 1.0).all()


@pytest.mark.parametrize("gain", [log_mmse_gain, mmse_stsa_gain])
def test_large_snr_tends_to_wiener(gain):
    xi = np.geomspace(1e-2, 1e6, 50).astype(np.float32)
    gamma = np.float32(1e4) * (1 + xi) / xi
    np.testing.assert_allclose(gain(xi, gamma), wiener_gain(xi), rtol=ACCURACY)


def test_order_of_the_estimators(snrs):
    """E[log A] <= log E[A] makes log-MMSE the smaller of the two; both lie above Wiener."""
    wiener, log_mmse, stsa = wiener_gain(snrs[0]), log_mmse_gain(*snrs), mmse_stsa_gain(*snrs)
    assert (wiener <= log_mmse).all()
    assert (log_mmse <= stsa * (1 + 2 * ACCURACY)).all()
    assert (log_mmse < 0.9 * stsa).any()


@pytest.mark.parametrize(
    ("snr_db", "factor"), [(-60.0, 4.75), (-5.0, 4.75), (0.0, 4.0), (10.0, 2.5), (20.0, 1.0), (90.0, 1.0)]
)
def test_factor_of_berouti(snr_db, factor):
    assert oversubtraction_factor(np.float32([snr_db]))[0] == pytest.approx(factor)


def test_factor_of_berouti_from_another_alpha():
    assert oversubtraction_factor(np.float32([0.0, 20.0]), at_0_db=6.0) == pytest.approx([6.0, 1.0])


@pytest.mark.parametrize("alpha", [1.0, 4.0])
@pytest.mark.parametrize("beta", [0.0, 0.01, 0.1])
def test_subtraction_of_berouti(alpha, beta):
    power = np.geomspace(1e-4, 1e4, 400)
    subtracted = power - alpha
    remaining = np.where(subtracted > beta, subtracted, beta)
    expected = np.sqrt(np.minimum(remaining / power, 1.0))
    found = power_subtraction_gain(power.astype(np.float32), np.ones(400, np.float32), alpha, beta)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_half_wave_rectification_of_boll():
    found = magnitude_subtraction_gain(np.float32([4.0, 2.0, 1.0, 0.5]), np.ones(4, np.float32))
    assert found == pytest.approx([0.75, 0.5, 0.0, 0.0])


def test_floor_of_boll():
    found = magnitude_subtraction_gain(np.float32([4.0, 1.05, 0.5]), np.ones(3, np.float32), floor=0.1)
    assert found == pytest.approx([0.75, 0.1, 0.1])


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_zeros_have_a_gain(noise):
    zeros, noise = np.zeros(3, np.float32), np.full(3, noise, np.float32)
    assert magnitude_subtraction_gain(zeros, noise, floor=0.1) == pytest.approx([0.1] * 3)
    for found in (magnitude_subtraction_gain(zeros, noise), power_subtraction_gain(zeros, noise, 4.0, 0.01)):
        assert ((found >= 0.0) & (found <= 1.0)).all()
