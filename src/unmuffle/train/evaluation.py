"""Scores of a checkpoint on a folder of pairs: ``clean/NAME`` and ``noisy/NAME`` of one length and rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from unmuffle.errors import AudioFileError
from unmuffle.measure import score
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader
from unmuffle.train.networks import Network

MEASURES = ("pesq_wideband", "estoi", "si_sdr_db")


def evaluate_pairs(
    network: Network, folder: Path, names: list[str] | None = None
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the name and the scores of each pair; what was noisy as ``noisy_...`` and the clean one as ``clean_...``.

    The clean file is enhanced too and compared with itself: what the network does to speech that needs nothing.

    Raises
    ------
    AudioFileError
        If there are no pairs, or the two of one do not match.
    """
    found = sorted(path.name for path in (folder / "noisy").glob("*") if (folder / "clean" / path.name).is_file())
    if not found:
        raise AudioFileError(f"{folder} holds no pairs: it needs clean/NAME and noisy/NAME")
    for name in found if names is None else names:
        noisy, rate = _read(folder / "noisy" / name)
        clean, clean_rate = _read(folder / "clean" / name)
        if rate != clean_rate or noisy.shape != clean.shape:
            raise AudioFileError(f"{folder}: clean/{name} and noisy/{name} differ in rate or length")
        yield (
            name,
            {
                **_scores("", clean, enhance(network, noisy, rate), rate),
                **_scores("noisy_", clean, noisy, rate),
                **_scores("clean_", clean, enhance(network, clean, rate), rate),
            },
        )


def enhance(network: Network, audio: FloatArray, rate: int) -> FloatArray:
    """Enhance float32 [channels, samples] at 16 or 48 kHz."""
    with torch.no_grad():
        return network.enhance(torch.from_numpy(audio), rate).waveform.numpy()


def _scores(prefix: str, clean: FloatArray, estimate: FloatArray, rate: int) -> dict[str, float]:
    found = score(clean, estimate, rate, keys=MEASURES)
    return {prefix + item.measure.key: item.value for item in found if item.value is not None}


def _read(path: Path) -> tuple[FloatArray, int]:
    with open_reader(str(path)) as reader:
        return np.concatenate(list(reader.blocks()), axis=1), reader.info.sample_rate
