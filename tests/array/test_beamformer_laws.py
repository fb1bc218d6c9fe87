"""The laws of a processor, for beamformers, which make one channel out of many."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import noise, plane_wave, voice

from unmuffle.array import DelayAndSum, Direction, Lcmv, MaskBeamformer, Mvdr, SidelobeCanceller, Superdirective
from unmuffle.array.choice import BeamChoice
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.microphone_watch import MicrophoneWatch
from unmuffle.array.steered_beams import SteeredBeams
from unmuffle.array.watched_beam import MaskBeams, WatchedBeam
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.process import Chain, DryWet

LARGEST = float(np.finfo(np.float32).max)


def watched(rate, method):
    """What a live stream is made of."""
    watch = MicrophoneWatch(rate, 4)
    array, choice = as_geometry("linear4"), BeamChoice(method, reference=0)
    if method == "das":
        return Chain([watch, WatchedBeam(watch, SteeredBeams(choice, rate, array, Direction(60.0)))])
    return Chain([watch, WatchedBeam(watch, MaskBeams(MaskBeamformer(rate, 4, reference=0)))])


MAKERS = {
    "das": (lambda rate: DelayAndSum(rate, "linear4", toward=60), 1e-6),
    "superdirective": (lambda rate: Superdirective(rate, "linear4", toward=60), 1e-6),
    "zelinski": (lambda rate: DelayAndSum(rate, "linear4", toward=60, postfilter="zelinski"), 1e-6),
    "mccowan": (lambda rate: Superdirective(rate, "linear4", toward=60, postfilter="mccowan"), 1e-6),
    "mvdr": (lambda rate: Mvdr(rate, "linear4", toward=60), 1e-6),
    "lcmv": (lambda rate: Lcmv(rate, "linear4", toward=60, nulls="140"), 1e-6),
    "gsc": (lambda rate: SidelobeCanceller(rate, "linear4", toward=60, wait_for_voice=False), 1e-6),
    "gsc-mask": (lambda rate: SidelobeCanceller(rate, "linear4", toward=60), 1e-5),
    "mask-mvdr": (lambda rate: MaskBeamformer(rate, 4, reference=0), 1e-5),
    "gev": (lambda rate: MaskBeamformer(rate, 4, method="gev"), 1e-5),
    "watched-das": (lambda rate: watched(rate, "das"), 1e-6),
    "watched-mask": (lambda rate: watched(rate, "mask-mvdr"), 1e-5),
    "mwf": (lambda rate: MaskBeamformer(rate, 4, method="mwf", memory_s=0.5), 1e-5),
}
every = pytest.mark.parametrize(("make", "tolerance"), MAKERS.values(), ids=MAKERS)


def recording(rate=8_000, seconds=0.7, seed=0):
    array = as_geometry("linear4")
    speech = plane_wave(array, 60.0, voice(seconds, rate), rate)
    samples = speech.shape[1]
    other = plane_wave(array, 140.0, noise(samples, seed), rate)
    own = 0.01 * np.random.default_rng(seed).standard_normal(speech.shape)
    return (speech + 0.5 * other + own).astype(np.float32)


def run(processor, audio, sizes=None):
    pieces, start, turn = [], 0, 0
    while start < audio.shape[1]:
        size = audio.shape[1] if sizes is None else sizes[turn % len(sizes)]
        pieces.append(processor.process(audio[:, start : start + size]))
        start, turn = start + size, turn + 1
    pieces.append(processor.flush())
    assert all(piece.dtype == np.float32 and len(piece) == 1 for piece in pieces)
    return np.concatenate(pieces, axis=1)


@every
@pytest.mark.parametrize("samples", [0, 1, 300, 5000])
def test_output_is_as_long_as_input(make, tolerance, samples):
    assert run(make(8_000), recording()[:, :samples], [700]).shape == (1, samples)


@every
def test_output_is_aligned_with_the_voice_at_the_array(make, tolerance):
    from scipy.signal import correlate

    audio = recording(seconds=1.5)
    centre = voice(1.5, 8_000)
    lag = correlate(run(make(8_000), audio)[0], centre, method="fft").argmax() - (centre.size - 1)
    assert abs(lag) <= 2


@every
@pytest.mark.parametrize("sizes", [[1], [1, 0, 977, 3], [160], [128, 5000]])
def test_result_does_not_depend_on_blocks(make, tolerance, sizes):
    audio = recording(seconds=0.3 if sizes == [1] else 0.7)
    assert np.abs(run(make(8_000), audio, sizes) - run(make(8_000), audio)).max() <= tolerance


@every
@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_latency_told_is_latency_measured(make, tolerance, rate):
    latency, period = make(rate).latency, make(rate).block_period
    audio = recording(rate, 0.3)
    plain = run(make(rate), audio)
    farthest = 0
    for phase in (0, period // 2, period - 1):
        at = 6 * period + phase
        changed = audio.copy()
        changed[:, at:] = 1e3 * np.random.default_rng(phase).uniform(0.5, 1.0, changed[:, at:].shape)
        first = int((run(make(rate), changed) != plain).any(axis=0).argmax())
        farthest = max(farthest, at - first)
    assert latency - 1 <= farthest <= latency


@every
def test_reset_and_flush_are_birth(make, tolerance):
    audio = recording()
    used = make(8_000)
    used.process(recording(seed=9)[:, :3001])
    used.reset()
    fresh = run(make(8_000), audio)
    np.testing.assert_array_equal(run(used, audio), fresh)
    np.testing.assert_array_equal(run(used, audio), fresh)


@every
def test_no_channel_is_reset_alone(make, tolerance):
    assert make(8_000).linked
    with pytest.raises(InvalidParameterError, match="reset all"):
        make(8_000).reset(np.array([True, False, False, False]))


@every
@pytest.mark.parametrize(
    "kind", ["silence", "denormal", "1e30", "largest", "one-dead", "impulse", "alike", "on-and-off"]
)
def test_finite_input_gives_finite_output(make, tolerance, kind):
    audio = recording()
    audio = {
        "silence": 0.0 * audio,
        "denormal": 1e-42 * np.sign(audio),
        "1e30": 1e30 * np.sign(audio),
        "largest": LARGEST * np.sign(audio),
        "one-dead": audio * np.array([[1.0], [0.0], [1.0], [1.0]]),
        "impulse": np.where(np.arange(audio.shape[1]) == 900, LARGEST, 0.0) * np.ones((4, 1)),
        "alike": np.broadcast_to(audio[0], audio.shape),
        "on-and-off": np.where(np.arange(audio.shape[1]) // 800 % 2, audio, 0.0),
    }[kind].astype(np.float32)
    output = run(make(8_000), audio, [1000, 77])
    assert np.isfinite(output).all()
    if kind == "silence":
        assert not output.any()


@every
def test_input_is_left_alone_and_nan_is_refused(make, tolerance):
    audio = recording()
    before = audio.copy()
    audio.setflags(write=False)
    run(make(8_000), audio)
    np.testing.assert_array_equal(audio, before)
    with pytest.raises(InvalidAudioError, match="NaN"):
        make(8_000).process(np.full((4, 10), np.nan, np.float32))
    with pytest.raises(InvalidAudioError, match=r"\[4, samples\]"):
        make(8_000).process(np.zeros((3, 10), np.float32))


def test_a_single_channel_is_told_what_to_use():
    with pytest.raises(InvalidParameterError, match=r"unmuffle\.enhance"):
        MaskBeamformer(16_000, 1)


def test_a_beamformer_cannot_be_mixed_with_its_input():
    with pytest.raises(InvalidParameterError, match="makes 1 of 4 channels"):
        DryWet(MaskBeamformer(16_000, 4), 0.5)
