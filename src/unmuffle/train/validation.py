"""Validation during training: fixed mixtures of held-out talkers and noises, scored as listeners would."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unmuffle.errors import AudioFileError
from unmuffle.measure import score
from unmuffle.train.checkpoint import BEST
from unmuffle.train.config import TrainConfig
from unmuffle.train.crew import Crew
from unmuffle.train.data.catalogue import VALIDATION
from unmuffle.train.data.decoding import FULL_RATE, WIDE_RATE
from unmuffle.train.data.mixing import Mixer
from unmuffle.train.networks import Network

MEASURES = ("pesq_wideband", "estoi", "si_sdr_db")
CLEAN_EVERY, FULL_BAND_EVERY = 6, 4
STREAM = 2
log = logging.getLogger(__name__)


class Validation:
    """Mixes the clips once and scores networks on them; every sixth clip is clean speech."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self._folder = Path(config.data.packed)
        self._mixers: dict[tuple[int, bool], Mixer] = {}
        self.clips = config.validation.clips
        try:
            self._mixer(WIDE_RATE, clean=False)
        except AudioFileError as error:
            # Better known now than after the first thousand steps.
            log.warning("the run goes without validation and without %s: %s", BEST, error)
            self.clips = 0

    def run(self, network: Network, crew: Crew) -> dict[str, float]:
        """Return the mean of every score over all clips; clean speech apart, as ``clean_...``.

        Nothing, where too few talkers or noises are held out.
        """
        sums: dict[str, list[float]] = defaultdict(list)
        for number in crew.share(self.clips):
            for key, value in self._score(network, number).items():
                sums[key].append(value)
        return _mean_over_crew(sums, crew, self.device)

    def _score(self, network: Network, number: int) -> dict[str, float]:
        clean = number % CLEAN_EVERY == 0
        full_band = self.config.data.full_band_share > 0 and number % FULL_BAND_EVERY == 1
        mixer = self._mixer(FULL_RATE if full_band else WIDE_RATE, clean)
        random = np.random.default_rng([self.config.seed, STREAM, number])
        noisy, target = mixer.item(random)
        with torch.no_grad():
            estimate = network.enhance(torch.from_numpy(noisy[None]).to(self.device), mixer.rate).waveform[0]
        found = score(target[None], estimate.float().cpu().numpy()[None], mixer.rate, keys=MEASURES)
        prefix = "clean_" if clean else ""
        return {prefix + item.measure.key: item.value for item in found if item.value is not None}

    def _mixer(self, rate: int, clean: bool) -> Mixer:
        share = 1.0 if clean else 0.0
        # What no network can undo would only blur the scores.
        spared: dict[str, Any] = dict.fromkeys(("noise_share", "clip_share", "codec_share", "packet_loss_share"), 0.0)
        settings = replace(self.config.mix, clean_share=share, **spared)
        if (rate, clean) not in self._mixers:
            seconds = self.config.validation.seconds
            try:
                mixer = Mixer(self._folder, rate, settings, seconds, VALIDATION)
            except AudioFileError:
                # Too few full-band talkers to hold some out: then only what all have is validated.
                if rate == WIDE_RATE:
                    raise
                mixer = Mixer(self._folder, WIDE_RATE, settings, seconds, VALIDATION)
            self._mixers[rate, clean] = mixer
        return self._mixers[rate, clean]


def quality(scores: dict[str, float]) -> float:
    """One number to choose the best checkpoint by; PESQ, ESTOI and SI-SDR weighed by what a good step is in each."""
    return (
        scores.get("pesq_wideband", 0.0)
        + 3 * scores.get("estoi", 0.0)
        + 0.05 * scores.get("si_sdr_db", 0.0)
        + 0.01 * scores.get("clean_si_sdr_db", 0.0)
    )


def _mean_over_crew(sums: dict[str, list[float]], crew: Crew, device: torch.device) -> dict[str, float]:
    keys = [prefix + key for prefix in ("", "clean_") for key in MEASURES]
    table = torch.tensor([[sum(sums[key]), len(sums[key])] for key in keys], dtype=torch.float64, device=device)
    totals = crew.sum(table).tolist()
    return {key: total / count for key, (total, count) in zip(keys, totals, strict=True) if count}
