"""A suppressor that asks a network: the graph of an ONNX file, frames in, complex gains out.

Bins beyond those of the rate are 0 for the network, and bins beyond those of the network take the gain of its last. All
buffers are made once and bound to the session, in two sets: the states that one call writes are those that the next one
reads, so that nothing is copied between calls.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from unmuffle.denoise.suppressors.base import Suppressor
from unmuffle.models.frames import FramesGraph
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid

STREAMS_AT_ONCE = 32
"""Streams whose next frame goes through the network together: more would not stay in a core's cache."""

MOST_GAIN = 1e4
"""What no sane network gives; beyond it lies overflow."""


class NetworkSuppressor(Suppressor):
    """Gains by a network.

    Parameters
    ----------
    graph : FramesGraph
        From ``unmuffle.models.frames.frames_graph``; may serve several suppressors.
    """

    frames_at_once: ClassVar[int] = 64

    def __init__(self, graph: FramesGraph) -> None:
        self.graph = graph
        self._heads: FloatArray = np.empty((0, 1, 2), np.float32)

    @property
    def presence(self) -> FloatArray:
        """Probability that there is speech in each frame of the last call, float32 [frames, channels]."""
        return 0.5 + 0.5 * np.tanh(0.5 * self._heads[..., 0])

    @property
    def local_snr_db(self) -> FloatArray:
        """Local SNR in dB of each frame of the last call, float32 [frames, channels]."""
        low_db, high_db = self.graph.local_snr_db
        return low_db + (high_db - low_db) * self._heads[..., 1].clip(0.0, 1.0)

    @property
    def latest(self) -> tuple[FloatArray, FloatArray]:
        """Presence and local SNR in dB of the latest frame, float32 [channels] each; NaN where none has come."""
        if len(self._heads) == 0:
            return np.full(self._channels, np.nan, np.float32), np.full(self._channels, np.nan, np.float32)
        return self.presence[-1], self.local_snr_db[-1]

    def start(self, grid: Grid, channels: int) -> None:
        """Make the state; see ``Suppressor.start``."""
        self._bins, self._channels = grid.bins, channels
        self._heads = np.empty((0, channels, 2), np.float32)
        self._known = min(grid.bins, self.graph.bins)
        self._scale = np.float32(1.0 / grid.hop)
        self._states: list[list[FloatArray]] = [
            [np.zeros((channels * state.rows, *state.shape), np.float32) for state in self.graph.states]
            for _ in range(2)
        ]
        self._latest = 0
        self._make_room(max(1, self.frames_at_once // channels))

    def gains(self, spectra: ComplexArray) -> ComplexArray:
        """Return complex gains; see ``Suppressor.gains``."""
        frames, known = len(spectra), self._known
        if frames > len(self._spectra):
            self._make_room(frames)
        np.multiply(spectra[..., :known], self._scale, out=self._spectra[:frames, :, :known])
        for binding in self._bound(frames):
            self.graph.session.run_with_iobinding(binding)
        self._latest = 1 - self._latest
        self._heads = self._all_heads[:frames]
        raw = self._gains[:frames].view(np.float32)
        # NaN compares false with everything.
        if not (raw.max() <= MOST_GAIN and raw.min() >= -MOST_GAIN):
            self._start_over(raw)
        gains = self._gains[:frames]
        if self._wide is None:
            return gains[..., :known]
        wide = self._wide[:frames]
        wide[..., :known] = gains
        wide[..., known:] = gains[..., known - 1 :]
        return wide

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past; see ``Suppressor.reset``."""
        self._clear(mask)
        if mask is None:
            self._heads = self._heads[:0]
        else:
            self._heads[:, mask] = np.nan

    def _clear(self, mask: BoolArray | None) -> None:
        for state, described in zip(self._states[self._latest], self.graph.states, strict=True):
            state[slice(None) if mask is None else np.repeat(mask, described.rows)] = 0.0

    def _make_room(self, frames: int) -> None:
        shape = (frames, self._channels, self.graph.bins)
        self._spectra: ComplexArray = np.zeros(shape, np.complex64)
        self._gains: ComplexArray = np.empty(shape, np.complex64)
        self._all_heads: FloatArray = np.empty((*shape[:2], 2), np.float32)
        self._wide = np.empty((*shape[:2], self._bins), np.complex64) if self._bins > self.graph.bins else None
        self._bindings: dict[tuple[int, int], list[Any]] = {}

    def _bound(self, frames: int) -> list[Any]:
        """What so many frames are read from and written to, with the states of the last call as input."""
        found = self._bindings.get((frames, self._latest))
        if found is None:
            # Only in a single frame do some of the streams lie side by side.
            step = STREAMS_AT_ONCE if frames == 1 else self._channels
            found = [self._binding(frames, start, step) for start in range(0, self._channels, step)]
            self._bindings[frames, self._latest] = found
        return found

    def _binding(self, frames: int, start: int, count: int) -> Any:
        """Bind the channels from ``start`` on, at most ``count``."""
        chosen = slice(start, start + count)
        binding = self.graph.session.io_binding()
        inputs = {"spectra": self._spectra[:frames, chosen].view(np.float32)}
        outputs = {"gains": self._gains[:frames, chosen].view(np.float32), "heads": self._all_heads[:frames, chosen]}
        for number, described in enumerate(self.graph.states):
            rows = slice(start * described.rows, (start + count) * described.rows)
            inputs[f"state_{number}"] = self._states[self._latest][number][rows]
            outputs[f"next_{number}"] = self._states[1 - self._latest][number][rows]
        inputs["spectra"], outputs["gains"] = (
            array.reshape(*array.shape[:2], self.graph.bins, 2) for array in (inputs["spectra"], outputs["gains"])
        )
        for name, array in inputs.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, array in outputs.items():
            binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return binding

    def _start_over(self, raw: FloatArray) -> None:
        """Leave channels alone where the network lost its footing, and have it begin anew there."""
        lost = np.asarray(np.logical_not(np.abs(raw) <= MOST_GAIN).any(axis=(0, 2)))
        self._gains[: len(raw), lost] = 1.0
        self._heads[:, lost] = 0.0
        self._clear(lost)
