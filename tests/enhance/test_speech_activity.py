"""What the network tells of speech: the same for an array as for a stream, and what its heads say."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle
from small_models import frames_model, save, save_card, waveform_model
from unmuffle.errors import InvalidAudioError, InvalidParameterError, ModelError

RATE = 16_000
HOP = 256


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save(frames_model(), tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture
def audio(noisy_speech):
    """So loud that the heads of the small model move over their range."""
    return 30 * noisy_speech(RATE, 1.0, 2).astype(np.float32)[:, :15_000]


def heads_of(samples):
    """Presence and local SNR of ``frames_model``, frame by frame, by the books."""
    window = np.sin(np.pi * (np.arange(2 * HOP) + 0.5) / (2 * HOP))
    frames = -(-len(samples) // HOP)
    padded = np.concatenate((np.zeros(HOP), samples, np.zeros(frames * HOP - len(samples))))
    state, told = 0.0, []
    for frame in range(frames):
        spectrum = np.fft.rfft(window * padded[frame * HOP : (frame + 2) * HOP]) / HOP
        state = 0.9 * state + (np.abs(spectrum) ** 2).sum() / 769
        told.append((1 / (1 + np.exp(-state)), -10 + 40 * state / (1 + state)))
    return np.array(told).T


def test_heads_are_told_of_every_frame(model, audio):
    found = unmuffle.speech_activity(audio, RATE, model=model)
    assert found.presence.shape == found.local_snr_db.shape == (2, 59)
    np.testing.assert_allclose(found.times_s, np.arange(59) * 0.016)
    for channel in range(2):
        presence, local_snr_db = heads_of(audio[channel])
        np.testing.assert_allclose(found.presence[channel], presence, atol=1e-5)
        np.testing.assert_allclose(found.local_snr_db[channel], local_snr_db, atol=1e-3)
    assert np.ptp(found.local_snr_db) > 1.0


def test_one_dimension_in_one_dimension_out(model, audio):
    both, alone = (unmuffle.speech_activity(given, RATE, model=model) for given in (audio, audio[1]))
    assert alone.presence.shape == (59,)
    np.testing.assert_allclose(alone.presence, both.presence[1], atol=1e-6)
    quieter = audio[1] / 64
    as_integers = unmuffle.speech_activity((quieter * 2**31).astype(np.int32), RATE, model=model)
    wanted = unmuffle.speech_activity(quieter, RATE, model=model)
    np.testing.assert_allclose(as_integers.presence, wanted.presence, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"strength": 0.5}, {"link_channels": True}])
def test_a_stream_tells_the_same_as_it_goes(model, audio, settings):
    whole = unmuffle.speech_activity(audio, RATE, model=model)
    stream = unmuffle.open_stream(RATE, 2, HOP, model=model, **{"link_channels": False, **settings})
    assert np.isnan(stream.speech_presence).all()
    assert np.isnan(stream.local_snr_db).all()
    for frame in range(15_000 // HOP):
        stream.process(audio[:, frame * HOP : (frame + 1) * HOP])
        np.testing.assert_allclose(stream.speech_presence, whole.presence[:, frame], atol=1e-5)
        np.testing.assert_allclose(stream.local_snr_db, whole.local_snr_db[:, frame], atol=1e-4)


def test_a_reset_channel_has_heard_nothing(model, audio):
    stream = unmuffle.open_stream(RATE, 2, model=model, link_channels=False)
    stream.process(audio)
    stream.reset(np.array([False, True]))
    assert np.isnan(stream.speech_presence).tolist() == [False, True]
    stream.process(audio)
    assert np.isfinite(stream.speech_presence).all()
    stream.flush()
    assert np.isnan(stream.local_snr_db).all()


def test_no_network_tells_nothing(audio):
    stream = unmuffle.open_stream(RATE, 2, method="log_mmse")
    stream.process(audio)
    assert stream.speech_presence is stream.local_snr_db is None


def test_the_default_model_is_asked(tmp_path, monkeypatch, audio, model):
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", tmp_path)
    with pytest.raises(ModelError, match="no model came with this installation: give model="):
        unmuffle.speech_activity(audio, RATE)
    save_card(save(frames_model(), tmp_path / "small.onnx"), default=True)
    found, wanted = unmuffle.speech_activity(audio, RATE), unmuffle.speech_activity(audio, RATE, model=model)
    np.testing.assert_array_equal(found.presence, wanted.presence)


def test_what_cannot_be_told_is_refused(tmp_path, model, audio):
    with pytest.raises(ModelError, match="takes waveforms and tells nothing of speech"):
        unmuffle.speech_activity(audio, RATE, model=save(waveform_model(), tmp_path / "wave.onnx"))
    with pytest.raises(InvalidAudioError, match="1 NaN or infinite"):
        unmuffle.speech_activity([0.0, np.nan, 0.0], RATE, model=model)
    with pytest.raises(InvalidParameterError, match="sample_rate is 4000"):
        unmuffle.speech_activity(audio, 4_000, model=model)
