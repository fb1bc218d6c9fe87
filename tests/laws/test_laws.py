"""The six laws of a Processor, tried on every processor of the registry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_signals import RATES_HZ, Case, blocks, cases, feed, run, sizes_of_blocks, speech_like
from numpy.testing import assert_array_equal
from registry import ENTRIES, Entry, unregistered
from scipy.signal import correlate

from unmuffle.denoise import SpectralProcessor
from unmuffle.errors import InvalidParameterError
from unmuffle.process import Chain, DryWet, FixedBlock, Processor
from unmuffle.repair import LateReverbSuppressor, Wpe, WpeOffline

law = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
every_processor = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)

FLOAT32_MAX = float(np.finfo(np.float32).max)


def test_every_processor_is_registered():
    assert unregistered(ENTRIES) == set()


def test_a_processor_that_is_not_registered_is_found():
    assert {"Chain", "SpectralProcessor", "DryWet"} <= unregistered([])


# Law 1: aligned and complete


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks, shortened_to=st.sampled_from([None, 0, 1, 2, 100, 1000]))
def test_law_1_output_is_as_long_as_input(entry: Entry, case: Case, sizes: list[int], shortened_to: int | None):
    audio = case.audio[:, :shortened_to]
    assert run(entry.new(case.rate, case.channels), audio, sizes).shape == audio.shape


@every_processor
@law
@given(case=cases(shortest_s=0.3))
def test_law_1_output_is_aligned_with_input(entry: Entry, case: Case):
    audio = case.audio
    output = run(entry.new(case.rate, case.channels), audio)
    for channel, processed in zip(audio.astype(np.float64), output.astype(np.float64), strict=True):
        assert processed.any()
        similarity = correlate(processed, channel, method="fft")
        assert similarity.argmax() == case.samples - 1


# Law 2: block-invariant


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks, other_sizes=sizes_of_blocks)
def test_law_2_result_does_not_depend_on_blocks(entry: Entry, case: Case, sizes: list[int], other_sizes: list[int]):
    audio = case.audio
    outputs = [run(entry.new(case.rate, case.channels), audio, cut) for cut in (sizes, other_sizes, [case.samples])]
    assert np.abs(outputs[0] - outputs[1]).max() <= entry.tolerance
    assert np.abs(outputs[0] - outputs[2]).max() <= entry.tolerance


@every_processor
def test_law_2_holds_sample_by_sample(entry: Entry):
    audio = speech_like(8000, 2, 900, seed=5)
    output = run(entry.new(8000, 2), audio)
    processor = entry.new(8000, 2)
    pieces = [processor.process(audio[:, at : at + 1]) for at in range(900)]
    assert np.abs(np.concatenate([*pieces, processor.flush()], axis=1) - output).max() <= entry.tolerance


# Law 3: causal to its word


@every_processor
@law
@given(case=cases(), place=st.floats(0.0, 1.0, exclude_max=True))
def test_law_3_output_knows_nothing_beyond_the_latency(entry: Entry, case: Case, place: float):
    perturbed_from = int(place * case.samples)
    first = _first_change(entry, case.rate, case.audio, _perturbed(case.audio, perturbed_from))
    assert perturbed_from - first <= entry.new(case.rate, case.channels).latency


@every_processor
@law
@given(rate=st.sampled_from(RATES_HZ), phase=st.floats(0.0, 1.0, exclude_max=True))
def test_law_3_latency_is_measured_at_the_worst_phase(entry: Entry, rate: int, phase: float):
    period = entry.new(rate).block_period
    _check_latency(entry, rate, {0, period // 2, int(phase * period), max(0, period - 2), period - 1})


@every_processor
def test_law_3_latency_is_measured_at_every_phase(entry: Entry):
    _check_latency(entry, 8000, set(range(entry.new(8000).block_period)))


@every_processor
@law
@given(
    case=cases(), size=st.one_of(st.integers(1, 4000), st.sampled_from([128, 160, 384, 480, 512, 704, 768, 1024, 3072]))
)
def test_law_3_output_comes_as_soon_as_told(entry: Entry, case: Case, size: int):
    processor = entry.new(case.rate)
    told = processor.delay_for(size)
    assert told <= processor.latency
    audio = case.audio[:1]
    block = audio[:, np.arange(size) % case.samples]
    owed, most_owed = 0, 0
    for _ in range(2 * processor.latency // size + 40):
        owed += size - processor.process(block).shape[1]
        most_owed = max(owed, most_owed)
    assert most_owed <= told


@pytest.mark.parametrize("rate", RATES_HZ)
@pytest.mark.parametrize(
    "entry",
    [entry for entry in ENTRIES if isinstance(entry.new(8000), SpectralProcessor)],
    ids=lambda entry: entry.name,
)
def test_spectral_latency_is_32_ms_at_every_rate(entry: Entry, rate: int):
    # It is one window, in which the sample itself is counted.
    assert (entry.new(rate).latency + 1) / rate == pytest.approx(0.032, rel=0.003)


def _check_latency(entry: Entry, rate: int, phases: set[int]) -> None:
    """Perturb at these places of the internal grid; the farthest look-ahead must be the latency told."""
    processor = entry.new(rate)
    latency, period = processor.latency, processor.block_period
    origin = (latency // period + 2) * period
    audio = speech_like(rate, 1, origin + 3 * period + 64, seed=11)
    look_ahead = max(
        origin + phase - _first_change(entry, rate, audio, _perturbed(audio, origin + phase)) for phase in phases
    )
    assert look_ahead <= latency
    assert entry.rare or look_ahead >= latency - _slack(processor)


def _perturbed(audio: np.ndarray, start: int) -> np.ndarray:
    # Loud, because a window gives the last sample of a frame next to no weight.
    perturbed = audio.copy()
    perturbed[:, start:] = 1e3 * np.random.default_rng(start).uniform(0.5, 1.0, perturbed[:, start:].shape)
    return perturbed


def _first_change(entry: Entry, rate: int, audio: np.ndarray, perturbed: np.ndarray) -> int:
    plain, changed = (run(entry.new(rate, len(audio)), signal) for signal in (audio, perturbed))
    differs = (plain != changed).any(axis=0)
    assert differs.any()
    return int(differs.argmax())


def _slack(processor: Processor) -> int:
    """By how much the look-ahead may stay below the latency: in a chain of frames the worst phases do not meet."""
    if isinstance(processor, DryWet):
        return _slack(processor.processor)
    if isinstance(processor, Chain):
        assert processor.latency == sum(member.latency for member in processor.processors)
        return sum(member.block_period for member in processor.processors)
    if isinstance(processor, (LateReverbSuppressor, Wpe, WpeOffline)):
        # It passes frames unchanged before it has learnt; what the ends of a window add is then lost in rounding.
        return processor.grid.window // 50
    return 1


# Law 4: reset is birth


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks, used_for=st.floats(0.0, 1.0))
def test_law_4_reset_is_birth(entry: Entry, case: Case, sizes: list[int], used_for: float):
    used = entry.new(case.rate, case.channels)
    feed(used, case.other_audio[:, : int(used_for * case.samples)], sizes)
    used.reset()
    assert_array_equal(run(used, case.audio), run(entry.new(case.rate, case.channels), case.audio))


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks, used_for=st.floats(0.0, 1.0))
def test_law_4_flush_is_birth(entry: Entry, case: Case, sizes: list[int], used_for: float):
    used = entry.new(case.rate, case.channels)
    run(used, case.other_audio[:, : int(used_for * case.samples)], sizes)
    assert used.flush().shape == (case.channels, 0)
    assert_array_equal(run(used, case.audio), run(entry.new(case.rate, case.channels), case.audio))


unlinked_processors = pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if not entry.linked], ids=lambda entry: entry.name
)


@unlinked_processors
@law
@given(
    case=cases(fewest_channels=2),
    sizes=sizes_of_blocks,
    sizes_after=sizes_of_blocks,
    place=st.floats(0.0, 0.8),
    mask=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_law_4_reset_of_some_channels(
    entry: Entry, case: Case, sizes: list[int], sizes_after: list[int], place: float, mask: list[bool]
):
    chosen = np.array(mask[: case.channels])
    processor = entry.new(case.rate, case.channels)
    period = processor.block_period
    start = int(place * case.samples) // period * period
    before = feed(processor, case.audio[:, :start], sizes)
    processor.reset(chosen)
    output = np.concatenate((before, run(processor, case.audio[:, start:], sizes_after)), axis=1)

    undisturbed = run(entry.new(case.rate, case.channels), case.audio)
    assert np.abs(output[~chosen] - undisturbed[~chosen]).max(initial=0.0) <= entry.tolerance
    newborn = run(entry.new(case.rate, case.channels), case.audio[:, start:])
    assert np.abs(output[chosen][:, start:] - newborn[chosen]).max(initial=0.0) <= entry.tolerance


@unlinked_processors
@law
@given(case=cases(fewest_channels=2), sizes=sizes_of_blocks, place=st.floats(0.0, 1.0))
def test_law_4_other_channels_do_not_notice_a_reset_at_any_time(
    entry: Entry, case: Case, sizes: list[int], place: float
):
    start = int(place * case.samples)
    mask = np.arange(case.channels) == 0
    outputs = []
    for resets in (False, True):
        processor = entry.new(case.rate, case.channels)
        before = feed(processor, case.audio[:, :start], sizes)
        if resets:
            processor.reset(mask)
        outputs.append(np.concatenate((before, run(processor, case.audio[:, start:], sizes)), axis=1)[~mask])
    assert_array_equal(*outputs)


@every_processor
@law
@given(case=cases(fewest_channels=2), sizes=sizes_of_blocks)
def test_law_4_a_channel_that_was_reset_forgets(entry: Entry, case: Case, sizes: list[int]):
    processor = entry.new(case.rate, case.channels)
    feed(processor, case.audio, sizes)
    if entry.linked:
        with pytest.raises(InvalidParameterError, match="reset all"):
            processor.reset(np.ones(case.channels, np.bool_))
        return
    processor.reset(np.ones(case.channels, np.bool_))
    silence = np.zeros_like(case.audio)
    assert not run(processor, silence).any()


# Law 5: finite


@every_processor
@pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
@pytest.mark.parametrize(
    "kind",
    [
        "denormal",
        "smallest",
        "1e-20",
        "1e30",
        "largest",
        "alternating-largest",
        "largest-after-speech",
        "speech-after-largest",
        "impulse",
        "late-impulse",
        "square",
        "constant",
        "on-and-off",
        "speech-after-silence",
        "silence-after-speech",
    ],
)
def test_law_5_finite_input_gives_finite_output(entry: Entry, rate: int, kind: str):
    audio = _extreme(kind, rate)
    output = run(entry.new(rate, len(audio)), audio, [1000, 77])
    assert output.shape == audio.shape
    assert np.isfinite(output).all()


def _extreme(kind: str, rate: int) -> np.ndarray:
    samples = int(0.25 * rate)
    speech = speech_like(rate, 2, samples, seed=3)
    noise = np.random.default_rng(1).uniform(-1.0, 1.0, (2, samples))
    time = np.arange(samples)
    early = time < samples // 2
    signs = np.array([[1.0], [-1.0]])
    return np.broadcast_to(
        {
            "denormal": 1e-38 * np.sign(speech),
            "smallest": 1e-45 * np.sign(speech),
            "1e-20": 1e-20 * signs,
            "1e30": 1e30 * np.sign(speech),
            "largest": FLOAT32_MAX * signs,
            "alternating-largest": FLOAT32_MAX * (1 - 2 * (time % 2)),
            "largest-after-speech": np.where(early, speech, FLOAT32_MAX),
            "speech-after-largest": np.where(early, FLOAT32_MAX, speech),
            "impulse": np.where(time == 0, [[1.0], [FLOAT32_MAX]], 0.0),
            "late-impulse": np.where(time == samples // 2, [[1.0], [-FLOAT32_MAX]], 0.0),
            "square": np.where(time * 200 // rate % 2, 1.0, -1.0),
            "constant": np.array([[1.0], [-0.25]]),
            "on-and-off": np.where(time * 25 // rate % 2, noise, 0.0),
            "speech-after-silence": np.where(early, 0.0, speech),
            "silence-after-speech": np.where(early, speech, 0.0),
        }[kind],
        (2, samples),
    ).astype(np.float32)


bad_values = st.sampled_from([np.nan, np.inf, -np.inf])


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks, bad=bad_values, place=st.floats(0.0, 1.0, exclude_max=True))
def test_law_5_a_refused_block_does_no_harm(entry: Entry, case: Case, sizes: list[int], bad: float, place: float):
    offered, spared = (entry.new(case.rate, case.channels) for _ in range(2))
    cut = blocks(case.audio, sizes)
    refused_at = int(place * len(cut))
    pieces = []
    for index, block in enumerate(cut):
        if index == refused_at:
            spoilt = case.other_audio
            spoilt[-1, int(place * case.samples)] = bad
            with pytest.raises(ValueError, match="NaN or infinite"):
                offered.process(spoilt)
        pieces.append(offered.process(block))
    output = np.concatenate([*pieces, offered.flush()], axis=1)
    assert_array_equal(output, run(spared, case.audio, sizes))


@every_processor
@law
@given(
    case=cases(),
    sizes=sizes_of_blocks,
    bad=st.lists(st.tuples(bad_values, st.floats(0.0, 1.0, exclude_max=True)), min_size=1, max_size=9),
)
def test_law_5_a_live_stream_puts_silence_and_counts(
    entry: Entry, case: Case, sizes: list[int], bad: list[tuple[float, float]]
):
    spoilt, silenced = case.audio, case.audio
    for number, (value, place) in enumerate(bad):
        spoilt[number % case.channels, int(place * case.samples)] = value
        silenced[number % case.channels, int(place * case.samples)] = 0.0
    live = entry.new(case.rate, case.channels, "silence")
    output = feed(live, spoilt, sizes)
    assert live.nonfinite_samples == np.count_nonzero(~np.isfinite(spoilt))
    assert_array_equal(output, feed(entry.new(case.rate, case.channels), silenced, sizes))


# Law 6: silence in, silence out; identity when told


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks)
def test_law_6_silence_stays_silence(entry: Entry, case: Case, sizes: list[int]):
    silence = np.zeros((case.channels, case.samples), np.float32)
    assert not run(entry.new(case.rate, case.channels), silence, sizes).any()


@every_processor
@law
@given(
    case=cases(), sizes=sizes_of_blocks, how=st.sampled_from([{"strength": 0.0}, {"max_attenuation_db": 0.0}]), loud=...
)
def test_law_6_identity_when_told(entry: Entry, case: Case, sizes: list[int], how: dict[str, float], loud: bool):
    audio = case.audio * np.float32(1e30 if loud else 1.0)
    assert_array_equal(run(DryWet(entry.new(case.rate, case.channels), **how), audio, sizes), audio)


# And what every caller relies on: arrays belong to who made them.


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks)
def test_arrays_are_not_shared_with_the_caller(entry: Entry, case: Case, sizes: list[int]):
    expected = run(entry.new(case.rate, case.channels), case.audio, sizes)
    processor = entry.new(case.rate, case.channels)
    pieces, copies = [], []
    for block in blocks(case.audio, sizes):
        offered = block.copy()
        offered.setflags(write=False)
        pieces.append(processor.process(offered))
        assert_array_equal(offered, block)
        copies.append(pieces[-1].copy())
        # The caller may use its buffer again.
        offered.setflags(write=True)
        offered[:] = np.nan
    pieces.append(processor.flush())
    copies.append(pieces[-1].copy())
    processor.process(case.other_audio)
    for piece, copy in zip(pieces, copies, strict=True):
        assert_array_equal(piece, copy)
    assert_array_equal(np.concatenate(copies, axis=1), expected)


@every_processor
@law
@given(case=cases(), sizes=sizes_of_blocks)
def test_the_caller_may_write_into_what_it_was_given(entry: Entry, case: Case, sizes: list[int]):
    expected = run(entry.new(case.rate, case.channels), case.audio, sizes)
    processor = entry.new(case.rate, case.channels)
    copies = []
    for block in blocks(case.audio, sizes):
        piece = processor.process(block)
        copies.append(piece.copy())
        piece[:] = np.nan
    copies.append(processor.flush())
    assert_array_equal(np.concatenate(copies, axis=1), expected)


@every_processor
@law
@given(case=cases(), layout=st.sampled_from(["fortran", "every-other", "reversed", "float64"]))
def test_any_layout_in_memory_will_do(entry: Entry, case: Case, layout: str):
    audio = case.audio
    same = {
        "fortran": np.asfortranarray(audio),
        "every-other": np.repeat(audio, 2, axis=1)[:, ::2],
        "reversed": audio[:, ::-1].copy()[:, ::-1],
        "float64": audio.astype(np.float64),
    }[layout]
    assert_array_equal(run(entry.new(case.rate, case.channels), same), run(entry.new(case.rate, case.channels), audio))


@every_processor
@law
@given(case=cases(), size=st.integers(16, 2000))
def test_blocks_of_one_size_are_answered_at_once(entry: Entry, case: Case, size: int):
    fixed = FixedBlock(entry.new(case.rate, case.channels), size)
    delay = fixed.delay
    whole = case.audio[:, : case.samples // size * size]
    pieces = [fixed.process(whole[:, at : at + size]) for at in range(0, whole.shape[1], size)]
    output = np.concatenate([np.zeros((case.channels, 0)), *pieces], axis=1)
    expected = run(entry.new(case.rate, case.channels), whole)
    delayed = np.concatenate((np.zeros((case.channels, delay)), expected), axis=1)[:, : output.shape[1]]
    assert np.abs(output - delayed).max(initial=0.0) <= entry.tolerance
