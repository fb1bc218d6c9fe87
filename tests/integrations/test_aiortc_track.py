"""The track in aiortc itself, alone and in a call between two connections on this machine."""

from __future__ import annotations

import asyncio
import fractions
import logging
import time

import av
import numpy as np
import pytest
from frames_of_calls import cut, load, longest_stop_of_the_loop, run, tone

import unmuffle
from unmuffle.errors import InvalidParameterError

aiortc = load("aiortc")
MediaStreamError = load("aiortc.mediastreams").MediaStreamError
EnhancedTrack = load("unmuffle.integrations.aiortc_track").EnhancedTrack


class Played(aiortc.MediaStreamTrack):
    """Frames of an array, int16 [channels, n], as fast as they are asked for or in real time."""

    kind = "audio"

    def __init__(self, audio, rate, size, *, form="s16", paced=False):
        super().__init__()
        self._frames = iter(cut(audio, size))
        self._rate, self._size, self._form, self._paced = rate, size, form, paced
        self._count, self._begun = 0, None

    async def recv(self):
        piece = next(self._frames, None)
        if piece is None:
            self.stop()
            raise MediaStreamError
        if self._paced:
            self._begun = time.monotonic() if self._begun is None else self._begun
            await asyncio.sleep(max(0.0, self._begun + self._count / self._rate - time.monotonic()))
        layout = "stereo" if len(piece) == 2 else "mono"
        values = piece if self._form.endswith("p") else piece.T.reshape(1, -1)
        if self._form.startswith("flt"):
            values = (values / 32768).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), self._form, layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._count, fractions.Fraction(1, self._rate)
        self._count += piece.shape[1]
        return frame


async def everything(track):
    frames = []
    while True:
        try:
            frames.append(await track.recv())
        except MediaStreamError:
            return frames


def samples_of(frames):
    blocks = []
    for frame in frames:
        values = frame.to_ndarray()
        if not frame.format.is_planar:
            values = values.reshape(-1, frame.layout.nb_channels).T
        blocks.append(values)
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize(("form", "channels"), [("s16", 1), ("s16", 2), ("s16p", 2), ("fltp", 1), ("flt", 2)])
def test_frames_are_enhanced_and_stay_what_they_are(noisy_speech, form, channels):
    given = np.rint(noisy_speech(48_000, 1.0, channels) * 32768).astype(np.int16)
    made = []

    async def work():
        track = EnhancedTrack(Played(given, 48_000, 960, form=form), method="wiener", on_overload="keep")
        made.append(track)
        return await everything(track)

    frames = run(work)
    assert [frame.pts for frame in frames] == list(range(0, 48_000, 960))
    assert {(f.format.name, f.layout.nb_channels, f.sample_rate, f.time_base) for f in frames} == {
        (form, channels, 48_000, fractions.Fraction(1, 48_000))
    }
    heard = samples_of(frames) * (32768 if form.startswith("flt") else 1)
    delay = 1_535
    whole = unmuffle.enhance(given, 48_000, method="wiener").astype(float)
    assert np.abs(heard[:, delay:] - whole[:, :-delay]).max() < 2
    assert made[0].readyState == "ended"


def test_the_end_of_the_other_track_ends_this_one_and_back():
    async def work():
        source = Played(tone(16_000, 0.1), 16_000, 160)
        track = EnhancedTrack(source)
        assert track.readyState == "live"
        track.stop()
        assert source.readyState == "ended"
        with pytest.raises(MediaStreamError):
            await track.recv()
        short = EnhancedTrack(Played(tone(16_000, 0.02), 16_000, 160))
        assert len(await everything(short)) == 2
        with pytest.raises(MediaStreamError):
            await short.recv()

    run(work)


def test_nothing_is_raised_whatever_fails(monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError("by the test")

    async def work():
        track = EnhancedTrack(Played(given, 16_000, 160))
        monkeypatch.setattr(unmuffle.EnhancerStream, "process", fail)
        return await everything(track)

    given = tone(16_000, 0.1)
    assert np.array_equal(samples_of(run(work)), given)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_off_on_and_strength_change_in_a_call():
    given = tone(16_000, 1.0)

    async def work():
        track = EnhancedTrack(Played(given, 16_000, 160), strength=0.3)
        assert (track.strength, track.enabled) == (0.3, True)
        track.enabled = False
        heard = await everything(track)
        track.strength = 0.7
        assert track.strength == 0.7
        with pytest.raises(InvalidParameterError):
            track.strength = 2.0
        return heard

    heard = samples_of(run(work))
    assert np.array_equal(heard[:, 511:], given[:, :-511])


def test_the_event_loop_goes_on(monkeypatch):
    real = unmuffle.EnhancerStream.process

    def slow(self, block):
        time.sleep(0.4)
        return real(self, block)

    async def work():
        track = EnhancedTrack(Played(tone(16_000, 0.06), 16_000, 320), method="wiener")
        monkeypatch.setattr(unmuffle.EnhancerStream, "process", slow)
        return await longest_stop_of_the_loop(everything(track))

    assert run(work) < 0.35


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_in_a_call_the_other_end_hears_the_enhanced_voice():
    """Two connections on this machine, Opus and all: noise is sent, and comes quieter through the track."""
    noise = np.rint(np.random.default_rng(0).standard_normal((1, 48_000 * 4)) * 1_000).astype(np.int16)

    async def call(wrap):
        here, there = aiortc.RTCPeerConnection(), aiortc.RTCPeerConnection()
        arrived = asyncio.get_running_loop().create_future()
        there.on("track", lambda track: arrived.set_result(track))
        here.addTrack(wrap(Played(noise, 48_000, 960, paced=True)))
        await here.setLocalDescription(await here.createOffer())
        await there.setRemoteDescription(here.localDescription)
        await there.setLocalDescription(await there.createAnswer())
        await here.setRemoteDescription(there.localDescription)
        track = await arrived
        frames = [await track.recv() for _ in range(100)]
        await here.close()
        await there.close()
        return samples_of(frames)[:, 48_000:]

    plain = run(lambda: call(lambda track: track))
    enhanced = run(lambda: call(lambda track: EnhancedTrack(track, on_overload="keep")))
    assert plain.std() > 300
    assert enhanced.std() < 0.5 * plain.std()
