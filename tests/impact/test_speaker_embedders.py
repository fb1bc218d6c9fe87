"""Speaker embeddings: one talker is nearer to himself than to another, whatever is said."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unmuffle.errors import InvalidAudioError, InvalidParameterError, MissingExtraError
from unmuffle.measure.impact.embedders.base import SpeakerEmbedder, cosine
from unmuffle.measure.impact.embedders.registry import find_embedder
from unmuffle.measure.impact.embedders.resemblyzer import Resemblyzer
from unmuffle.signal.resample import resample

CLEAN = Path(__file__).parents[2] / "examples" / "clean.flac"
RATE = 16_000


@pytest.fixture(scope="module")
def embedder() -> Resemblyzer:
    pytest.importorskip("torch", reason="the extra speakers is not installed")
    found = Resemblyzer()
    try:
        found.embed(np.full(RATE, 0.1, np.float32), RATE)
    except MissingExtraError:
        pytest.skip("the extra speakers is not installed")
    return found


@pytest.fixture(scope="module")
def talk() -> dict[str, np.ndarray]:
    """Sentences of the example's two talkers: the host has the first and the last."""
    audio, rate = soundfile.read(CLEAN, dtype="float32")
    samples = resample(audio, rate, RATE)[0]
    loud = np.abs(samples[: samples.size // 160 * 160]).reshape(-1, 160).max(axis=1) > 0.01
    # Sentences are what pauses of more than 0.4 s part.
    frames = np.flatnonzero(loud)
    parts = np.split(frames, np.flatnonzero(np.diff(frames) > 40) + 1)
    spans = [samples[part[0] * 160 : (part[-1] + 1) * 160] for part in parts]
    assert len(spans) >= 4
    return {"host": spans[0], "guest": spans[1], "last": spans[-1]}


def test_a_talker_is_nearer_to_himself_than_to_another(embedder, talk):
    vectors = {name: embedder.embed(audio, RATE) for name, audio in talk.items()}
    same = cosine(vectors["host"], vectors["last"])
    other = max(cosine(vectors["host"], vectors["guest"]), cosine(vectors["last"], vectors["guest"]))
    assert same > other + 0.05


def test_noise_takes_the_talker_away_step_by_step(embedder, talk):
    clean = talk["guest"]
    noise = np.random.default_rng(0).standard_normal(clean.size).astype(np.float32)
    likeness = [
        cosine(embedder.embed(clean, RATE), embedder.embed(clean + level * noise, RATE))
        for level in (0.0, 0.003, 0.03, 0.3)
    ]
    assert likeness[0] == pytest.approx(1.0, abs=1e-6)
    assert likeness == sorted(likeness, reverse=True)


def test_the_level_is_no_part_of_a_talker(embedder, talk):
    quiet = embedder.embed(0.01 * talk["guest"], RATE)
    assert cosine(embedder.embed(talk["guest"] * 0.02, RATE), quiet) > 0.999


def test_a_loaded_embedder_can_be_sent_to_a_worker(embedder, talk):
    again = pickle.loads(pickle.dumps(embedder)).embed(talk["guest"], RATE)
    np.testing.assert_array_equal(again, embedder.embed(talk["guest"], RATE))


def test_silence_has_no_talker(embedder):
    with pytest.raises(InvalidAudioError, match="silent"):
        embedder.embed(np.zeros(RATE, np.float32), RATE)
    with pytest.raises(InvalidAudioError, match="empty"):
        cosine(np.zeros(3), np.ones(3))


def test_cosine_is_that_of_the_angle():
    assert cosine(np.array([1.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(np.sqrt(0.5))
    assert cosine(np.array([2.0, 0.0]), np.array([-3.0, 0.0])) == -1.0


def test_names():
    assert find_embedder(None) is None
    assert find_embedder("none") is None
    assert find_embedder("resemblyzer").name == "resemblyzer"
    assert isinstance(find_embedder(lambda audio, _: audio), SpeakerEmbedder)
    with pytest.raises(InvalidParameterError, match="ears"):
        find_embedder("ears")
    with pytest.raises(InvalidParameterError, match="function"):
        find_embedder(3)


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "resemblyzer", None)
    with pytest.raises(MissingExtraError, match=r"unmuffle\[speakers\]"):
        Resemblyzer().embed(np.ones(RATE, np.float32), RATE)
