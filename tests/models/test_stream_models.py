"""Networks of waveforms with states, run hop by hop: alignment, rates, and files that break the contract."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import unmuffle
from small_models import STREAM_METADATA, save, stream_model
from unmuffle.denoise.networks import network_processor
from unmuffle.denoise.stream_network import StreamNetwork
from unmuffle.errors import ModelError
from unmuffle.models import find_model
from unmuffle.models.session import load_model
from unmuffle.models.stream import stream_graph

RATE, HOP = 16_000, 40


@pytest.fixture
def graph(tmp_path):
    return stream_graph(load_model(find_model(save(stream_model(), tmp_path / "s.onnx"))))


def run(processor, audio, block=997):
    pieces = [processor.process(audio[:, at : at + block]) for at in range(0, audio.shape[1], block)]
    return np.concatenate((*pieces, processor.flush()), axis=1)


def reference(audio):
    """What ``stream_model`` means, in float64."""
    hops = np.pad(audio.astype(np.float64), (0, HOP + -len(audio) % HOP)).reshape(-1, HOP)
    power = (hops**2).mean(1)
    return (hops[:-1] / (0.5 + power[:-1] + power[1:])[:, None]).ravel()[: len(audio)]


@pytest.mark.parametrize("block", [1, 39, 40, 1_000, 9_000])
def test_hops_are_enhanced_in_step_with_the_input(graph, noisy_speech, block):
    audio = noisy_speech(RATE, 0.5, 2).astype(np.float32)
    found = run(StreamNetwork(graph, RATE, 2), audio, block)
    for row, wanted in zip(found, audio, strict=True):
        assert_allclose(row, reference(wanted), atol=1e-4)


def test_the_latency_is_a_hop_and_the_delay(graph):
    assert StreamNetwork(graph, RATE).latency == 2 * HOP - 1
    # The resamplers reach 32 samples at 16 kHz to either side of one, each.
    assert StreamNetwork(graph, 48_000).latency == pytest.approx(3 * (2 * HOP + 2 * 32), abs=4)


@pytest.mark.parametrize(("rate", "unseen"), [(RATE, 0), (8_000, 2), (44_100, 9), (48_000, 9)])
def test_the_latency_told_is_reached(graph, rate, unseen):
    # The outermost taps of the resamplers are next to nothing.
    processor = StreamNetwork(graph, rate)
    latency, period = processor.latency, processor.block_period
    origin = (latency // period + 2) * period
    audio = 0.1 * np.random.default_rng(0).standard_normal((1, origin + 3 * period)).astype(np.float32)
    plain, ahead = run(processor, audio), []
    for place in range(origin + max(0, period - 60), origin + period):
        changed = audio.copy()
        changed[:, place:] = 1e3
        ahead.append(place - (run(processor, changed) != plain).any(axis=0).argmax())
    assert latency - unseen <= max(ahead) <= latency


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_other_rates_are_in_step_up_to_the_band_of_both(graph, rate):
    # So quiet that the network is a gain of 2.
    time = np.arange(rate) / rate
    tones = [1e-4 * np.sin(2 * np.pi * frequency * time) for frequency in (100, 1_000, 0.4 * min(rate, RATE))]
    audio = np.array(tones, np.float32)
    found = run(StreamNetwork(graph, rate, 3), audio)
    inner = slice(rate // 10, -rate // 10)
    assert_allclose(found[:, inner], 2 * audio[:, inner], atol=2e-6)


def test_what_lies_above_the_band_of_the_network_is_lost(graph):
    time = np.arange(48_000) / 48_000
    audio = np.float32(1e-4 * np.sin(2 * np.pi * 10_000 * time))[None]
    assert np.abs(run(StreamNetwork(graph, 48_000), audio)[:, 4_800:-4_800]).max() < 2e-7


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_what_is_told_complete_is_what_comes(graph, rate):
    processor, received, returned = StreamNetwork(graph, rate), 0, 0
    for size in np.random.default_rng(0).integers(1, 300, 60):
        received += int(size)
        returned += processor.process(np.ones((1, size), np.float32)).shape[1]
        assert returned == processor.complete_after(received)
    counts = np.arange(0, 2_000, 7)
    assert list(processor.complete_after(counts)) == [processor.complete_after(int(count)) for count in counts]


class Broken:
    """A session that gives NaN where a channel is loud, and else what it was given."""

    def run(self, _, feeds):
        audio = feeds["audio"]
        loud = (np.abs(audio).max(axis=1) > 0.5)[:, None]
        last = np.where(loud, np.nan, audio[:, -HOP:])
        delayed = np.concatenate((feeds["state_0"], audio), axis=1)[:, : audio.shape[1]]
        found = np.where(loud, np.float32(np.nan), delayed).astype(np.float32)
        return [found, last.astype(np.float32), feeds["state_1"]]


def test_what_comes_back_not_finite_is_left_as_it_was(graph):
    object.__setattr__(graph, "session", Broken())
    audio = np.full((2, 800), 0.1, np.float32)
    audio[0, 200:400] = 0.9
    found = run(StreamNetwork(graph, RATE, 2), audio, HOP)
    assert np.isfinite(found).all()
    assert_allclose(found[1], audio[1])
    assert_allclose(found[0, :160], audio[0, :160])
    assert_allclose(found[0, 200:360], audio[0, 200:360])
    assert_allclose(found[0, 480:], audio[0, 480:])


def test_a_network_that_fails_or_gives_another_size(graph):
    class Failing:
        def run(self, *_):
            raise RuntimeError("bad\nshape")

    class Short:
        def run(self, _, feeds):
            return [feeds["audio"][:, :-1], feeds["state_0"], feeds["state_1"]]

    object.__setattr__(graph, "session", Failing())
    with pytest.raises(ModelError, match="the model s fails on 80 samples: bad shape"):
        StreamNetwork(graph, RATE).process(np.ones((1, 100), np.float32))
    object.__setattr__(graph, "session", Short())
    with pytest.raises(ModelError, match=r"the model s gives enhanced \[1, 79\] where \[1, 80\] was wanted"):
        StreamNetwork(graph, RATE).process(np.ones((1, 100), np.float32))


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (("state_0",), "has no input state_0: export it again"),
        (("state_0", "state_1"), "has no input state_0, state_1"),
        (("next_1",), "has no output next_1"),
    ],
)
def test_states_that_are_missing(tmp_path, left_out, said):
    assert said in refusal(save(stream_model(leave_out=left_out), tmp_path / "x.onnx"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": "unmuffle-stream-2"}, "has the format unmuffle-stream-2; of networks with states"),
        ({"format": None}, "has states, but does not tell its format"),
        ({"sample_rate": None}, "sample_rate is None in its metadata; it must be 8000 to 192000"),
        ({"sample_rate": "4000"}, "sample_rate is '4000' in its metadata"),
        ({"hop": "0"}, "hop is '0' in its metadata; it must be 1 to 16000"),
        ({"delay": "soon"}, "delay is 'soon' in its metadata"),
    ],
)
def test_metadata_that_are_missing_or_out_of_range(tmp_path, changed, said):
    metadata = {key: value for key, value in (STREAM_METADATA | changed).items() if value is not None}
    assert said in refusal(save(stream_model(metadata), tmp_path / "x.onnx"))


def test_a_state_with_a_size_that_changes(tmp_path):
    model = stream_model()
    model.graph.input[1].type.tensor_type.shape.dim[1].dim_param = "n"
    assert "must both be ['streams', ...] with fixed sizes" in refusal(save(model, tmp_path / "x.onnx"))


def test_a_hop_that_is_not_that_of_the_graph(tmp_path):
    path = save(stream_model(STREAM_METADATA | {"hop": "30"}), tmp_path / "x.onnx")
    with pytest.raises(ModelError, match="the model x fails on 90 samples"):
        unmuffle.enhance(np.ones(100, np.float32), RATE, model=path)


def refusal(path):
    with pytest.raises(ModelError) as caught:
        network_processor(find_model(path), RATE)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message
