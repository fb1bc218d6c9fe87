"""Networks of waveforms, made elsewhere, run chunk by chunk."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unmuffle
from small_models import save, waveform_model
from unmuffle.denoise.waveform import WaveformNetwork
from unmuffle.errors import InvalidParameterError, ModelError
from unmuffle.models import find_model
from unmuffle.models.session import load_model
from unmuffle.models.waveform import waveform_graph

RATE = 16_000


@pytest.fixture
def graph_of(tmp_path):
    def made(*arguments, **options):
        return waveform_graph(load_model(find_model(save(waveform_model(*arguments, **options), tmp_path / "w.onnx"))))

    return made


def run(processor, audio):
    return np.concatenate((processor.process(audio), processor.flush()), axis=1)


def overlap_added(audio, chunk, overlap):
    """The same by the book: every chunk with sine-squared fades, in float64."""
    period = chunk - overlap
    fade = np.sin(np.pi / 2 * (np.arange(overlap) + 0.5) / overlap) ** 2
    window = np.concatenate((fade, np.ones(chunk - 2 * overlap), fade[::-1]))
    padded = np.concatenate((np.zeros(overlap), audio.astype(np.float64), np.zeros(2 * chunk)))
    out = np.zeros_like(padded)
    for start in range(0, len(padded) - chunk + 1, period):
        part = padded[start : start + chunk]
        out[start : start + chunk] += window * part / (1 + np.mean(part**2))
    return out[overlap : overlap + len(audio)]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_chunks_are_overlap_added(graph_of, noisy_speech, share):
    audio = noisy_speech(RATE, 1.0).astype(np.float32)
    processor = WaveformNetwork(graph_of(), RATE, chunk_s=0.05, overlap=share)
    assert_allclose(run(processor, audio)[0], overlap_added(audio[0], 800, round(800 * share)), atol=1e-6)


def test_without_overlap_chunks_are_put_side_by_side(graph_of):
    audio = np.ones((1, 1600), np.float32)
    assert_allclose(run(WaveformNetwork(graph_of(), RATE, overlap=0.0), audio), 0.5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "channels"), [(("samples",), 1), (("samples",), 2), ((1, "n"), 3), (("b", "n"), 3), (("b", 1, 400), 2)]
)
def test_every_shape_of_input_gives_the_same(graph_of, noisy_speech, shape, channels):
    audio = noisy_speech(RATE, 0.5, channels).astype(np.float32)
    found = run(WaveformNetwork(graph_of(shape), RATE, channels, chunk_s=0.025), audio)
    for row, wanted in zip(found, audio, strict=True):
        assert_allclose(row, overlap_added(wanted, 400, 100), atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_other_rates_are_resampled_there_and_back(graph_of, rate):
    time = np.arange(rate) / rate
    tone = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None]
    processor = WaveformNetwork(graph_of(), rate)
    assert processor.latency == round(0.05 * rate) - 1
    # The power of a sine is half the square of its amplitude, to a per cent in chunks of 22 periods.
    inner = slice(rate // 4, -rate // 4)
    assert_allclose(run(processor, tone)[:, inner], tone[:, inner] / 1.125, atol=0.01)


def test_what_the_file_tells_is_kept_unless_told_otherwise(graph_of):
    graph = graph_of(metadata={"sample_rate": "24000", "chunk_s": "0.5", "overlap": "0.1"})
    processor = WaveformNetwork(graph, 48_000)
    assert (processor.model_rate, processor.latency, processor.block_period) == (24_000, 23_999, 21_600)
    other = WaveformNetwork(graph, 48_000, model_rate=16_000, chunk_s=0.2, overlap=0.5)
    assert (other.model_rate, other.latency, other.block_period) == (16_000, 9_599, 4_800)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"overlap": 0.6}, "overlap is 0.6"),
        ({"overlap": float("nan")}, "overlap is nan"),
        ({"chunk_s": 0.0}, "chunk_s is 0.0"),
        ({"model_rate": 100}, "sample_rate is 100 Hz"),
    ],
)
def test_settings_out_of_range(graph_of, settings, said):
    with pytest.raises(InvalidParameterError, match=said):
        WaveformNetwork(graph_of(), RATE, **settings)


def test_a_network_that_gives_another_number_of_samples(graph_of):
    processor = WaveformNetwork(graph_of(times=2), RATE)
    with pytest.raises(ModelError, match=r"the model w gives \[1, 1600\] for \[1, 800\]: it must give as many"):
        processor.process(np.ones((1, 2000), np.float32))


def test_a_network_that_fails(graph_of):
    graph = graph_of()

    class Failing:
        def run(self, *_):
            raise RuntimeError("bad\nshape")

    object.__setattr__(graph, "session", Failing())
    with pytest.raises(ModelError, match="the model w fails on 800 samples: bad shape"):
        WaveformNetwork(graph, RATE).process(np.ones((1, 2000), np.float32))


def test_chunks_that_come_back_not_finite_are_left_as_they_were(graph_of, noisy_speech):
    graph = graph_of()

    class Diverging:
        def run(self, _, feeds):
            return [np.where(feeds["audio"] != 0, np.float32(np.nan), 0)]

    object.__setattr__(graph, "session", Diverging())
    audio = noisy_speech(RATE, 0.5).astype(np.float32)
    assert_allclose(run(WaveformNetwork(graph, RATE), audio), audio, atol=1e-6)


def test_the_front_door_runs_it_whole_and_live(tmp_path, noisy_speech):
    path = save(waveform_model(), tmp_path / "own.onnx")
    audio = noisy_speech(48_000, 1.0, 2).astype(np.float32)
    whole = unmuffle.enhance(audio, 48_000, model=path)
    stream = unmuffle.open_stream(48_000, 2, model=path)
    assert stream.latency_ms == pytest.approx(50, abs=0.1)
    pieces = [stream.process(audio[:, at : at + 480]) for at in range(0, 48_000, 480)]
    assert_allclose(np.concatenate([*pieces, stream.flush()], axis=1), whole, atol=1e-6)
    assert_array_equal(unmuffle.enhance(audio, 48_000, model=path, strength=0.0), audio)
