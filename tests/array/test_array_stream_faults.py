"""Microphones that fail in the middle of a live stream: named, left out while it lasts, and heard again afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE, noise, plane_wave, power_db, voice

from unmuffle.array import ArrayGeometry, Direction, open_stream
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.steered_beams import moved
from unmuffle.array.steering import delays_s
from unmuffle.array.watch_clipping import clipped_share
from unmuffle.array.watch_latch import Latch

ARRAY = as_geometry("linear4")
LOST, BACK = 3 * RATE, 6 * RATE
"""From when to when a microphone is spoilt."""
SETTLED = LOST + 2 * RATE
"""By when every fault has been found."""


@pytest.fixture(scope="module")
def scene():
    speech = plane_wave(ARRAY, 60.0, np.tile(voice(3.0), 4))
    other = plane_wave(ARRAY, 140.0, noise(speech.shape[1], 3))
    other *= 0.3 * speech.std() / other.std()
    own = 0.001 * np.random.default_rng(4).standard_normal(speech.shape)
    return speech.astype(np.float32), (other + own).astype(np.float32)


def run(stream, audio, size=1600):
    """The output, and what was told after each block as (kind, channel)."""
    pieces, told = [], []
    for start in range(0, audio.shape[1], size):
        pieces.append(stream.process(audio[:, start : start + size]))
        told.append([(fault.kind, fault.channel) for fault in stream.faults])
    pieces.append(stream.flush())
    return np.concatenate(pieces), told


def spoilt(audio, spoil, channel=2, start=LOST, stop=BACK):
    changed = audio.copy()
    changed[channel, start:stop] = spoil(changed[channel, start:stop])
    return changed


def si_sdr_db(reference, estimate):
    target = reference * (reference @ estimate) / (reference @ reference)
    return 10.0 * np.log10((target @ target) / np.square(estimate - target).sum())


SPOILS = {
    "dead": lambda row: 0.0 * row,
    "quiet": lambda row: 0.1 * row,
    "loud": lambda row: 8.0 * row,
    "clipped": lambda row: np.clip(row, -0.05, 0.05),
    "inverted": lambda row: -row,
}


@pytest.fixture(scope="module", params=["das", "mask-mvdr"])
def healthy(request, scene):
    """A method, what a stream of it gives of all four microphones and of the three that are left, and what is told."""
    options = {"method": request.param} | ({"toward": 60} if request.param == "das" else {"reference": 0})
    audio = scene[0] + scene[1]
    out, told = run(open_stream(ARRAY, RATE, **options), audio)
    three, _ = run(open_stream(ARRAY.subset([0, 1, 3]), RATE, **options), audio[[0, 1, 3]])
    return options, out, three, told


@pytest.mark.parametrize("kind", SPOILS)
def test_a_fault_is_told_while_it_lasts_and_the_voice_stays(scene, healthy, kind):
    options, with_all, others, none = healthy
    out, told = run(open_stream(ARRAY, RATE, **options), spoilt(scene[0] + scene[1], SPOILS[kind]))
    blocks = np.arange(len(told)) * 1600
    assert all(not one for one in none)
    assert all(not one for one, at in zip(told, blocks, strict=True) if at < LOST - 1600)
    assert all(one == [(kind, 2)] for one, at in zip(told, blocks, strict=True) if SETTLED <= at < BACK)
    assert told[-1] == []
    while_lost = slice(SETTLED, BACK)
    assert power_db(out[while_lost]) == pytest.approx(power_db(with_all[while_lost]), abs=1.0)
    # No worse than the other three alone, who have heard the same.
    if options["method"] == "das":
        reference = np.tile(voice(3.0), 4)
        late = delays_s(ARRAY, Direction(60.0))[[0, 1, 3]].mean() * RATE
        times = np.arange(reference.size)
        others = np.interp(times + late, times, others)
    else:
        reference = scene[0][0].astype(np.float64)
    alone = si_sdr_db(reference[while_lost], others[while_lost])
    assert si_sdr_db(reference[while_lost], out[while_lost]) > alone - 1.0
    after = slice(10 * RATE + RATE // 2, None)
    assert power_db(out[after]) == pytest.approx(power_db(with_all[after]), abs=0.5)


def test_a_beam_of_the_others_is_still_that_at_the_centre_of_all(scene):
    audio = scene[0] + scene[1]
    out, _ = run(open_stream(ARRAY, RATE, method="das", toward=60), spoilt(audio, SPOILS["dead"]))
    turns = 2j * np.pi * np.fft.rfftfreq(audio.shape[1], 1.0 / RATE)
    late = delays_s(ARRAY, Direction(60.0))
    in_step = [np.fft.irfft(np.fft.rfft(audio[m]) * np.exp(turns * late[m]), audio.shape[1]) for m in (0, 1, 3)]
    lost = slice(LOST + RATE, BACK - 512)
    error = out[lost] - np.mean(in_step, axis=0)[lost]
    assert power_db(error) < power_db(out[lost]) - 35.0


@pytest.mark.parametrize("kind", ["dead", "loud"])
def test_the_change_makes_no_click(kind):
    # A sine has no sharper bend than its own, unless something is cut.
    omega = 2.0 * np.pi * 300.0 / RATE
    sine = plane_wave(ARRAY, 60.0, 0.1 * np.sin(omega * np.arange(8 * RATE))).astype(np.float32)
    audio = spoilt(sine, lambda row: 0.0 * row if kind == "dead" else 8.0 * row)
    out, told = run(open_stream(ARRAY, RATE, method="das", toward=60), audio)
    assert any(told)
    changes = [at * 1600 for at in range(1, len(told)) if told[at] != told[at - 1]]
    assert len(changes) == 2
    level = 0.1 if kind == "dead" else 0.1 * (3 + 8) / 4
    for at in changes:
        bends = np.abs(np.diff(out[at - 4000 : at + 4000], 2))
        # At its own ends the spoilt microphone does click: those lie farther off than the change of the beam.
        near = bends[1500:] if kind == "dead" else bends
        assert near.max() < 1.5 * level * omega**2


@pytest.mark.parametrize(
    "options",
    [
        {"method": "das", "toward": 60},
        {"method": "mvdr", "toward": 60, "postfilter": "mccowan"},
        {"method": "gsc", "toward": 60},
        {"method": "mask-mvdr", "denoise": True, "wpe": True},
        {"method": "gev", "block_size": 1600},
    ],
)
def test_healthy_streams_are_the_same_bit_for_bit_with_and_without_the_check(scene, options):
    audio = (scene[0] + scene[1])[:, : 4 * RATE]
    audio[:, RATE : 2 * RATE] *= 1e-3
    checked, told = run(open_stream(ARRAY, RATE, **options), audio)
    plain, none = run(open_stream(ARRAY, RATE, check=False, **options), audio)
    np.testing.assert_array_equal(checked, plain)
    assert not any(told)
    assert not any(none)


@pytest.mark.parametrize("options", [{"method": "das", "toward": 60}, {"method": "mwf"}])
def test_a_stream_with_faults_does_not_depend_on_blocks_and_flush_is_birth(scene, options):
    audio = spoilt(scene[0] + scene[1], SPOILS["dead"], start=RATE, stop=2 * RATE)[:, : 4 * RATE]
    stream = open_stream(ARRAY, RATE, **options)
    whole, _ = run(stream, audio, audio.shape[1])
    np.testing.assert_array_equal(run(stream, audio, audio.shape[1])[0], whole)
    for size in (77, 4096):
        assert np.abs(run(open_stream(ARRAY, RATE, **options), audio, size)[0] - whole).max() <= 1e-5
    stream.process(audio)
    assert stream.latency == 511
    stream.reset()
    assert stream.faults == ()


def test_a_short_dropout_is_no_fault(scene):
    audio = spoilt(scene[0] + scene[1], SPOILS["dead"], start=LOST, stop=LOST + RATE // 10)
    assert not any(run(open_stream(ARRAY, RATE, method="das", toward=60), audio)[1])


def test_of_two_microphones_the_one_that_lives_is_heard():
    array = as_geometry("laptop2")
    speech = plane_wave(array, 40.0, np.tile(voice(3.0), 2)).astype(np.float32)
    audio = speech.copy()
    audio[0, RATE:] = 0.0
    out, told = run(open_stream(array, RATE, method="das", toward=40), audio)
    assert told[-1] == [("dead", 0)]
    lost = slice(2 * RATE, -512)
    np.testing.assert_allclose(out[lost], np.tile(voice(3.0), 2)[lost], atol=2e-3)
    masked, _ = run(open_stream(2, RATE), audio)
    assert power_db(masked[lost]) == pytest.approx(power_db(audio[1, lost]), abs=1.5)
    audio[:, RATE:] = 0.0
    assert not run(open_stream(array, RATE, method="das", toward=40), audio)[0][2 * RATE :].any()


def test_of_two_that_disagree_both_are_used(scene):
    audio = (scene[0] + scene[1])[:2]
    audio[1] *= -1.0
    pair = ARRAY.subset([0, 1])
    out, told = run(open_stream(pair, RATE, method="das", toward=60), audio)
    plain, _ = run(open_stream(pair, RATE, method="das", toward=60, check=False), audio)
    assert told[-1] == [("inverted", 1)]
    np.testing.assert_array_equal(out, plain)


@pytest.mark.parametrize("ppm", [100.0, -100.0])
def test_a_clock_that_drifts_is_named(ppm):
    speech = plane_wave(ARRAY, 60.0, np.tile(voice(4.0), 8))
    audio = speech + 0.001 * np.random.default_rng(0).standard_normal(speech.shape)
    time = np.arange(audio.shape[1], dtype=np.float64)
    audio[1] = np.interp(time * (1.0 - 1e-6 * ppm), time, audio[1])
    stream = open_stream(ARRAY, RATE, method="das", toward=60)
    for start in range(0, audio.shape[1], 1600):
        stream.process(audio[:, start : start + 1600].astype(np.float32))
        assert {fault.kind for fault in stream.faults} <= {"drifting"}
    (fault,) = stream.faults
    assert (fault.channel, fault.kind) == (1, "drifting")
    assert float(fault.detail.split()[3]) == pytest.approx(ppm, abs=10.0)


def test_a_voice_that_moves_and_pauses_is_no_fault():
    parts = [plane_wave(ARRAY, azimuth, voice(4.0)) for azimuth in (20.0, 60.0, 110.0, 160.0, 90.0, 30.0)]
    audio = np.concatenate([piece for part in parts for piece in (part, 0.0 * part[:, :RATE])], axis=1)
    audio += 0.002 * np.random.default_rng(0).standard_normal(audio.shape)
    stream = open_stream(ARRAY, RATE, method="das", toward=60)
    assert not any(run(stream, audio.astype(np.float32))[1])


@pytest.mark.parametrize(
    "options",
    [
        {"method": "lcmv", "nulls": "140"},
        {"method": "mvdr", "postfilter": "zelinski"},
        {"method": "superdirective"},
        {"method": "gsc"},
    ],
)
def test_every_steered_beam_goes_on_without_a_microphone(scene, options):
    audio = scene[0] + scene[1]
    noise_alone = scene[1][:, :RATE] if options["method"] in ("mvdr", "lcmv") else None
    stream = open_stream(ARRAY, RATE, toward=60, noise=noise_alone, **options)
    out, told = run(stream, spoilt(audio, SPOILS["dead"], channel=0))
    healthy, _ = run(open_stream(ARRAY, RATE, toward=60, noise=noise_alone, **options), audio)
    assert [("dead", 0)] in told
    lost = slice(SETTLED, BACK)
    assert power_db(out[lost]) == pytest.approx(power_db(healthy[lost]), abs=2.0)
    reference = np.tile(voice(3.0), 4)[lost]
    assert si_sdr_db(reference, out[lost]) > si_sdr_db(reference, healthy[lost]) - 6.0


def test_more_directions_to_take_out_than_are_left_microphones_do_not_stop_a_stream(scene):
    audio = spoilt(scene[0] + scene[1], SPOILS["dead"])
    out, told = run(open_stream(ARRAY, RATE, method="lcmv", toward=60, nulls="140;20;100"), audio)
    assert [("dead", 2)] in told
    assert np.isfinite(out).all()
    assert power_db(out[SETTLED:BACK]) > -40.0


def test_nothing_that_comes_in_raises():
    rng = np.random.default_rng(0)
    for method in ("das", "mask-mvdr"):
        stream = open_stream(ARRAY, RATE, method=method, toward=60)
        for scale in (0.0, 1e-30, 1e-3, 1e30, np.inf, np.nan):
            block = rng.standard_normal((4, 8_000)).astype(np.float32)
            block[rng.integers(4)] *= np.float32(scale)
            assert np.isfinite(stream.process(block)).all()
        assert isinstance(stream.faults, tuple)


def test_memory_does_not_grow(scene):
    import tracemalloc

    audio = spoilt(scene[0] + scene[1], SPOILS["dead"])
    stream = open_stream(ARRAY, RATE, method="das", toward=60)
    run(stream, audio)
    tracemalloc.start()
    sizes = []
    for _ in range(4):
        for start in range(0, audio.shape[1], 1600):
            stream.process(audio[:, start : start + 1600])
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[-1] - sizes[0] < 50_000


def test_a_latch_changes_after_signs_in_a_row_only():
    latch = Latch(1, 3, 2)
    bad, good, unknown = ((True, False), (False, True), (False, False))
    signs = [bad, bad, good, bad, bad, unknown, bad, good, bad, good, unknown, good, bad]
    states = [bool(latch.update(np.array([one]), np.array([other]))[0]) for one, other in signs]
    assert states == [False] * 6 + [True] * 5 + [False] * 2


def test_clipping_is_counted_and_waves_and_noise_are_not():
    time = np.arange(2048) / RATE
    speech = voice(0.128)
    waves = np.stack((np.sin(2 * np.pi * 200.0 * time), speech, noise(2048)))
    assert not clipped_share(waves).any()
    assert clipped_share(np.clip(waves, -0.4 * waves.max(axis=1)[:, None], 1.0)).min() > 0.005


def test_a_place_nearby_is_seen_from_elsewhere():
    seen = moved(Direction(0.0, 0.0, 1.0), np.array([1.0, 1.0, 0.0]))
    assert (seen.azimuth_deg, seen.distance_m) == (pytest.approx(270.0), pytest.approx(1.0))
    far = Direction(30.0)
    assert moved(far, np.ones(3)) is far


def test_from_nearby_the_level_at_the_centre_is_kept():
    array = ArrayGeometry.linear(4, 0.1)
    from unmuffle.array.steering import steering_vectors

    spectrum = np.fft.rfft(np.tile(voice(3.0), 2))
    hz = np.fft.rfftfreq(6 * RATE, 1.0 / RATE)
    heard = steering_vectors(array, "60,0,0.4", hz)
    speech = np.fft.irfft(spectrum * heard.T, 6 * RATE)
    audio = speech.astype(np.float32)
    audio[3, RATE:] = 0.0
    out, told = run(open_stream(array, RATE, method="das", toward="60,0,0.4"), audio)
    assert told[-1] == [("dead", 3)]
    lost = slice(2 * RATE, -512)
    np.testing.assert_allclose(out[lost], np.tile(voice(3.0), 2)[lost], atol=3e-3)


@pytest.mark.parametrize(("spacing_m", "ends"), [(0.05, "drifting"), (0.7, "")])
def test_who_walks_along_a_large_array_is_no_drift(spacing_m, ends):
    from unmuffle.array.watch_drift import DriftSigns
    from unmuffle.signal.grid import grid_for

    array = ArrayGeometry.linear(4, spacing_m)
    signs = DriftSigns(grid_for(RATE), 4, array.aperture_m)
    # Delays of the last microphone as of one who walks steadily past two metres, in half a minute.
    for delay_s in np.linspace(-4e-3, 4e-3, 16):
        signs._heard = 16
        signs._part.delays_s = lambda delay_s=delay_s: np.array([0.0, 0.0, 0.0, delay_s])
        signs._end_part()
    assert [fault.kind for fault in signs.faults()] == ([ends] if ends else [])
