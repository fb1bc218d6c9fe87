"""How far the SNR that is estimated without a reference is from the true one.

The folder holds ``pairs.csv`` (with the columns id, rate and snr_db) and ``noisy/ID.flac``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def measure(folder: Path, model: str | None = None) -> dict[str, Any]:
    """Return mean and median absolute error and bias in dB for each rate, without a network and with one."""
    from unmuffle.measure import describe_recording, estimate_snr

    errors: dict[str, list[float]] = {}
    of_network: dict[str, list[float]] = {}
    with (folder / "pairs.csv").open() as file:
        for row in csv.DictReader(file):
            noisy, rate = soundfile.read(folder / "noisy" / f"{row['id']}.flac", dtype="float32")
            true_db = float(row["snr_db"])
            estimated = estimate_snr(noisy, rate).db
            if estimated is not None:
                errors.setdefault(row["rate"], []).append(estimated - true_db)
            told = None if model is None else describe_recording(noisy, rate, model=model).snr.db
            if told is not None:
                of_network.setdefault(row["rate"], []).append(told - true_db)
    figures: dict[str, Any] = {"rates": _summary(errors)}
    return figures if model is None else figures | {"model": Path(model).stem, "network": _summary(of_network)}


def _summary(errors: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {
        rate: {
            "clips": len(found),
            "mean_error_db": float(np.mean(np.abs(found))),
            "median_error_db": float(np.median(np.abs(found))),
            "bias_db": float(np.mean(found)),
        }
        for rate, found in errors.items()
    }
