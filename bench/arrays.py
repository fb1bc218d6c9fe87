"""Microphone arrays in simulated rooms: what each beamformer gains, where voices are found, how long it takes.

Voices are the clean clips of 16 kHz of a folder as ``unmuffle evaluate`` takes it, noises what its noisy clips of dry
rooms hold besides them. Each condition in a process of its own, on one thread. Needs pyroomacoustics.
"""

from __future__ import annotations

import csv
import os
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.array_directions import direction_errors, summarized
from bench.array_rooms import RATE, Floats, Scene, simulate
from bench.one_thread import call
from unmuffle import enhance
from unmuffle.array import ArrayGeometry, beamform, open_stream
from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.covariance import diagonal_loaded, diffuse_covariance
from unmuffle.array.das import das_weights
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.mask_covariances import HOPS_OFFLINE, MaskCovariances
from unmuffle.array.mask_solver import Solver
from unmuffle.array.mvdr import mvdr_weights
from unmuffle.array.noise_sample import noise_covariance
from unmuffle.array.steering import steering_vectors
from unmuffle.array.superdirective import superdirective_weights
from unmuffle.measure import estoi, pesq_wideband, si_sdr_db
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream

HOPS = HOPS_OFFLINE
SECONDS, PAUSE_S = 8.0, 1.0
ARRAYS, RT60S = ("laptop2", "linear4", "respeaker4", "circle8"), (0.2, 0.3, 0.6)
SNR_DB = 0.0
LEAST_APART_DEG = 30.0
SCENES = 10
DIRECTIONS_A_SCENE = 2
"""Directions scatter more than beams do, and are quickly found: so many times the scenes are taken for them."""

Row = dict[str, float]


def measure(folder: Path, scenes: int) -> dict[str, Any]:
    """Return the medians over so many scenes of each condition and method, and the speeds."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(
            pool.map(
                lambda condition: call("bench.arrays", "measured", *condition, str(folder), scenes),
                product(ARRAYS, RT60S),
            )
        )
    return {
        "scenes": scenes,
        "direction_scenes": DIRECTIONS_A_SCENE * scenes,
        "snr_db": SNR_DB,
        "table": [row for part in parts for row in part["table"]],
        "directions": [row for part in parts for row in part["directions"]],
        "rtf": call("bench.arrays", "speeds"),
    }


def measured(name: str, rt60_s: float, folder: str, scenes: int) -> dict[str, Any]:
    """Return the rows of one condition."""
    voices, noises = voices_and_noises(Path(folder))
    rows: dict[str, list[Row]] = defaultdict(list)
    errors = []
    for seed in range(DIRECTIONS_A_SCENE * scenes):
        scene = _scene(as_geometry(name), rt60_s, voices, noises, seed)
        errors.append(direction_errors(scene))
        for method, row in _of_scene(scene).items() if seed < scenes else ():
            rows[method].append(row)
    condition, on_a_line = {"array": name, "rt60_s": rt60_s}, as_geometry(name).dimensions == 1
    return {
        "table": [condition | {"method": method} | _medians(found) for method, found in rows.items()],
        "directions": [condition | {"on_a_line": on_a_line} | row for row in summarized(errors)],
    }


def _medians(rows: list[Row]) -> Row:
    return {key: round(float(np.median([row[key] for row in rows])), 3) for key in rows[0]}


def voices_and_noises(folder: Path) -> tuple[list[Floats], list[Floats]]:
    """Return the clean clips of 16 kHz of a folder of pairs, and what is in the noisy ones of dry rooms besides."""
    voices, noises = [], []
    with (folder / "pairs.csv").open() as file:
        for row in csv.DictReader(file):
            clean, rate = soundfile.read(folder / "clean" / f"{row['id']}.flac", dtype="float64")
            if rate != RATE:
                continue
            voices.append(clean)
            if float(row["rt60_s"]) == 0.0:
                noises.append(soundfile.read(folder / "noisy" / f"{row['id']}.flac", dtype="float64")[0] - clean)
    return voices, noises


def _scene(geometry: ArrayGeometry, rt60_s: float, voices: list[Floats], noises: list[Floats], seed: int) -> Scene:
    random = np.random.default_rng([seed, geometry.microphones])
    samples = round(SECONDS * RATE)
    pause = np.zeros(round(PAUSE_S * RATE))
    said = np.concatenate([pause, *(voices[index] for index in random.integers(len(voices), size=4))])
    voice = np.pad(said, (0, samples))[:samples]
    first, second = (
        np.resize(noises[index], samples) + 1e-5 * random.standard_normal(samples)
        for index in random.integers(len(noises), size=2)
    )
    widest = 180.0 if geometry.dimensions == 1 else 360.0
    while True:
        azimuths = random.uniform(10.0, widest - 10.0, 2)
        apart = abs((azimuths[0] - azimuths[1] + 180.0) % 360.0 - 180.0)
        if apart >= LEAST_APART_DEG:
            break
    pair = float(azimuths[0]), float(azimuths[1])
    return simulate(geometry, pair, (voice, first, second), rt60_s=rt60_s, snr_db=SNR_DB, seed=seed)


def _of_scene(scene: Scene) -> dict[str, Row]:
    """Return what each method reaches; fixed weights are also applied to the voice and the noise alone."""
    mixture = scene.mixture
    before = _quality(scene.early[0], mixture[0])
    band_before = _ratio_db(scene.voice[0], scene.noise[0])
    rows: dict[str, Row] = {"none": before | {"sinr_gain_db": 0.0}}
    for method, (weights, centre) in _weights(scene).items():
        voice, noise = (_through(weights, part[:-1]) for part in (scene.voice, scene.noise))
        row = _quality(scene.early[-1 if centre else 0], voice + noise)
        rows[method] = row | {"sinr_gain_db": _ratio_db(voice, noise) - band_before}
    reference = scene.early[0]
    for method, options in {
        "mask-mvdr online": {"online": True},
        "mask-mvdr + denoiser": {"denoise": True},
        "mwf + denoiser": {"method": "mwf", "denoise": True},
    }.items():
        out, _ = beamform(mixture, RATE, reference=0, check=False, **options)  # type: ignore[arg-type]
        rows[method] = _quality(reference, out)
    for method, options in {
        "gsc": {"method": "gsc"},
        "das + zelinski": {"method": "das", "postfilter": "zelinski"},
        "superdirective + mccowan": {"method": "superdirective", "postfilter": "mccowan"},
    }.items():
        out, _ = beamform(mixture, RATE, scene.geometry, toward=scene.azimuth_deg, check=False, **options)  # type: ignore[arg-type]
        rows[method] = _quality(scene.early[-1], out)
    rows["denoiser alone"] = _quality(reference, np.asarray(enhance(mixture[0], RATE)))
    for row in rows.values():
        row["si_sdr_gain_db"] = row["si_sdr_db"] - before["si_sdr_db"]
    return rows


def _weights(scene: Scene) -> dict[str, tuple[Any, bool]]:
    """Return the weights of each method, and whether they keep the voice as at the centre of the array."""
    geometry, hz = scene.geometry, grid_for(RATE).frequencies_hz
    steering = steering_vectors(geometry, scene.azimuth_deg, hz)
    pause = scene.noise[:-1, : round(PAUSE_S * RATE)]
    heard = noise_covariance(pause, RATE, geometry.microphones, hops_a_window=HOPS)
    finer = steering_vectors(geometry, scene.azimuth_deg, grid_for(RATE, HOPS).frequencies_hz)
    by_mask, by_oracle = _covariances(scene)
    return {
        "das": (das_weights(steering), True),
        "superdirective": (superdirective_weights(steering, diffuse_covariance(geometry, hz)), True),
        "mvdr, 1 s of noise": (mvdr_weights(finer, diagonal_loaded(heard)), True),
        "mask-mvdr": (by_mask.weights(Solver("mvdr"), 0), False),
        "mask-mvdr, oracle masks": (by_oracle.weights(Solver("mvdr"), 0), False),
        "gev": (by_mask.weights(Solver("gev"), 0), False),
        "mwf": (by_mask.weights(Solver("mwf"), 0), False),
    }


def _covariances(scene: Scene) -> tuple[MaskCovariances, MaskCovariances]:
    """Return covariances by the network's masks, and by what the masks should be."""
    microphones = scene.geometry.microphones
    by_mask, by_oracle = (MaskCovariances(RATE, microphones) for _ in range(2))
    mixture = scene.mixture.astype(np.float32)
    by_mask.process(mixture)
    recorded = (scene.voice[:-1], scene.noise[:-1], mixture)
    parts = [StftStream(by_mask.grid, microphones).analyze(part.astype(np.float32)) for part in recorded]
    for voice, noise, both in zip(*parts, strict=True):
        powers = [np.square(np.abs(part)).mean(axis=1) for part in (voice, noise)]
        gain = np.sqrt(powers[0] / np.maximum(powers[0] + powers[1], 1e-20)).astype(np.float64)
        by_oracle.add(both, gain**2, (1.0 - gain) ** 2)
    return by_mask, by_oracle


def _through(weights: Any, audio: Floats) -> Floats:
    beam = FixedBeamformer(RATE, weights, hops_a_window=HOPS if len(weights) == grid_for(RATE, HOPS).bins else 2)
    return np.concatenate((beam.process(audio.astype(np.float32)), beam.flush()), axis=1)[0].astype(np.float64)


def _quality(reference: Floats, estimate: Floats) -> Row:
    return {
        "si_sdr_db": float(si_sdr_db(reference, estimate, RATE)),
        "pesq": float(pesq_wideband(reference, estimate, RATE)),
        "estoi": float(estoi(reference, estimate, RATE)),
    }


def _ratio_db(voice: Floats, noise: Floats) -> float:
    return float(10.0 * np.log10(np.square(voice).mean() / np.square(noise).mean()))


def speeds(runs: int = 5) -> dict[str, float]:
    """Return real-time factors of streams of 4 microphones in blocks of 16 ms, the best of some runs."""
    audio = 0.05 * np.random.default_rng(0).standard_normal((4, 4 * RATE)).astype(np.float32)
    speeds = {}
    for name, options in {
        "das": {"method": "das", "toward": 90.0},
        "mask-mvdr": {},
        "mask-mvdr + denoiser": {"denoise": True},
    }.items():
        stream = open_stream("linear4", RATE, block_size=256, **options)  # type: ignore[arg-type]
        spent = []
        for _ in range(runs):
            begun = time.perf_counter()
            for start in range(0, audio.shape[1], 256):
                stream.process(audio[:, start : start + 256])
            spent.append(time.perf_counter() - begun)
        speeds[name] = round(min(spent) * RATE / audio.shape[1], 4)
    return speeds
