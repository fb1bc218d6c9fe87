"""What every model and method reaches on the evaluation clips: measured, and as it was stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

import unmuffle
from unmuffle.denoise import METHODS
from unmuffle.measure import score
from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.evaluation.clips import ClipAudio
from unmuffle.measure.evaluation.pairs import find_pairs
from unmuffle.models import list_models

HERE = Path(__file__).parent
CLIPS = HERE / "clips"
STORED = HERE / "figures.json"
KEYS = ("pesq_wideband", "estoi", "si_sdr_db")
NOISY = "noisy"
MODELS = tuple(model.name for model in list_models())
SHIPPED = (*MODELS, *METHODS)
HIGHEST_SI_SDR_DB = 60.0
"""Beyond this nothing is heard, and of a clip left as it is the figure has no meaning."""

Figures = Mapping[str, Mapping[str, float]]
"""By clip and key."""


@lru_cache(maxsize=1)
def clips() -> dict[str, ClipAudio]:
    return {pair.name: pair.read() for pair in find_pairs(CLIPS)}


def measure(what: str) -> dict[str, dict[str, float]]:
    """Measure all clips after a model or a method, or as they are."""
    found = {}
    chosen = {"model": what} if what in MODELS else {"method": what}
    for name, clip in clips().items():
        audio = clip.noisy if what == NOISY else unmuffle.enhance(clip.noisy, clip.sample_rate, **chosen)
        scores = score(clip.clean, audio, clip.sample_rate, KEYS)
        assert not [item.why_not for item in scores if item.value is None], name
        found[name] = {item.measure.key: round(min(float(item.value), _most(item.measure.key)), 4) for item in scores}
    return found


def stored() -> dict:
    return json.loads(STORED.read_text())


def implementations() -> dict[str, str]:
    """What other packages measure with."""
    return {key: text for key in KEYS if not (text := measure_of(key).implementation).startswith("unmuffle")}


def mean(figures: Figures, key: str, names: list[str]) -> float:
    return float(np.mean([figures[name][key] for name in names]))


def _most(key: str) -> float:
    return HIGHEST_SI_SDR_DB if key == "si_sdr_db" else np.inf
