"""Interpolation against the least-squares problem written out, and models against processes of known make."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from unmuffle.repair.ar_model import autocorrelations, interpolate, prediction_errors, solve_lost


@pytest.mark.parametrize("order", [4, 32])
@pytest.mark.parametrize("kind", ["burst", "scattered"])
def test_lost_samples_solve_the_least_squares_problem(order: int, kind: str):
    rng = np.random.default_rng(order)
    samples = rng.standard_normal(400)
    error_filter = np.concatenate([[1.0], rng.uniform(-0.3, 0.3, order) / order])
    lost = np.zeros(400, np.bool_)
    lost[150:210] = True if kind == "burst" else rng.random(60) < 0.4
    lost[150] = True
    # Each row of the matrix gives one prediction error of the whole segment: Godsill and Rayner, equation 5.3.
    matrix = np.zeros((400 - order, 400))
    for row in range(400 - order):
        matrix[row, row : row + order + 1] = error_filter[::-1]
    expected, *_ = np.linalg.lstsq(matrix[:, lost], -matrix[:, ~lost] @ samples[~lost], rcond=None)
    np.testing.assert_allclose(solve_lost(samples, lost, error_filter), expected, rtol=1e-8, atol=1e-10)


def test_levinson_agrees_with_the_normal_equations():
    lags = autocorrelations(np.random.default_rng(1).standard_normal((3, 500)), 24)
    for filters, each in zip(prediction_errors(lags), lags, strict=True):
        np.testing.assert_allclose(filters[1:], -solve_toeplitz(each[:-1], each[1:]), atol=1e-10)
        assert filters[0] == 1.0


def test_a_gap_in_a_predictable_process_is_filled_and_the_rest_kept():
    rng = np.random.default_rng(2)
    poles = 0.995 * np.exp(2j * np.pi * np.array([0.03, 0.11]))
    samples = lfilter([1.0], np.poly(np.concatenate([poles, poles.conj()])).real, rng.standard_normal(4000))[1000:2200]
    lost = np.zeros(1200, np.bool_)
    lost[600:620] = True
    filled = interpolate(np.where(lost, 99.0, samples), lost, 16)
    np.testing.assert_array_equal(filled[~lost], samples[~lost])
    assert np.square(filled - samples)[lost].sum() < 0.1 * np.square(samples[lost]).sum()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e30, 1e-30])
def test_constants_are_continued(value: float):
    lost = np.zeros(300, np.bool_)
    lost[140:150] = True
    np.testing.assert_allclose(interpolate(np.full(300, value), lost, 16), value, rtol=1e-3, atol=0.0)
