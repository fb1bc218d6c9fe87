"""How far the SNR that is estimated without a reference is from the true one.

The folder holds ``pairs.csv`` (with the columns id, rate and snr_db) and ``noisy/ID.flac``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def measure(folder: Path) -> dict[str, Any]:
    """Return mean and median absolute error and bias in dB for each rate."""
    from unmuffle.measure import estimate_snr

    errors: dict[str, list[float]] = {}
    with (folder / "pairs.csv").open() as file:
        for row in csv.DictReader(file):
            noisy, rate = soundfile.read(folder / "noisy" / f"{row['id']}.flac", dtype="float32")
            estimated = estimate_snr(noisy, rate).db
            if estimated is not None:
                errors.setdefault(row["rate"], []).append(estimated - float(row["snr_db"]))
    return {
        "rates": {
            rate: {
                "clips": len(found),
                "mean_error_db": float(np.mean(np.abs(found))),
                "median_error_db": float(np.median(np.abs(found))),
                "bias_db": float(np.mean(found)),
            }
            for rate, found in errors.items()
        }
    }
