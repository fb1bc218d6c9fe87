"""RNNoise, by the library that the package ``pyrnnoise`` brings.

J.-M. Valin, "A hybrid DSP/deep learning approach to real-time full-band speech enhancement", MMSP 2018. Its frames go
to the library directly, as floats: the package rounds them to 16 bit and wraps what exceeds full scale. Channels are
enhanced one by one, other rates than 48 kHz resampled there and back.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.enhancers.peers import load_peer, peer_version
from unmuffle.signal.arrays import AnyArray, FloatArray
from unmuffle.signal.resample import resample

PACKAGE = "pyrnnoise"
NAME = "rnnoise"

RATE_HZ = 48_000
FRAME = 480
DELAY = 960
"""Samples by which its output is late: a frame of overlap, and one that it looks ahead."""

_FULL_SCALE = 32_768.0


def rnnoise(name: str = NAME) -> ClipEnhancer:
    """Return RNNoise."""
    return ClipEnhancer(name, _enhance, _latency_ms, peer_version(PACKAGE))


def _latency_ms(_: int) -> float:
    # It must have a whole frame before it begins.
    return 1000.0 * (DELAY + FRAME) / RATE_HZ


def _enhance(audio: FloatArray, sample_rate: int) -> AnyArray:
    library = load_peer("pyrnnoise.rnnoise").lib
    at_its_rate = resample(audio, sample_rate, RATE_HZ)
    samples = at_its_rate.shape[1]
    frames = -(-(samples + DELAY) // FRAME)
    padded = np.zeros((len(audio), frames * FRAME), np.float32)
    padded[:, :samples] = at_its_rate * _FULL_SCALE
    for channel in padded:
        _run(library, channel)
    enhanced = padded[:, DELAY : DELAY + samples] / np.float32(_FULL_SCALE)
    return resample(enhanced, RATE_HZ, sample_rate)[:, : audio.shape[1]]


def _run(library: Any, channel: FloatArray) -> None:
    """Enhance a channel of whole frames in place."""
    state = library.rnnoise_create(None)
    pointer = ctypes.POINTER(ctypes.c_float)
    try:
        for frame in channel.reshape(-1, FRAME):
            address = frame.ctypes.data_as(pointer)
            library.rnnoise_process_frame(state, address, address)
    finally:
        library.rnnoise_destroy(state)
