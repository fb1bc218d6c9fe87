"""A table follows its function within the error told, and holds its ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import exp1, i0e

from unmuffle.signal.tables import LogTable

FUNCTIONS = {
    "sqrt": np.sqrt,
    "square": np.square,
    "reciprocal": lambda x: 1.0 / x,
    "power": lambda x: x**-1.7,
}


@pytest.mark.parametrize("nodes", [16, 128, 512])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_relative_error_of_powers_is_bounded(name: str, nodes: int):
    function = FUNCTIONS[name]
    table = LogTable(function, -10, 10, nodes)
    x = np.geomspace(2.0**-10, np.nextafter(2.0**10, 0), 200_003).astype(np.float32)
    # Linear interpolation: at most h^2 / 8 times the largest f'' x^2 / f, which is a (a - 1) for x^a.
    exponent = {"sqrt": 0.5, "square": 2.0, "reciprocal": -1.0, "power": -1.7}[name]
    bound = abs(exponent * (exponent - 1.0)) / 8.0 / nodes**2 + 3e-7
    relative = np.abs(table(x) / function(x.astype(np.float64)) - 1.0)
    assert relative.max() <= bound
    assert relative.max() >= 0.5 * (bound - 3e-7) - 3e-7


@pytest.mark.parametrize(
    ("function", "octaves"), [(lambda v: np.exp(0.5 * exp1(v)), (-20, 6)), (i0e, (-20, 8))], ids=["exp-e1", "i0e"]
)
def test_special_functions_of_the_gains(function, octaves: tuple[int, int]):
    x = np.geomspace(2.0 ** octaves[0], 2.0 ** octaves[1] * 0.9999, 100_000).astype(np.float32)
    table = LogTable(function, *octaves)
    np.testing.assert_allclose(table(x), function(x.astype(np.float64)), rtol=3e-5)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(octave=st.integers(-8, 7), node=st.integers(0, 127))
def test_exact_at_the_nodes(octave: int, node: int):
    x = np.float32(2.0**octave * (1.0 + node / 128))
    assert LogTable(np.sqrt, -8, 8)(np.array([x]))[0] == np.float32(np.sqrt(np.float64(x)))


def test_continuous_and_monotonic_across_nodes_and_octaves():
    x = np.float32(2.0) ** np.arange(-4, 4, dtype=np.float32)
    around = np.sort(np.concatenate((np.nextafter(x, np.float32(0)), x, np.nextafter(x, np.float32(99)))))
    y = LogTable(np.sqrt, -5, 5)(around)
    assert (np.diff(y) >= 0).all()
    np.testing.assert_allclose(y, np.sqrt(around), rtol=1e-5)


@pytest.mark.parametrize("below", [0.0, -0.0, -1.0, 1e-45, 1e-38, 2.0**-4])
def test_below_the_range_the_lower_end_holds(below: float):
    assert LogTable(np.sqrt, -4, 4)(np.array([below], np.float32))[0] == 0.25


@pytest.mark.parametrize("above", [16.0, 17.0, 1e30, np.finfo(np.float32).max, np.inf])
def test_above_the_range_the_upper_end_holds(above: float):
    assert LogTable(np.sqrt, -4, 4)(np.array([above], np.float32))[0] == pytest.approx(4.0, rel=1e-6)


def test_any_shape():
    x = np.random.default_rng(0).uniform(0.1, 10.0, (3, 4, 5)).astype(np.float32)
    y = LogTable(np.sqrt, -4, 4)(x)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, np.sqrt(x), rtol=1e-5)
    np.testing.assert_array_equal(LogTable(np.sqrt, -4, 4)(x.swapaxes(0, 2)), y.swapaxes(0, 2))
