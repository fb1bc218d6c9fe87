"""Products of stacks of matrices that BLAS computes on the thread that asks for them.

A BLAS library shares a product out among its threads from some thousand multiplications on. There are thousands of
such products in a block, each done in less time than it takes to wake a thread; where the cores are busy with other
work, each then waits for its turn to run. So they are computed in pieces that stay below.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unmuffle.signal.arrays import ComplexArray

_MOST_BY_VECTOR = 1 << 12
_MOST_BY_MATRIX = 1 << 16
"""Multiplications of complex numbers that OpenBLAS does on one thread; other libraries draw the line higher."""

_FEWEST_FRAMES = 16
"""Where pieces would be shorter than this, the product is worth the threads."""


def applied(filters: ComplexArray, past: ComplexArray) -> ComplexArray:
    """Return ``filters @ past`` of [..., outputs, order] and [..., order, frames]."""
    outputs, order = filters.shape[-2:]
    frames = past.shape[-1]
    product = np.empty((*past.shape[:-2], outputs, frames), np.complex64)
    for piece in _pieces(frames, order, outputs):
        np.matmul(filters, past[..., piece], out=product[..., piece])
    return product


def summed(left: ComplexArray, right: ComplexArray) -> ComplexArray:
    """Return ``left @ right^H`` of [..., rows, frames] and [..., columns, frames]."""
    rows, columns = left.shape[-2], right.shape[-2]
    total = np.zeros((*left.shape[:-2], rows, columns), np.complex64)
    for piece in _pieces(left.shape[-1], rows, columns):
        total += left[..., piece] @ right[..., piece].conj().swapaxes(-2, -1)
    return total


def _pieces(frames: int, rows: int, columns: int) -> Iterator[slice]:
    most = _MOST_BY_VECTOR if min(rows, columns) == 1 else _MOST_BY_MATRIX
    at_once = (most - 1) // (rows * columns)
    if at_once < _FEWEST_FRAMES:
        at_once = frames
    return (slice(start, start + at_once) for start in range(0, frames, at_once))
