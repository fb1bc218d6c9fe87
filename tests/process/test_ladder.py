"""A change from rung to rung: when it is heard, that it makes no click, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Copy, run, white

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse, OmLsa
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import Limiter
from unmuffle.measure import border_clicks
from unmuffle.process import FixedBlock, Ladder, Processor

RATE = 16_000
WARM, FADE = round(0.25 * RATE), round(0.03 * RATE)
several = settings(deadline=None, max_examples=60, derandomize=True)


def spectral(kind: type = LogMmse, channels: int = 1, rate: int = RATE) -> SpectralProcessor:
    return SpectralProcessor(kind(), rate, channels)


def changed(ladder: Ladder, audio: np.ndarray, changes: dict[int, int], size: int = 160) -> np.ndarray:
    """The output where rungs are chosen after so many samples."""
    pieces = []
    at = 0
    for place in (*sorted(changes), audio.shape[1]):
        while at < place:
            stop = min(at + size, place)
            pieces.append(ladder.process(audio[:, at:stop]))
            at = stop
        if place in changes:
            ladder.choose(changes[place])
    return np.concatenate([*pieces, ladder.flush()], axis=1)


def fade_in(samples: int, start: int, length: int = FADE) -> np.ndarray:
    """Raised cosine from 0 to 1, its steps half a sample off both ends."""
    places = np.clip((np.arange(samples) - start + 0.5) / length, 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(np.pi * places)


@pytest.mark.parametrize("size", [1, 160, 4000])
@pytest.mark.parametrize("rung", [0, 1, 2, 3])
def test_each_rung_is_what_stands_on_it_bit_for_bit(rung, size):
    audio = white(2, 4000)
    rungs = [lambda: spectral(OmLsa, 2), lambda: spectral(LogMmse, 2), lambda: Limiter(RATE, 2, ceiling_dbtp=-12.0)]
    expected = run(rungs[rung](), audio) if rung < 3 else audio
    ladder = Ladder([make() for make in rungs], rung)
    np.testing.assert_array_equal(run(ladder, audio, size), expected)
    assert (ladder.rung, ladder.bypass, ladder.settled) == (rung, 3, True)


@several
@given(place=st.integers(0, 9000), size=st.integers(1, 3000))
def test_a_change_is_a_fade_to_what_began_anew_and_has_listened_for_a_while(place: int, size: int):
    audio = white(1, 18_000)
    output = changed(Ladder([spectral(OmLsa), spectral()]), audio, {place: 1}, size)
    # The frames of the new one lie where they would had it always listened; what came before its birth is silence.
    phase = place % spectral().block_period
    newborn = run(spectral(), np.concatenate((np.zeros((1, phase), np.float32), audio[:, place:]), axis=1))
    newborn = np.concatenate((np.zeros((1, place)), newborn[:, phase:]), axis=1)
    old, share = run(spectral(OmLsa), audio), fade_in(18_000, place + WARM)
    np.testing.assert_allclose(output, (1.0 - share) * old + share * newborn, rtol=0, atol=2e-7)
    np.testing.assert_array_equal(output[:, : place + WARM], old[:, : place + WARM])
    np.testing.assert_array_equal(output[:, place + WARM + FADE :], newborn[:, place + WARM + FADE :])


@pytest.mark.parametrize("place", [0, 5000, 5120])
def test_the_bypass_is_heard_with_the_next_sample(place):
    audio = white(1, 12_000)
    ladder = Ladder([spectral()])
    answered = sum(ladder.process(audio[:, at : at + 40]).shape[1] for at in range(0, place, 40))
    output = changed(Ladder([spectral()]), audio, {place: ladder.bypass}, 40)
    share = fade_in(12_000, answered)
    np.testing.assert_allclose(output, (1.0 - share) * run(spectral(), audio) + share * audio, rtol=0, atol=2e-7)
    np.testing.assert_array_equal(output[:, answered + FADE :], audio[:, answered + FADE :])


places = st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 3)), max_size=6)


@several
@given(steps=places, size=st.integers(1, 700), other=st.integers(1, 700), fade_s=st.sampled_from([0.001, 0.02, 0.06]))
def test_changes_of_every_kind_do_not_depend_on_blocks(steps, size: int, other: int, fade_s: float):
    """Also those that come before the last is heard, and where latencies and periods differ."""
    audio = white(2, 6000)
    changes = dict(zip(np.cumsum([place for place, _ in steps]).tolist(), [rung for _, rung in steps], strict=True))
    outputs = []
    for cut in (size, other, 6000):
        rungs = [Copy(50, 21, gain=0.5, channels=2), Copy(9, 10, gain=-0.5, channels=2), spectral(channels=2)]
        ladder = Ladder(rungs, warm_s=0.03, fade_s=fade_s)
        outputs.append(changed(ladder, audio, {min(place, 6000): rung for place, rung in changes.items()}, cut))
    assert outputs[0].shape == audio.shape
    np.testing.assert_allclose(outputs[0], outputs[2], rtol=0, atol=1e-6)
    np.testing.assert_allclose(outputs[1], outputs[2], rtol=0, atol=1e-6)


@several
@given(steps=places, size=st.integers(1, 900))
def test_every_block_is_answered_at_once_while_rungs_change(steps, size: int):
    """All of the rungs copy, so that the output is the input, late by the slowest, whatever is chosen."""
    audio = white(1, 9000)
    fixed = FixedBlock(ladder := Ladder([Copy(50, 21), Copy(9, 10), Copy(200, 64)], warm_s=0.02), size)
    assert ladder.latency == 200
    changes = list(steps)
    pieces = []
    for at in range(0, 9000 - size + 1, size):
        pieces.append(fixed.process(audio[:, at : at + size]))
        if changes and at >= sum(place for place, _ in steps[: len(steps) - len(changes) + 1]):
            ladder.choose(changes.pop(0)[1])
    output = np.concatenate([*pieces, fixed.flush()], axis=1)
    np.testing.assert_array_equal(output[:, : fixed.delay], 0.0)
    np.testing.assert_allclose(output[:, fixed.delay :], audio[:, : output.shape[1] - fixed.delay], rtol=0, atol=2e-7)


def test_a_change_that_is_not_heard_yet_can_be_taken_back():
    audio = white(1, 16_000)
    output = changed(Ladder([spectral(OmLsa), spectral()]), audio, {5000: 1, 5000 + WARM - 600: 0})
    np.testing.assert_array_equal(output, run(spectral(OmLsa), audio))


def test_what_fades_out_can_come_back_as_if_it_had_never_gone():
    audio = white(1, 16_000)
    ladder = Ladder([spectral(OmLsa)])
    # The first fade is under way at 5100.
    output = changed(ladder, audio, {5000: 1, 5300: 0}, 20)
    original = run(spectral(OmLsa), audio)
    assert not np.array_equal(output[:, 5000:5400], original[:, 5000:5400])
    np.testing.assert_array_equal(output[:, 5000 + 2 * FADE :], original[:, 5000 + 2 * FADE :])


def test_choosing_the_same_again_does_not_delay_it():
    audio = white(1, 16_000)
    once = changed(Ladder([spectral(OmLsa), spectral()]), audio, {5000: 1})
    again = changed(Ladder([spectral(OmLsa), spectral()]), audio, {5000: 1, 6000: 1, 8999: 1, 9100: 1})
    np.testing.assert_array_equal(once, again)


class Counting(Copy):
    """Counts the samples it has been given."""

    samples = 0

    def _process(self, block):
        self.samples += block.shape[1]
        return super()._process(block)


def test_only_what_is_heard_or_about_to_be_is_run():
    audio = white(1, 30_000)
    best, lighter = Counting(20), Counting(20)
    ladder = Ladder([best, lighter])
    changed(ladder, audio, {10_000: 1, 20_000: 2}, 100)
    # Up to a block more than they are heard, until the latency has passed.
    assert best.samples == pytest.approx(10_000 + WARM + FADE, abs=120)
    assert lighter.samples == pytest.approx(10_000 + FADE, abs=120)


@pytest.mark.parametrize("ended_at", [4000, 4000 + WARM // 2, 4000 + WARM + FADE // 2, 4000 + WARM + 2 * FADE])
def test_a_stream_may_end_at_any_time_of_a_change_and_the_next_begins_on_the_rung_chosen(ended_at):
    audio = white(1, 12_000)
    ladder = Ladder([spectral(OmLsa), spectral()])
    first = changed(ladder, audio[:, :ended_at], {4000: 1}, 300)
    assert first.shape == (1, ended_at)
    assert (ladder.rung, ladder.settled) == (1, True)
    np.testing.assert_array_equal(run(ladder, audio), run(spectral(), audio))
    ladder.choose(0)
    ladder.process(audio[:, :700])
    ladder.reset()
    np.testing.assert_array_equal(run(ladder, audio), run(spectral(OmLsa), audio))


def test_it_tells_what_is_heard():
    ladder = Ladder([spectral(), spectral(OmLsa)])
    best, lighter = ladder.processors
    ladder.choose(1)
    ladder.process(white(1, WARM))
    assert (ladder.heard, ladder.settled) == (best, False)
    ladder.process(white(1, FADE + ladder.latency + 1))
    assert (ladder.heard, ladder.settled) == (lighter, True)
    ladder.choose(2)
    ladder.process(white(1, 2 * FADE))
    assert (ladder.heard, ladder.settled) == (None, True)


# No click: measured by what is left above the voice, and by the package's own measure of clicks.


def above(audio: np.ndarray, cutoff_hz: float, rate: int) -> np.ndarray:
    """What a filter of 80 dB leaves above a frequency; [samples]."""
    from scipy.signal import firwin, oaconvolve

    taps = firwin(801, cutoff_hz, fs=rate, window=("kaiser", 8.0), pass_zero="highpass")
    return oaconvolve(audio[0].astype(np.float64), taps, mode="same")


@pytest.mark.parametrize("hz", [110.0, 440.0, 1000.0])
def test_a_tone_changes_its_level_and_gains_nothing_else(hz):
    """From a tone to the same tone 20 dB down, and back: a cut leaves its click far above the tone, a fade next to
    nothing."""
    rate = 48_000
    time = np.arange(2 * rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * hz * time).astype(np.float32)[None]
    ladder = Ladder([Copy(100, rate=rate, gain=0.1)])
    places = (40_007, 64_003)
    output = changed(ladder, tone, dict(zip(places, (1, 0), strict=True)), 480)
    cut = np.where((time > 40_007 / rate) & (time < (64_003 + 0.25 * rate) / rate), tone, 0.1 * tone)
    quiet = slice(1000, -1000)
    left, left_of_cut = (np.abs(above(audio, 4 * hz + 1000.0, rate)[quiet]).max() for audio in (output, cut))
    steps = np.abs(np.diff(output[0])).max()
    assert steps <= 1.001 * np.abs(np.diff(tone[0])).max()
    assert 20 * np.log10(left / 0.5) < -75.0
    assert 20 * np.log10(left_of_cut / 0.5) > -45.0


def in_a_car(rate: int, seconds: float) -> np.ndarray:
    """Vowels in noise of low frequencies: nothing above 2 kHz covers a click."""
    from scipy.signal import butter, sosfilt

    time = np.arange(round(rate * seconds)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 3.0 * time), 0.0, None) ** 2
    voice = sum(np.sin(2 * np.pi * 140.0 * k * time) / k for k in range(1, 11)) * syllables
    noise = sosfilt(butter(6, 500.0, fs=rate, output="sos"), np.random.default_rng(0).standard_normal(time.size))
    return (0.15 * voice + 0.03 * np.sqrt(rate / 1000.0) * noise)[None].astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_speech_in_a_car_gains_no_clicks_from_changes(rate):
    audio = in_a_car(rate, 12.0)
    changes = [round((0.5 + 0.483 * number) * rate) for number in range(22)]
    rungs = [1, 2, 1, 0, 2, 0] * 4
    ladder = Ladder([spectral(OmLsa, rate=rate), spectral(rate=rate)])
    output = changed(ladder, audio, dict(zip(changes, rungs, strict=False)), rate // 100)
    steady = [run(spectral(kind, rate=rate), audio) for kind in (OmLsa, LogMmse)]
    assert border_clicks(audio, output, rate).times_s.size == 0
    # What changes without a fade leave is found.
    cut = steady[0].copy()
    for place, rung in zip(changes, rungs, strict=False):
        cut[:, place:] = (*steady, audio)[rung][:, place:]
    assert border_clicks(audio, cut, rate).times_s.size >= 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ladder([]), "at least one"),
        (lambda: Ladder([Copy(5), Copy(5, channels=2)]), "16000 Hz and 1 channels, 16000 Hz and 2 channels"),
        (lambda: Ladder([Copy(5), Copy(5, rate=8000)]), "8000 Hz"),
        (lambda: Ladder([Copy(5)], 2), "rung is 2; .* to 1"),
        (lambda: Ladder([Copy(5)]).choose(-1), "rung is -1"),
        (lambda: Ladder([Copy(5)]).choose(0.5), "rung is 0.5"),
        (lambda: Ladder([Copy(5)], warm_s=-0.1), "warm_s is -0.1"),
        (lambda: Ladder([Copy(5)], fade_s=0.0), "fade_s is 0.0"),
        (lambda: Ladder([Copy(5)], fade_s=float("nan")), "fade_s is nan"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()


def test_a_refused_block_and_a_refused_rung_do_no_harm():
    audio = white(1, 4000)
    ladder = Ladder([spectral()])
    first = ladder.process(audio[:, :2000])
    with pytest.raises(InvalidAudioError):
        ladder.process(np.full((1, 100), np.nan, np.float32))
    with pytest.raises(InvalidParameterError):
        ladder.choose(7)
    rest = [ladder.process(audio[:, 2000:]), ladder.flush()]
    np.testing.assert_array_equal(np.concatenate([first, *rest], axis=1), run(spectral(), audio))


def test_a_ladder_is_a_processor_like_any_other():
    assert isinstance(Ladder([spectral()]), Processor)
