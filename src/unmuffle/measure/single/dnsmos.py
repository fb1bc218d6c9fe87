"""DNSMOS: predicted opinion of listeners, without a reference.

C. Reddy, V. Gopal and R. Cutler, "DNSMOS P.835: a non-intrusive perceptual objective speech quality metric to evaluate
noise suppressors", ICASSP 2022, and their P.808 model of ICASSP 2021. Computed by the package ``speechmos``, which
carries the authors' networks, with its own windows: 9.01 s, one every second, shorter clips repeated; the score is the
mean over windows. The networks were trained at 16 kHz on speech and know nothing above 8 kHz; predictions of MOS miss
words that an enhancer made up.

Channels are averaged to one, which is what the networks take. Samples beyond full scale are clipped to it, as a file
or a loudspeaker would, since the package refuses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.measure.extras import DNSMOS, load_package
from unmuffle.measure.single.checks import checked_recording, silent_recording
from unmuffle.signal.resample import resample

RATE_HZ = 16_000

_LEAST_S = 0.25
# What the package needs beside itself, without naming it to pip.


@dataclass(frozen=True)
class Dnsmos:
    """Predicted mean opinion scores, 1 (bad) to 5 (excellent).

    Attributes
    ----------
    sig, bak, ovrl : float
        P.835: quality of the speech itself, intrusiveness of the background (5 is none), and overall.
    p808 : float
        P.808: overall, by an earlier model of its own.
    """

    sig: float
    bak: float
    ovrl: float
    p808: float


def dnsmos(audio: npt.ArrayLike, sample_rate: int) -> Dnsmos:
    """Return the DNSMOS ratings of speech.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``, averaged over channels; at least 0.25 s. Magnitudes above 1.0 are
        clipped.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz. Speech without a band above 4 kHz is rated lower for it.

    Raises
    ------
    InvalidAudioError
        If the audio is too short, silent, or holds NaN or infinity.
    InvalidParameterError
        If the rate is outside its range.
    MissingExtraError
        If the extra ``dnsmos`` is not installed.
    """
    samples = checked_recording(audio, sample_rate, "DNSMOS", _LEAST_S)
    mono = samples.mean(axis=0)
    if not mono.any():
        raise silent_recording("DNSMOS", "the channels cancel each other")
    wideband = np.clip(resample(mono, sample_rate, RATE_HZ)[0], -1.0, 1.0)
    found = _model()(wideband, RATE_HZ, False)
    return Dnsmos(*(float(found[f"{key}_mos"]) for key in ("sig", "bak", "ovrl", "p808")))


@lru_cache(maxsize=1)
def _model() -> Any:
    """Return the package's model with sessions of one thread, loaded once a process."""
    package = load_package("speechmos.dnsmos", DNSMOS, "DNSMOS")
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Its own constructor would take a thread for every core, in every worker.
    model = package.DNSMOS.__new__(package.DNSMOS)
    folder = Path(str(package.__file__)).parent / "dnsmos_models"
    model.onnx_sess = InferenceSession(folder / "sig_bak_ovr.onnx", options, providers=["CPUExecutionProvider"])
    model.p808_onnx_sess = InferenceSession(folder / "model_v8.onnx", options, providers=["CPUExecutionProvider"])
    return model
