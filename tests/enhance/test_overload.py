"""A stream that cannot keep up steps down, says so, and steps up again; one that may not, only says so."""

from __future__ import annotations

import time

import numpy as np
import pytest

import unmuffle
from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse, OmLsa
from unmuffle.enhancer import steps as steps_module
from unmuffle.enhancer.overload import HIGH_LOAD, HURRIED_WARM_S, LATE_S, LONGEST_QUIET_S, QUIET_S, Overload, Step
from unmuffle.enhancer.stream import EnhancerStream
from unmuffle.measure import border_clicks
from unmuffle.models import list_models
from unmuffle.process import DryWet, Ladder, Processor

RATE, BLOCK = 16_000, 160
BLOCK_S = BLOCK / RATE


class Machine:
    """A clock that goes on only where a processor works."""

    now_s = 0.0

    def clock(self) -> float:
        return self.now_s


class Working(Processor):
    """What another processor gives, in so much of the time that the block lasts."""

    def __init__(self, inner: Processor, machine: Machine, load: float):
        super().__init__(inner.sample_rate, inner.channels)
        self.inner, self.machine, self.load = inner, machine, load

    @property
    def latency(self) -> int:
        return self.inner.latency

    @property
    def block_period(self) -> int:
        return self.inner.block_period

    def _process(self, block):
        self.machine.now_s += self.load * block.shape[1] / self.sample_rate
        return self.inner.process(block)

    def _flush(self):
        return self.inner.flush()

    def _reset(self, mask):
        self.inner.reset(mask)


class Stream:
    """Three rungs of given loads, and what a caller sees of them."""

    def __init__(self, *loads: float, block_size: int | None = BLOCK):
        self.machine = Machine()
        kinds = (OmLsa, LogMmse, LogMmse)
        self.rungs = [
            Working(SpectralProcessor(kind(), RATE), self.machine, load)
            for kind, load in zip(kinds, loads, strict=False)
        ]
        self.ladder = Ladder(self.rungs)
        names = (*("best", "lighter", "lightest")[: len(loads)], "bypass")
        steps = [Step(name, [(self.ladder, rung)]) for rung, name in enumerate(names)]
        self.stream = EnhancerStream(DryWet(self.ladder), block_size, Overload(steps, self.machine.clock))

    @property
    def report(self) -> unmuffle.LoadReport:
        return self.stream.load

    def hear(self, seconds: float) -> list[str]:
        """Feed noise and return what was at work, block by block."""
        noise = 0.01 * np.random.default_rng(0).standard_normal((BLOCK,)).astype(np.float32)
        seen = []
        for _ in range(round(seconds / BLOCK_S)):
            self.stream.process(noise)
            seen.append(self.report.rung)
        return seen

    def stall(self, seconds: float) -> None:
        """Let the machine do something else within the next block."""
        loads = [rung.load for rung in self.rungs]
        for rung in self.rungs:
            rung.load += seconds / BLOCK_S
        self.hear(BLOCK_S)
        for rung, load in zip(self.rungs, loads, strict=True):
            rung.load = load


def in_order(seen: list[str]) -> list[str]:
    """What was seen, without repeating."""
    return [one for place, one in enumerate(seen) if place == 0 or seen[place - 1] != one]


def test_a_stream_that_keeps_up_stays_as_it_is():
    stream = Stream(0.8, 0.1)
    assert set(stream.hear(60.0)) == {"best"}
    report = stream.report
    assert (report.steps_down, report.steps_up, report.late_blocks, report.blocks) == (0, 0, 0, 6000)
    assert report.load == pytest.approx(0.8)
    assert report.seconds == pytest.approx({"best": 60.0, "lighter": 0.0, "bypass": 0.0})


def test_a_load_that_stays_too_high_leads_one_step_down():
    stream = Stream(0.97, 0.3)
    seen = stream.hear(1.0)
    assert in_order(seen) == ["best", "lighter"]
    # It is judged by a quarter of a second, and not by less.
    assert seen.count("best") * BLOCK_S == pytest.approx(0.25, abs=0.03)
    assert (stream.report.steps_down, stream.report.steps_up) == (1, 0)
    assert stream.report.load == pytest.approx(0.3, abs=0.01)
    # Both run while the lighter one listens and the other fades out: that is what the step costs.
    beside_s = HURRIED_WARM_S + 0.03 + stream.ladder.latency / RATE
    assert stream.report.longest_delay_ms == pytest.approx(1e3 * (0.97 + 0.3 - 1.0) * beside_s, abs=5.0)
    # The block that decides is still given to the best.
    best_s = seen.count("best") * BLOCK_S + BLOCK_S
    assert stream.report.seconds == pytest.approx({"best": best_s, "lighter": 1.0 - best_s, "bypass": 0.0})


def test_a_step_down_that_costs_too_much_goes_by_the_bypass():
    """0.97 and 0.8 beside each other would be late by far, and one after the other they are not."""
    stream = Stream(0.97, 0.8)
    seen = stream.hear(20.0)
    assert in_order(seen) == ["best", "lighter", "bypass", "lighter"]
    assert (stream.report.steps_down, stream.report.steps_up) == (1, 0)
    assert stream.report.longest_delay_ms < 1e3 * (LATE_S + 0.03)
    assert stream.report.seconds["bypass"] < 0.3


def test_a_step_up_that_is_late_before_it_is_heard_is_taken_back():
    stream = Stream(0.3, 0.2)
    stream.stall(0.1)
    stream.hear(QUIET_S)
    assert (stream.report.rung, stream.report.steps_down) == ("lighter", 1)
    stream.rungs[0].load = 1.3
    seen = stream.hear(2.0)
    assert in_order(seen) == ["lighter", "best", "lighter"]
    assert seen.count("best") * BLOCK_S < 0.25
    assert (stream.report.steps_down, stream.report.steps_up) == (2, 1)
    assert stream.ladder.settled


def test_it_goes_on_down_while_the_load_is_too_high():
    stream = Stream(0.93, 0.92, 0.91)
    seen = stream.hear(20.0)
    assert [name for name in dict.fromkeys(seen) if name != "bypass"] == ["best", "lighter", "lightest"]
    assert seen[-1] == "bypass"
    assert stream.report.steps_down - stream.report.steps_up == 3


def test_a_stream_that_is_late_goes_to_the_bypass_at_once_and_then_one_step_down():
    stream = Stream(0.3, 0.2)
    stream.hear(1.0)
    stream.stall(LATE_S + 0.02)
    assert stream.report.rung == "bypass"
    assert stream.report.longest_delay_ms == pytest.approx(1e3 * (LATE_S + 0.02 + (0.3 - 1.0) * BLOCK_S))
    seen = stream.hear(1.0)
    assert in_order(seen) == ["bypass", "lighter"]
    # Until the fade is through and nothing is late.
    assert seen.count("bypass") * BLOCK_S < 0.15
    assert (stream.report.steps_down, stream.report.steps_up) == (1, 0)


def test_a_block_that_is_a_little_late_is_counted_and_no_more():
    stream = Stream(0.3, 0.2)
    stream.hear(1.0)
    stream.stall(0.03)
    # 30 ms and 3 of its own: behind by 23, by 16, 9 and 2 ms, and then no more.
    stream.hear(1.0)
    assert (stream.report.late_blocks, stream.report.steps_down) == (4, 0)
    assert stream.report.longest_delay_ms == pytest.approx(23.0)
    assert stream.report.rung == "best"


def test_it_steps_up_again_after_a_quiet_time():
    stream = Stream(0.3, 0.2, 0.1)
    for _ in range(2):
        stream.stall(0.1)
        stream.hear(1.0)
    assert stream.report.rung == "lightest"
    seen = stream.hear(12.0)
    assert in_order(seen) == ["lightest", "lighter", "best"]
    assert seen.count("lighter") * BLOCK_S == pytest.approx(QUIET_S + 0.25 + 0.28, abs=0.3)
    report = stream.report
    assert (report.steps_down, report.steps_up) == (2, 2)
    assert sum(report.seconds.values()) == pytest.approx(report.blocks * BLOCK_S)


def test_a_busy_step_is_not_quiet():
    """At a load of 0.6 there is no room for the better one beside it, while that is warmed."""
    stream = Stream(0.95, 0.6)
    stream.hear(2.0)
    assert in_order(stream.hear(60.0)) == ["lighter"]


def test_a_step_up_that_fails_is_tried_ever_more_seldom():
    stream = Stream(1.3, 0.2)
    seen = np.array(stream.hear(600.0))
    assert stream.report.steps_up == stream.report.steps_down - 1
    ups = np.flatnonzero((seen[1:] == "best") & (seen[:-1] != "best")) * BLOCK_S
    waits = np.diff(ups)
    assert (waits[1:] >= np.minimum(1.5 * waits[:-1], LONGEST_QUIET_S)).all()
    assert waits.max() == pytest.approx(LONGEST_QUIET_S, rel=0.05)
    assert len(ups) <= 10
    # Of ten minutes, next to none were late.
    assert stream.report.late_blocks / stream.report.blocks < 0.02
    assert (seen == "best").mean() < 0.02


def test_the_wait_is_forgotten_when_a_step_has_held():
    stream = Stream(1.3, 0.2)
    stream.hear(120.0)
    tried = stream.report.steps_up
    stream.rungs[0].load = 0.3
    stream.hear(400.0)
    assert (stream.report.rung, stream.report.steps_up) == ("best", tried + 1)
    stream.stall(0.1)
    assert in_order(stream.hear(QUIET_S + 2.0)) == ["bypass", "lighter", "best"]


@pytest.mark.parametrize("size", [40, 160, 1600, 8000])
def test_blocks_of_any_size_are_judged_alike(size):
    stream = Stream(0.97, 0.1, block_size=None)
    count = 3 * RATE // size
    for _ in range(count):
        stream.stream.process(np.zeros(size, np.float32))
        stream.stream.process(np.zeros(0, np.float32))
    assert stream.report.blocks == count
    assert (stream.report.rung, stream.report.steps_down) == ("lighter", 1)
    # A quarter of a second, and three blocks at least.
    assert stream.report.seconds["best"] == pytest.approx(max(0.25, 3 * size / RATE), abs=size / RATE)


def test_flush_and_reset_keep_the_rung_and_the_counts():
    stream = Stream(0.97, 0.3)
    stream.hear(1.0)
    before = stream.report
    for end in (stream.stream.flush, stream.stream.reset):
        end()
        assert stream.report == before
    assert stream.hear(BLOCK_S) == ["lighter"]


# The sound of it.


def test_no_click_and_no_hole_where_a_stream_steps(noisy_speech):
    audio = noisy_speech(RATE, seconds=8.0).astype(np.float32)
    fake = Stream(0.97, 0.3, 0.1)
    pieces = []
    for number, at in enumerate(range(0, audio.shape[1], BLOCK)):
        if number == 300:
            fake.rungs[1].load = 9.0
        pieces.append(fake.stream.process(audio[:, at : at + BLOCK]))
    output = np.concatenate([*pieces, fake.stream.flush()], axis=1)[:, fake.stream.latency :]
    # Down, down at once, and up for a try that is taken back.
    assert (fake.report.steps_down, fake.report.steps_up) == (3, 1)
    assert output.shape == audio.shape
    assert border_clicks(audio, output, RATE).times_s.size == 0
    frames = np.square(output[0].astype(np.float64)).reshape(-1, BLOCK).mean(axis=1)
    given = np.square(audio[0]).reshape(-1, BLOCK).mean(axis=1)
    loud = given > np.quantile(given, 0.7)
    assert (frames[loud] > 0.1 * given[loud]).all()


def test_the_bypass_is_the_input_late_by_the_latency():
    audio = np.random.default_rng(3).integers(-20_000, 20_000, 3 * RATE).astype(np.int16)
    fake = Stream(3.0, 3.0)
    output = np.concatenate([fake.stream.process(audio[at : at + BLOCK]) for at in range(0, audio.size, BLOCK)])
    assert fake.report.rung == "bypass"
    latency = fake.stream.latency
    np.testing.assert_array_equal(output[-RATE:], audio[-RATE - latency : -latency])


# The front door.


def test_a_stream_keeps_to_what_it_was_asked_to_do_unless_told(noisy_speech):
    audio = noisy_speech(RATE, seconds=1.0).astype(np.float32)
    kept, steps = unmuffle.open_stream(RATE), unmuffle.open_stream(RATE, on_overload="step_down")
    np.testing.assert_array_equal(kept.process(audio), steps.process(audio))
    assert list(kept.load.seconds) == [kept.load.rung]
    assert kept.load.blocks == 1
    assert kept.load.load > 0.0
    assert (kept.load.steps_down, kept.load.steps_up) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"method": "om_lsa"}, ["om_lsa", "log_mmse", "bypass"]),
        ({"method": "log-mmse"}, ["log_mmse", "bypass"]),
        ({"noise_profile": np.random.default_rng(0).standard_normal(RATE)}, ["om_lsa", "log_mmse", "bypass"]),
        ({"preset": "asr"}, ["asr", "bypass"]),
        ({"chain": "denoise:method=wiener:strength=0.5"}, ["chain", "bypass"]),
        (
            {"chain": "highpass,denoise:method=om_lsa,limit"},
            ["chain", "chain with log_mmse", "log_mmse", "bypass"],
        ),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_a_stream_can_step_down_to(settings, expected, channels):
    stream = unmuffle.open_stream(RATE, channels, 160, **settings, on_overload="step_down")
    assert list(stream.load.seconds) == expected
    assert stream.latency == unmuffle.open_stream(RATE, channels, 160, **settings).latency


def test_a_model_steps_down_to_smaller_ones_and_then_to_log_mmse():
    names = list(unmuffle.open_stream(RATE, on_overload="step_down").load.seconds)
    assert names[-2:] == ["log_mmse", "bypass"]
    sizes = {model.name: model.path.stat().st_size for model in list_models()}
    default = next((model.name for model in list_models() if model.card.default), None)
    smaller = sorted((name for name in sizes if sizes[name] < sizes.get(default, 0)), key=sizes.get, reverse=True)
    assert names[:-2] == [default or "om_lsa", *smaller]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "om_lsa", "residual": True},
        {"noise_profile": 0.02 * np.random.default_rng(0).standard_normal(RATE)},
        {"preset": "meeting"},
        {"chain": "denoise"},
        {"preset": "asr", "link_channels": False},
    ],
    ids=str,
)
def test_every_step_of_every_stream_can_be_taken_and_is_in_step_with_the_input(noisy_speech, monkeypatch, settings):
    audio = noisy_speech(RATE, seconds=4.0, channels=2).astype(np.float32)
    laid = []
    lay = steps_module.lay_steps
    monkeypatch.setattr("unmuffle.enhancer.enhancer.lay_steps", lambda *given: laid.extend(lay(*given)) or laid)
    stream = unmuffle.open_stream(RATE, 2, 160, **settings, on_overload="step_down")
    pieces = []
    order = [*laid, *laid[::-1]]
    for number, at in enumerate(range(0, audio.shape[1], 160)):
        if number % 45 == 0 and order:
            order.pop(0).take()
        pieces.append(stream.process(audio[:, at : at + 160]))
    output = np.concatenate([*pieces, stream.flush()], axis=1)
    assert output.shape[1] == audio.shape[1] + stream.latency
    assert np.isfinite(output).all()
    assert laid[0].taken
    if settings.get("residual"):
        return
    around = range(max(0, stream.latency - 20), stream.latency + 21)
    best = max(around, key=lambda late: float(np.vdot(output[0, late:][: 3 * RATE], audio[0, : 3 * RATE])))
    assert abs(best - stream.latency) <= 1


def test_a_network_at_work_is_heard_and_one_that_is_not_is_silent():
    stream = unmuffle.open_stream(RATE, on_overload="step_down")
    stream.process(np.zeros(RATE, np.float32))
    if unmuffle.open_stream(RATE).speech_presence is None:
        assert stream.speech_presence is None
        return
    assert stream.speech_presence.shape == (1,)
    stream._mix.processor.choose(stream._mix.processor.bypass)
    stream.process(np.zeros(RATE, np.float32))
    assert stream.speech_presence is None


def test_a_machine_that_is_really_too_slow_is_stepped_down(monkeypatch):
    gains = OmLsa.gains

    def slow(self, spectra):
        time.sleep(0.05 * len(spectra))
        return gains(self, spectra)

    monkeypatch.setattr(OmLsa, "gains", slow)
    monkeypatch.setattr(steps_module, "REHEARSED_BLOCKS", 2)
    stream = unmuffle.open_stream(RATE, 1, 160, method="om_lsa", on_overload="step_down")
    audio = 0.01 * np.random.default_rng(0).standard_normal(3 * RATE)
    for at in range(0, audio.size, 160):
        stream.process(audio[at : at + 160])
    report = stream.load
    assert report.steps_down >= 1
    assert report.late_blocks >= 1
    assert report.longest_delay_ms > 1e3 * LATE_S
    assert report.seconds["om_lsa"] < 0.5
    assert report.rung != "om_lsa"
    assert report.load < HIGH_LOAD


def test_another_answer_to_overload_is_refused():
    with pytest.raises(unmuffle.InvalidParameterError, match="'keep' or 'step_down', not 'panic'"):
        unmuffle.open_stream(RATE, on_overload="panic")


# The keywords of both functions are those of Enhancer.


def test_the_functions_take_what_an_enhancer_takes(noisy_speech):
    audio = noisy_speech(RATE, seconds=2.0)
    chosen = {"chain": "highpass,denoise:method=log_mmse", "strength": 0.5, "loudness": -20.0, "true_peak": -3.0}
    expected = unmuffle.Enhancer(**chosen).enhance(audio, RATE)
    np.testing.assert_array_equal(unmuffle.enhance(audio, RATE, **chosen), expected)
    live = {"preset": "forensic", "strength": "auto"}
    streams = [unmuffle.open_stream(RATE, **live), unmuffle.Enhancer(**live).open_stream(RATE)]
    first, second = (stream.process(audio) for stream in streams)
    np.testing.assert_array_equal(first, second)
    assert streams[0].load.rung == "forensic"
