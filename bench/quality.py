"""PESQ, ESTOI and SI-SDR of every method, and of noisereduce, on pairs of noisy and clean speech.

The folder holds ``pairs.csv`` (with the columns id and rate), ``clean/ID.flac`` and ``noisy/ID.flac``. PESQ is P.862.2
wideband through ``pesq`` at 16 kHz, ESTOI is ``pystoi``'s at 10 kHz; SI-SDR has means removed and is taken at the
clip's own rate.
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
    from unmuffle.measure import estoi, pesq_wideband, si_sdr_db

    clean, rate = soundfile.read(folder / "clean" / f"{name}.flac", dtype="float32")
    noisy, _ = soundfile.read(folder / "noisy" / f"{name}.flac", dtype="float32")
    pair = (clean, _enhanced(method, noisy, rate), rate)
    return pesq_wideband(*pair), estoi(*pair), si_sdr_db(*pair)


def _enhanced(method: str, noisy: np.ndarray, rate: int) -> np.ndarray:
    if method == NOISY:
        return noisy
    if method in PEERS:
        import noisereduce

        return noisereduce.reduce_noise(y=noisy, sr=rate, stationary=method.endswith("stationary"))
    import unmuffle

    return unmuffle.enhance(noisy, rate, method=method)
