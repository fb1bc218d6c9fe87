"""What networks, methods, noisereduce and RNNoise gain, break and cost on pairs of noisy and clean speech.

The folder is one that ``unmuffle evaluate`` takes. PESQ is P.862.2 wideband at 16 kHz, ESTOI is taken at 10 kHz, DNSMOS
at 16 kHz; SI-SDR has means removed and is taken at the clip's own rate. The networks are those that ship and those that
lie in ``training/``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from unmuffle.measure import ClipResult

TRAINED = Path(__file__).parent.parent / "training"
PEERS = ("noisereduce-stationary", "noisereduce", "rnnoise")
MEASURES = (
    "pesq_wideband",
    "estoi",
    "si_sdr_db",
    "dnsmos_ovrl",
    "artefact_score",
    "transparency_si_sdr_db",
    "transparency_pesq",
    "real_time_factor",
)


def measure(folder: Path) -> dict[str, Any]:
    """Return the mean figures per rate and method."""
    from unmuffle.denoise import METHODS
    from unmuffle.measure import Results, evaluate, find_pairs
    from unmuffle.models import list_models

    pairs = find_pairs(folder)
    shipped = [f"model:{model.name}" for model in list_models()]
    others = [f"{path.stem}=model:{path}" for path in sorted(TRAINED.glob("*.onnx"))]
    everything = evaluate(
        pairs,
        (*shipped, *others, *METHODS, *PEERS),
        measures=MEASURES,
        jobs=os.cpu_count() or 1,
        transparency_clips=len(pairs),
    )
    figures = {}
    for rate in sorted({row.sample_rate for row in everything if not row.failed}):
        results = Results(row for row in everything if row.sample_rate == rate)
        figures[str(rate)] = {
            "clips": len(results.clips),
            "methods": {name: _means(results.of(name)) for name in results.enhancers},
        }
    return {"rates": figures, "failed": sum(row.failed for row in everything)}


def _means(rows: Sequence[ClipResult]) -> dict[str, float]:
    values = {key: [row.values[key] for row in rows if key in row.values] for key in MEASURES}
    return {key: float(np.mean(found)) for key, found in values.items() if found}
