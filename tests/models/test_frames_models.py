"""A model of frames, run by the suppressor: its gains, its states, its heads."""

from __future__ import annotations

import numpy as np
import pytest

from small_models import frames_model, reference_gains, save
from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors.network import NetworkSuppressor
from unmuffle.models import find_model
from unmuffle.models.frames import frames_graph
from unmuffle.models.session import load_model
from unmuffle.signal.grid import grid_for


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return frames_graph(load_model(find_model(save(frames_model(), tmp_path_factory.mktemp("m") / "small.onnx"))))


def started(graph, rate=48_000, channels=1):
    suppressor = NetworkSuppressor(graph)
    suppressor.start(grid_for(rate), channels)
    return suppressor


def spectra_of(rate, frames, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    shape = (frames, channels, grid_for(rate).bins)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64) * np.float32(20.0)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_gains_are_those_of_the_graph_at_every_rate(graph, rate):
    grid, spectra = grid_for(rate), spectra_of(rate, 12)
    known = min(grid.bins, 769)
    padded = np.zeros((12, 769), np.complex128)
    padded[:, :known] = spectra[:, 0, :known] / grid.hop
    wanted = reference_gains(padded)
    found = started(graph, rate).gains(spectra)
    assert found.shape == spectra.shape
    np.testing.assert_allclose(found[:, 0, :known], wanted[:, :known], atol=1e-5)
    np.testing.assert_array_equal(found[:, 0, known:], np.repeat(found[:, 0, known - 1 : known], grid.bins - known, 1))


@pytest.mark.parametrize("cuts", [[1] * 12, [5, 1, 6], [3, 9]])
def test_frames_may_come_in_any_number(graph, cuts):
    spectra = spectra_of(48_000, 12, channels=3)
    whole = started(graph, channels=3).gains(spectra).copy()
    suppressor = started(graph, channels=3)
    pieces = [suppressor.gains(piece).copy() for piece in np.split(spectra, np.cumsum(cuts)[:-1])]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_more_frames_than_there_is_room_for(graph):
    spectra = spectra_of(16_000, 150)
    whole = started(graph, 16_000).gains(spectra).copy()
    suppressor = started(graph, 16_000)
    pieces = [suppressor.gains(piece).copy() for piece in np.array_split(spectra, 9)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


@pytest.mark.parametrize("channels", [4, 32, 33, 67])
def test_channels_do_not_hear_each_other(graph, channels):
    spectra = spectra_of(48_000, 4, channels=channels)
    suppressor = started(graph, channels=channels)
    together = np.concatenate([suppressor.gains(piece).copy() for piece in np.split(spectra, [1, 2])])
    for channel in range(channels):
        alone = started(graph).gains(spectra[:, channel : channel + 1])
        np.testing.assert_allclose(together[:, channel], alone[:, 0], atol=1e-6)


@pytest.mark.parametrize("mask", [[True, False, False], [False, True, True], [True, True, True]])
def test_a_reset_clears_the_states_of_the_chosen_channels(graph, mask):
    first, second = spectra_of(48_000, 5, 3), spectra_of(48_000, 5, 3, seed=1)
    going_on, suppressor = started(graph, channels=3), started(graph, channels=3)
    for one in (going_on, suppressor):
        one.gains(first)
    suppressor.reset(np.array(mask))
    found, kept = suppressor.gains(second), going_on.gains(second)
    new = started(graph, channels=3).gains(second)
    for channel, chosen in enumerate(mask):
        np.testing.assert_allclose(found[:, channel], (new if chosen else kept)[:, channel], atol=1e-6)
    assert np.abs(new - kept).max() > 1e-3


def test_presence_and_local_snr_are_those_of_the_heads(graph):
    suppressor, spectra = started(graph, 16_000, 2), spectra_of(16_000, 4, 2)
    suppressor.gains(spectra)
    mean = np.zeros((4, 2, 769))
    mean[..., : spectra.shape[-1]] = np.abs(spectra / 256) ** 2
    frame, frames = np.zeros(2), []
    for now in mean.mean(-1):
        frame = 0.9 * frame + now
        frames.append(frame)
    frames = np.array(frames)
    np.testing.assert_allclose(suppressor.presence, 1 / (1 + np.exp(-frames)), rtol=1e-4)
    np.testing.assert_allclose(suppressor.local_snr_db, -10 + 40 * frames / (1 + frames), rtol=1e-4)


def test_linked_channels_share_their_gains(graph):
    audio = 0.1 * np.random.default_rng(0).standard_normal((1, 8_000)).astype(np.float32)
    pair = np.concatenate((audio, 0.25 * audio))
    processor = SpectralProcessor(NetworkSuppressor(graph), 16_000, 2, link_channels=True)
    found = np.concatenate((processor.process(pair), processor.flush()), axis=1)
    np.testing.assert_allclose(found[1], 0.25 * found[0], atol=1e-6)


@pytest.mark.parametrize("gain", [float("nan"), float("inf"), 1e6])
def test_a_network_that_loses_its_footing_leaves_the_audio_alone(tmp_path, gain):
    path = save(frames_model(gain=gain), tmp_path / "wild.onnx")
    processor = SpectralProcessor(NetworkSuppressor(frames_graph(load_model(find_model(path)))), 16_000)
    audio = 0.1 * np.random.default_rng(0).standard_normal((1, 8_000)).astype(np.float32)
    found = np.concatenate((processor.process(audio), processor.flush()), axis=1)
    np.testing.assert_allclose(found, audio, atol=1e-6)
    assert (processor.suppressor.presence == 0.5).all()


def test_many_frames_come_in_one_call_and_single_ones_in_one_each(graph):
    seen = []

    class Counting(NetworkSuppressor):
        def gains(self, spectra):
            seen.append(len(spectra))
            return super().gains(spectra)

    audio = np.ones((1, 256 * 200), np.float32)
    SpectralProcessor(Counting(graph), 16_000).process(audio)
    assert max(seen) == NetworkSuppressor.frames_at_once
    seen.clear()
    processor = SpectralProcessor(Counting(graph), 16_000)
    for start in range(0, 2560, 256):
        processor.process(audio[:, start : start + 256])
    assert seen == [1] * 10
