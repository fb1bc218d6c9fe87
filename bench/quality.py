"""PESQ, ESTOI and SI-SDR of every method, and of noisereduce, on pairs of noisy and clean speech.

The folder holds ``pairs.csv`` (with the columns id and rate), ``clean/ID.flac`` and ``noisy/ID.flac``. PESQ is P.862.2
wideband through ``pesq``, ESTOI is ``pystoi``'s, both at 16 kHz (48 kHz is resampled); SI-SDR has means removed and is
taken at the clip's own rate.
"""

from __future__ import annotations

import csv
import multiprocessing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

NOISY = "noisy"
PEERS = ("noisereduce stationary", "noisereduce default")
METRIC_RATE_HZ = 16_000


def measure(folder: Path) -> dict[str, Any]:
    """Return the mean figures per rate and method."""
    from unmuffle.denoise import METHODS

    with (folder / "pairs.csv").open() as file:
        pairs = [(row["id"], int(row["rate"])) for row in csv.DictReader(file)]
    figures: dict[str, Any] = {}
    with multiprocessing.get_context("spawn").Pool() as pool:
        for rate in sorted({rate for _, rate in pairs}):
            ids = [name for name, its_rate in pairs if its_rate == rate]
            rows = {}
            for method in (NOISY, *METHODS, *PEERS):
                scores = np.array(pool.map(partial(score, folder, method), ids))
                rows[method] = dict(zip(("pesq", "estoi", "si_sdr_db"), scores.mean(axis=0).tolist(), strict=True))
            figures[str(rate)] = {"clips": len(ids), "methods": rows}
    return {"rates": figures}


def score(folder: Path, method: str, name: str) -> tuple[float, float, float]:
    """Return wideband PESQ, ESTOI and SI-SDR in dB of one clip."""
    from pesq import pesq
    from pystoi import stoi

    from unmuffle.signal import resample

    clean, rate = soundfile.read(folder / "clean" / f"{name}.flac", dtype="float32")
    noisy, _ = soundfile.read(folder / "noisy" / f"{name}.flac", dtype="float32")
    enhanced = _enhanced(method, noisy, rate)
    ratio = si_sdr_db(clean, enhanced)
    reference, estimate = (resample(audio, rate, METRIC_RATE_HZ).reshape(-1) for audio in (clean, enhanced))
    return (
        float(pesq(METRIC_RATE_HZ, reference, estimate, "wb")),
        float(stoi(reference, estimate, METRIC_RATE_HZ, extended=True)),
        ratio,
    )


def si_sdr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019), means removed."""
    reference = reference.astype(np.float64) - reference.mean()
    estimate = estimate.astype(np.float64) - estimate.mean()
    target = (reference @ estimate) / (reference @ reference) * reference
    distortion = estimate - target
    return float(10.0 * np.log10((target @ target) / (distortion @ distortion)))


def _enhanced(method: str, noisy: np.ndarray, rate: int) -> np.ndarray:
    if method == NOISY:
        return noisy
    if method in PEERS:
        import noisereduce

        return noisereduce.reduce_noise(y=noisy, sr=rate, stationary=method.endswith("stationary"))
    import unmuffle

    return unmuffle.enhance(noisy, rate, method=method)
