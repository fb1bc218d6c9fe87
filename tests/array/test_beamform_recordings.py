"""Recordings through every method: the voice is kept and the interferer goes; faulty microphones; bad input."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE, noise, plane_wave, power_db, voice

from unmuffle.array import ArrayGeometry, beamform, find_faulty_microphones, open_stream
from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.das import DelayAndSum
from unmuffle.array.geometry_files import as_geometry
from unmuffle.errors import InvalidAudioError, InvalidParameterError

ARRAY = as_geometry("linear4")
NOISE_S = 1.0


@pytest.fixture(scope="module")
def scene():
    """A second of an interferer alone, then a voice with it at 0 dB, from 60 and 140 degrees."""
    speech = np.concatenate((np.zeros(round(NOISE_S * RATE)), voice(4.0)))
    speech = plane_wave(ARRAY, 60.0, speech)
    other = plane_wave(ARRAY, 140.0, noise(speech.shape[1], 3))
    other *= speech[:, RATE:].std() / other.std()
    own = 0.003 * np.random.default_rng(4).standard_normal(speech.shape)
    return speech, other + 0.1 * own


def si_sdr_db(reference, estimate):
    target = reference * (reference @ estimate) / (reference @ reference)
    return 10.0 * np.log10((target @ target) / np.square(estimate - target).sum())


@pytest.mark.parametrize(
    ("method", "options", "gain_db"),
    [
        ("das", {"toward": 60}, 4.0),
        ("superdirective", {"toward": 60}, 4.0),
        ("mvdr", {"toward": 60, "noise": (0.0, 1.0)}, 15.0),
        ("mvdr", {"toward": "auto", "noise": (0.0, 1.0)}, 10.0),
        ("lcmv", {"toward": 60, "nulls": "140"}, 15.0),
        ("gsc", {"toward": 60}, 8.0),
        ("mask-mvdr", {}, 10.0),
        ("mask-mvdr", {"online": True}, 6.0),
        ("gev", {}, 6.0),
        ("mwf", {}, 10.0),
        ("mwf", {"online": True, "wpe": True}, 3.0),
    ],
)
def test_the_voice_stands_out_more(scene, method, options, gain_db):
    speech, other = scene
    out, report = beamform(speech + other, RATE, ARRAY, method=method, **options)
    centre = np.concatenate((np.zeros(RATE), voice(4.0)))
    wanted = centre if report.reference is None and not options.get("online") else speech[report.reference or 0]
    assert out.shape == (speech.shape[1],)
    after = max(si_sdr_db(wanted[2 * RATE :], out[2 * RATE :]), si_sdr_db(speech[0, 2 * RATE :], out[2 * RATE :]))
    before = si_sdr_db(speech[0, 2 * RATE :], (speech + other)[0, 2 * RATE :])
    assert after - before >= gain_db


def test_denoising_takes_off_what_the_beam_leaves(scene):
    speech, other = scene
    plain, clear = (beamform(speech + other, RATE, method="mask-mvdr", denoise=told)[0] for told in (False, True))
    silent = slice(RATE // 4, RATE - RATE // 4)
    assert power_db(clear[silent]) < power_db(plain[silent]) - 6.0


def test_a_delay_of_a_fraction_of_a_sample_is_the_analytic_one():
    beam = DelayAndSum(RATE, ARRAY, toward=25.0)
    time = np.arange(RATE) / RATE
    for hz in (400.0, 1_500.0):
        waves = plane_wave(ARRAY, 25.0, np.sin(2 * np.pi * hz * time)).astype(np.float32)
        out = np.concatenate((beam.process(waves), beam.flush()), axis=1)[0]
        error = out[1000:-1000] - np.sin(2 * np.pi * hz * time)[1000:-1000]
        assert np.abs(error).max() < 2e-3


def test_known_weights_are_applied_as_they_are():
    picked = np.zeros((257, 3))
    picked[:, 1] = 1.0
    audio = np.stack([noise(3000, seed) for seed in range(3)]).astype(np.float32)
    beam = FixedBeamformer(RATE, picked)
    out = np.concatenate((beam.process(audio), beam.flush()), axis=1)
    np.testing.assert_allclose(out[0], audio[1], atol=1e-6)
    with pytest.raises(InvalidParameterError, match="257"):
        FixedBeamformer(RATE, picked[1:])


def test_the_type_is_kept_and_int16_will_do(scene):
    speech, other = scene
    whole = np.clip((speech + other) * 32768, -32768, 32767).astype(np.int16)
    out, _ = beamform(whole, RATE, ARRAY, method="das", toward=60)
    assert out.dtype == np.int16


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda row: 0.0 * row, "dead"),
        (lambda row: 0.1 * row, "quiet"),
        (lambda row: 10.0 * row, "loud"),
        (lambda row: np.clip(row, -0.03, 0.03), "clipped"),
        (lambda row: -row, "inverted"),
    ],
)
def test_a_faulty_microphone_is_named_and_left_out(scene, spoil, kind):
    audio = scene[0] + scene[1]
    assert find_faulty_microphones(audio, RATE) == []
    audio[2] = spoil(audio[2])
    (fault,) = find_faulty_microphones(audio, RATE)
    assert (fault.channel, fault.kind) == (2, kind)
    out, report = beamform(audio, RATE, ARRAY, method="das", toward=60)
    assert [one.channel for one in report.left_out] == [2]
    without, _ = beamform(audio[[0, 1, 3]], RATE, ARRAY.subset([0, 1, 3]), method="das", toward=60)
    np.testing.assert_array_equal(out, without)


@pytest.mark.parametrize("spacing_m", [0.2, 0.3, 1.0])
@pytest.mark.parametrize("azimuth", [0.0, 40.0])
def test_microphones_far_apart_are_not_taken_for_inverted(spacing_m, azimuth):
    audio = plane_wave(ArrayGeometry.linear(4, spacing_m), azimuth, voice(4.0))
    assert find_faulty_microphones(audio + 1e-3 * np.random.default_rng(0).standard_normal(audio.shape), RATE) == []


def test_where_one_of_two_is_faulty_both_are_used_and_it_is_said(scene):
    audio = (scene[0] + scene[1])[:2]
    audio[1] = -audio[1]
    _, report = beamform(audio, RATE)
    assert report.left_out == ()
    assert "microphone 1 is inverted" in report.warnings[0]


def test_aliasing_is_told_where_a_beam_is_steered(scene):
    audio = scene[0] + scene[1]
    assert "3432 Hz" in beamform(audio, RATE, ARRAY, method="das", toward=60)[1].warnings[0]
    assert beamform(audio, RATE, ARRAY)[1].warnings == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "magic"}, "mask-mvdr, gev"),
        ({"method": "das"}, "give a geometry"),
        ({"method": "das", "geometry": "circle8"}, "8 microphones and the recording 4 channels"),
        ({"method": "das", "geometry": "linear4", "toward": 500}, "-180 to 360"),
        ({"method": "das", "geometry": "linear4", "toward": 60, "noise": (0.0, 1.0)}, "takes no sample of noise"),
        ({"noise": (0.0, 1.0)}, "takes no sample of noise"),
        ({"method": "mvdr", "geometry": "linear4", "nulls": "20"}, "are for lcmv"),
        ({"method": "lcmv", "geometry": "linear4", "toward": 60, "nulls": "1;2;3;4"}, "3 directions"),
        ({"reference": 4}, "0 to 3"),
    ],
)
def test_bad_options_are_named(scene, options, said):
    with pytest.raises(InvalidParameterError, match=said):
        beamform(scene[1], RATE, **options)


def test_a_noise_sample_that_holds_speech_is_refused(scene):
    with pytest.raises(InvalidAudioError, match="holds speech"):
        beamform(scene[0] + 0.02 * scene[1], RATE, ARRAY, method="mvdr", toward=60, noise=(1.2, 4.0))


def test_a_noise_sample_that_is_too_short_is_refused(scene):
    with pytest.raises(InvalidAudioError, match=r"at least 0\.25 s"):
        beamform(scene[1], RATE, ARRAY, method="mvdr", toward=60, noise=(0.0, 0.1))


def test_a_single_channel_and_silence():
    with pytest.raises(InvalidParameterError, match=r"unmuffle\.enhance"):
        beamform(np.zeros(1000), RATE)
    out, _ = beamform(np.zeros((4, 8000)), RATE)
    assert not out.any()


def test_a_live_stream_gives_what_the_whole_recording_gives(scene):
    audio = (scene[0] + scene[1]).astype(np.float32)
    whole, _ = beamform(audio, RATE, method="mask-mvdr", online=True, check=False, reference=0)
    stream = open_stream(4, RATE, reference=0)
    pieces = [stream.process(audio[:, start : start + 160]) for start in range(0, audio.shape[1], 160)]
    assert np.abs(np.concatenate([*pieces, stream.flush()]) - whole).max() <= 1e-5
    assert stream.latency == 511


def test_blocks_of_a_live_stream_are_answered_at_once(scene):
    audio = (scene[0] + scene[1]).astype(np.float32)[:, : 100 * 160]
    audio[1, 500] = np.nan
    stream = open_stream("linear4", RATE, method="das", toward=60, denoise=True, block_size=160)
    answers = [stream.process(audio[:, start : start + 160]) for start in range(0, audio.shape[1], 160)]
    assert {answer.shape for answer in answers} == {(160,)}
    assert stream.nonfinite_samples == 1
    assert stream.flush().shape == (stream.latency,)
    stream.reset()


def test_a_live_stream_needs_a_direction_where_it_is_steered():
    with pytest.raises(InvalidParameterError, match="mask-mvdr"):
        open_stream("linear4", RATE, method="das")


def test_covariances_do_not_depend_on_blocks_and_masks_lie_where_the_voice_is(scene):
    from unmuffle.array.mask_covariances import MaskCovariances

    audio = (scene[0] + 0.1 * scene[1]).astype(np.float32)
    found = []
    for size in (audio.shape[1], 999):
        covariances = MaskCovariances(RATE, 4)
        for start in range(0, audio.shape[1], size):
            covariances.process(audio[:, start : start + size])
        found.append(covariances)
    scale = np.abs(found[0].speech).max()
    np.testing.assert_allclose(found[0].speech, found[1].speech, atol=1e-4 * scale)
    ratio = (
        np.trace(found[0].speech, axis1=1, axis2=2).real.sum() / np.trace(found[0].noise, axis1=1, axis2=2).real.sum()
    )
    assert ratio > 30.0


@pytest.mark.parametrize("ppm", [100.0, -60.0])
def test_a_clock_that_drifts_is_named_with_its_rate(ppm):
    from unmuffle.array.clock_drift import clock_drifts_ppm

    speech = voice(16.0)
    audio = plane_wave(ARRAY, 60.0, speech) + 0.002 * np.random.default_rng(0).standard_normal((4, speech.size))
    assert find_faulty_microphones(audio, RATE) == []
    time = np.arange(speech.size, dtype=np.float64)
    # A microphone that hears sample t (1 - ppm) at t is later by ppm of the time.
    audio[1] = np.interp(time * (1.0 - 1e-6 * ppm), time, audio[1])
    (fault,) = find_faulty_microphones(audio, RATE)
    assert (fault.channel, fault.kind) == (1, "drifting")
    assert clock_drifts_ppm(audio.astype(np.float32), RATE)[1] == pytest.approx(ppm, abs=8.0)


def test_a_voice_that_moves_is_no_drift():
    parts = [plane_wave(ARRAY, azimuth, voice(4.0)) for azimuth in (20.0, 60.0, 110.0, 160.0)]
    audio = np.concatenate(parts, axis=1)
    audio += 0.002 * np.random.default_rng(0).standard_normal(audio.shape)
    assert find_faulty_microphones(audio, RATE) == []
