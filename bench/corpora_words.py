"""What enhancing a corpus does to a recogniser: word errors of the originals, of all enhanced, and of the gated choice.

Utterances are those of a folder with ``index.csv`` (columns ``file`` and ``text``), noises what the noisy clips of the
folder of pairs hold besides the voice. Needs pocketsphinx and jiwer.
"""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from bench.arrays import voices_and_noises
from bench.tables import table

RATE_HZ = 16_000
SNRS_DB = (0.0, 5.0, 10.0, 15.0, 20.0, None)
PEAK = 0.5
RESAMPLINGS = 2000
SETTINGS = {"full strength": {}, "strength auto": {"strength": "auto"}, "at most 12 dB": {"max_attenuation_db": 12.0}}


def measure(transcribed: Path, pairs: Path) -> dict[str, Any]:
    """Return word error rates for each way of enhancing, without and with the gate that does no harm."""
    from unmuffle import Enhancer
    from unmuffle.corpus import run
    from unmuffle.corpus.do_no_harm import do_no_harm

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        texts = _write_corpus(transcribed, pairs, root / "noisy")
        original = _errors(root / "noisy", texts)
        rows = []
        for name, options in SETTINGS.items():
            out = root / name
            run(root / "noisy", out, enhancer=Enhancer(**options), gate=do_no_harm(), otherwise="enhanced")
            verdicts = _verdicts(out / "manifest.jsonl")
            enhanced = _errors(out, texts)
            kept = np.array([verdicts[clip] for clip in texts])
            gated = np.where(kept, enhanced[:, 0], original[:, 0])
            rows.append(
                {
                    "name": name,
                    "kept": float(kept.mean()),
                    **_compared("all", enhanced[:, 0], original),
                    **_compared("gated", gated, original),
                }
            )
    return {"clips": len(texts), "original": float(original[:, 0].sum() / original[:, 1].sum()), "rows": rows}


def _write_corpus(transcribed: Path, pairs: Path, folder: Path) -> dict[str, str]:
    """Write utterances with noise, and return their texts by the names of the files."""
    _, noises = voices_and_noises(pairs)
    rng = np.random.default_rng(7)
    folder.mkdir()
    texts = {}
    with (transcribed / "index.csv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index):
            audio, rate = soundfile.read(transcribed / row["file"])
            voice = soxr.resample(audio, rate, RATE_HZ)
            snr_db = SNRS_DB[rng.integers(len(SNRS_DB))]
            noise = np.resize(noises[rng.integers(len(noises))], voice.size)
            if snr_db is not None:
                voice = voice + noise * np.sqrt(np.square(voice).mean() / np.square(noise).mean() / 10 ** (snr_db / 10))
            name = f"{Path(row['file']).stem}.wav"
            soundfile.write(folder / name, PEAK * voice / np.abs(voice).max(), RATE_HZ)
            texts[name] = row["text"]
    return texts


def _verdicts(manifest: Path) -> dict[str, bool]:
    """Return whether each clip passed the gate: one that did not has a reason."""
    rows = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
    return {row["id"]: not row["unmuffle"]["reason"] for row in rows}


def _errors(folder: Path, texts: dict[str, str]) -> npt.NDArray[np.int64]:
    """Return errors and words of each clip [clips, 2]."""
    from unmuffle.measure.impact.normalizer import TextNormalizer
    from unmuffle.measure.impact.recognizers.pocket_sphinx import PocketSphinx
    from unmuffle.measure.impact.word_errors import count_word_errors

    recognizer, normal = PocketSphinx(), TextNormalizer()
    counted = []
    for name, text in texts.items():
        audio, _ = soundfile.read(folder / name, dtype="float32")
        found = count_word_errors(normal(text), normal(recognizer.transcribe(audio, RATE_HZ)))
        counted.append((found.total, found.words))
    return np.array(counted)


def _compared(name: str, errors: npt.NDArray[np.int64], original: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return the rate and how far it is above that of the originals, with the 95 % interval over the clips."""
    before, words = original.T
    picks = np.random.default_rng(0).integers(len(errors), size=(RESAMPLINGS, len(errors)))
    spread = (errors - before)[picks].sum(axis=1) / words[picks].sum(axis=1)
    low, high = np.percentile(spread, [2.5, 97.5])
    return {
        name: float(errors.sum() / words.sum()),
        f"{name}_change": float((errors - before).sum() / words.sum()),
        f"{name}_low": float(low),
        f"{name}_high": float(high),
    }


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page."""
    rows = [
        (
            row["name"],
            *(
                f"{100 * row[way]:.1f} ({100 * row[f'{way}_change']:+.1f}; {100 * row[f'{way}_low']:+.1f} to "
                f"{100 * row[f'{way}_high']:+.1f})"
                for way in ("all", "gated")
            ),
            f"{100 * row['kept']:.0f}",
        )
        for row in figures["rows"]
    ]
    head = ("enhanced", "everything, %", "by the gate, %", "enhanced by the gate, % of the clips")
    return (
        f"Word errors of PocketSphinx (US English, a weak recogniser) on {figures['clips']} utterances, most by "
        "speakers of other languages, with noises at 0 to 20 dB and without; in brackets the change from that of the "
        "originals, "
        f"{100 * figures['original']:.1f} %, and its 95 % bootstrap interval. The gate is `--gate default` of "
        f"[corpora](corpora.md).\n\n{table(head, rows)}"
    )
