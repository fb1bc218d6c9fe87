"""The package ``noisereduce``: T. Sainburg's spectral gating, as it ships."""

from __future__ import annotations

import warnings
from functools import partial

from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.enhancers.peers import load_peer, peer_version
from unmuffle.signal.arrays import AnyArray, FloatArray

PACKAGE = "noisereduce"
NAMES = ("noisereduce", "noisereduce-stationary")


def spectral_gate(name: str) -> ClipEnhancer:
    """Return one of its two algorithms."""
    return ClipEnhancer(name, partial(_enhance, name == "noisereduce-stationary"), version=peer_version(PACKAGE))


def _enhance(stationary: bool, audio: FloatArray, sample_rate: int) -> AnyArray:
    package = load_peer(PACKAGE)
    with warnings.catch_warnings():
        # It divides by zero where there is silence, and gives silence.
        warnings.simplefilter("ignore", RuntimeWarning)
        enhanced: AnyArray = package.reduce_noise(y=audio, sr=sample_rate, stationary=stationary)
    return enhanced
