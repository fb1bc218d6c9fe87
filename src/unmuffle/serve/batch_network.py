"""A network that takes a frame of each of many streams in one call, and keeps their states by slot.

The streams of a call may have different rates: bins that a rate lacks are 0, and bins beyond those of the network take
the gain of its last, as in ``unmuffle.denoise.suppressors.network``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unmuffle.denoise.suppressors.network import MOST_GAIN
from unmuffle.models.frames import FramesGraph
from unmuffle.serve.pool_lane import Frames, Lane
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import ComplexArray, FloatArray


class BatchNetwork:
    """Gains by a network, for any choice of slots.

    Parameters
    ----------
    graph : FramesGraph
        From ``unmuffle.models.frames.frames_graph``.
    capacity : int
        Slots of the pool.
    """

    def __init__(self, graph: FramesGraph, capacity: int) -> None:
        self.graph = graph
        self._states: list[FloatArray] = [
            np.zeros((capacity, state.rows, *state.shape), np.float32) for state in graph.states
        ]
        self._make_room(1)

    def _make_room(self, rows: int) -> None:
        self._room = rows
        self._gathered, self._next = (
            [np.empty((rows, *state.shape[1:]), np.float32) for state in self._states] for _ in range(2)
        )
        self._spectra: ComplexArray = np.zeros((rows, self.graph.bins), np.complex64)
        self._widest = 0
        self._gains: ComplexArray = np.empty((rows, self.graph.bins), np.complex64)
        self._heads: FloatArray = np.empty((rows, 2), np.float32)
        self._bindings: dict[int, Any] = {}

    def reset(self, slots: SlotArray) -> None:
        """Let slots begin anew."""
        for state in self._states:
            state[slots] = 0.0

    def forget(self, lane: Lane) -> None:
        """Do nothing: states do not depend on the lane."""

    def gains(self, parts: Sequence[Frames]) -> list[ComplexArray]:
        """Return complex gains for frames, complex64 [rows, bins] for each of the parts; they hold until the next call.

        Streams in which the network gives what no sane network does pass untouched, and it begins anew there.
        """
        slots = parts[0].slots if len(parts) == 1 else np.concatenate([part.slots for part in parts])
        rows = len(slots)
        if rows > self._room:
            self._make_room(rows)
        self._fill(parts)
        for state, gathered in zip(self._states, self._gathered, strict=True):
            np.take(state, slots, axis=0, out=gathered[:rows], mode="clip")
        self.graph.session.run_with_iobinding(self._bound(rows))
        for state, following in zip(self._states, self._next, strict=True):
            state[slots] = following[:rows]
        self._guard(slots)
        return self._by_part(parts)

    def _fill(self, parts: Sequence[Frames]) -> None:
        """Write the spectra as the network wants them, and nothing but zeros where a rate has no bins."""
        widest = max(part.lane.grid.bins for part in parts)
        start = 0
        for part in parts:
            stop = start + len(part.slots)
            known = min(part.lane.grid.bins, self.graph.bins)
            scale = np.float32(1.0 / part.lane.grid.hop)
            np.multiply(part.spectra[:, :known], scale, out=self._spectra[start:stop, :known])
            if self._widest > known:
                self._spectra[start:stop, known : self._widest] = 0.0
            start = stop
        # Rows that were not used this time may be as wide as they were.
        self._widest = max(widest, self._widest)

    def _by_part(self, parts: Sequence[Frames]) -> list[ComplexArray]:
        found = []
        start = 0
        for part in parts:
            stop = start + len(part.slots)
            bins = part.lane.grid.bins
            gains = self._gains[start:stop, : min(bins, self.graph.bins)]
            if bins > self.graph.bins:
                gains = np.concatenate((gains, np.repeat(gains[:, -1:], bins - self.graph.bins, axis=1)), axis=1)
            found.append(gains)
            start = stop
        return found

    def _guard(self, slots: SlotArray) -> None:
        raw = self._gains[: len(slots)].view(np.float32)
        # Their energy tells at once that all are within bounds; NaN compares false with everything.
        if not np.vdot(raw, raw) <= MOST_GAIN**2:
            lost = np.logical_not(np.abs(raw) <= MOST_GAIN).any(axis=1)
            self._gains[: len(slots)][lost] = 1.0
            self.reset(slots[lost])

    def _bound(self, rows: int) -> Any:
        """What so many rows are read from and written to."""
        found = self._bindings.get(rows)
        if found is None:
            found = self._bindings[rows] = self._binding(rows)
        return found

    def _binding(self, rows: int) -> Any:
        parts = (1, rows, self.graph.bins, 2)
        inputs: dict[str, FloatArray] = {"spectra": self._spectra[:rows].view(np.float32).reshape(parts)}
        outputs: dict[str, FloatArray] = {
            "gains": self._gains[:rows].view(np.float32).reshape(parts),
            "heads": self._heads[:rows].reshape(1, rows, 2),
        }
        for number, described in enumerate(self.graph.states):
            shape = (rows * described.rows, *described.shape)
            inputs[f"state_{number}"] = self._gathered[number][:rows].reshape(shape)
            outputs[f"next_{number}"] = self._next[number][:rows].reshape(shape)
        binding = self.graph.session.io_binding()
        for name, array in inputs.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, array in outputs.items():
            binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return binding
