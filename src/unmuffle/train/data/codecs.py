"""Speech through real codecs: encoded to packets and decoded again, in step with what went in.

The codecs are those that PyAV's FFmpeg and libsndfile carry: Opus, MP3, AAC, G.722, AMR-NB, GSM 06.10, and G.711's mu-
and A-law. A codec's delay is found once a process by sending a voice-like sound through it, since it
differs between builds.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.resample import resample
from unmuffle.train.data.filters import Clip

PCM_FRAME = 4_096
PROBE_S, PROBE_PEAK = 0.6, 0.4
BAND_HZ, LOST_DB, HEARD = 250.0, -15.0, 1e-7


@dataclass(frozen=True)
class Codec:
    """A codec and what it is used at.

    Attributes
    ----------
    encoder, decoder : str
        FFmpeg's names.
    sample_format : str
        What the encoder takes.
    bit_rates : dict
        Least and most bits a second by sample rate in Hz; 0 where the codec has no choice.
    options : dict
        For the encoder: speed before quality.
    delay : int, optional
        Samples that its standard tells, where the output is too unlike the input to be aligned by likeness.
    """

    encoder: str
    decoder: str
    sample_format: str
    bit_rates: dict[int, tuple[int, int]]
    options: dict[str, str] = field(default_factory=dict)
    delay: int | None = None


@dataclass(frozen=True)
class Coding:
    """A codec's name with the rate in Hz it runs at and its bits a second."""

    codec: str
    rate: int
    bit_rate: int


FIXED = (0, 0)
CODECS = {
    "opus": Codec(
        "libopus", "libopus", "flt",
        {8_000: (6_000, 12_000), 16_000: (8_000, 24_000), 24_000: (10_000, 32_000), 48_000: (14_000, 48_000)},
        {"compression_level": "2"},
    ),
    "mp3": Codec(
        "libmp3lame", "mp3float", "fltp",
        {16_000: (12_000, 32_000), 24_000: (24_000, 48_000), 48_000: (40_000, 96_000)}, {"compression_level": "7"},
    ),
    "aac": Codec(
        "aac", "aac", "fltp", {16_000: (12_000, 32_000), 24_000: (16_000, 48_000), 48_000: (32_000, 96_000)},
        {"aac_coder": "fast"},
    ),
    "g722": Codec("g722", "g722", "s16", {16_000: FIXED}),
    "amr_nb": Codec("libopencore_amrnb", "amrnb", "s16", {8_000: (4_750, 12_200)}, delay=40),
    "gsm": Codec("", "", "", {8_000: FIXED}),
    "mu_law": Codec("pcm_mulaw", "pcm_mulaw", "s16", {8_000: FIXED}),
    "a_law": Codec("pcm_alaw", "pcm_alaw", "s16", {8_000: FIXED}),
}  # fmt: skip
AMR_BIT_RATES = (4_750, 5_150, 5_900, 6_700, 7_400, 7_950, 10_200, 12_200)


def draw_coding(random: np.random.Generator, names: Sequence[str], rate: int) -> Coding:
    """Draw one of the codecs, a rate of its own up to ``rate`` in Hz, and a bit rate, even on a logarithmic scale.

    Raises
    ------
    InvalidParameterError
        If a name is not that of a codec.
    """
    check_codecs(names)
    name = names[int(random.integers(len(names)))]
    offered = [own for own in CODECS[name].bit_rates if own <= rate]
    own = offered[int(random.integers(len(offered)))]
    least, most = CODECS[name].bit_rates[own]
    drawn = random.random()
    if name == "amr_nb":
        return Coding(name, own, AMR_BIT_RATES[int(drawn * len(AMR_BIT_RATES))])
    return Coding(name, own, round(least * (most / least) ** drawn) if least else 0)


def check_codecs(names: Sequence[str]) -> None:
    """Raise ``InvalidParameterError`` for a name that is not a codec's, or for no name at all."""
    unknown = sorted(set(names) - set(CODECS))
    if unknown or not names:
        raise InvalidParameterError(
            f"mix.codecs names {', '.join(unknown) or 'none'}; there are {', '.join(sorted(CODECS))}"
        )


def through_codec(clip: Clip, rate: int, coding: Coding) -> Clip:
    """Return a clip [samples] coded and decoded, as long as before and in step with it."""
    decoded, late = _round_trip(_resampled(clip, rate, coding.rate), coding), delay(coding.codec, coding.rate)
    decoded = decoded[late:] if late >= 0 else np.concatenate([np.zeros(-late, np.float32), decoded])
    heard = _resampled(decoded, coding.rate, rate)[: clip.size]
    return np.clip(np.pad(heard, (0, clip.size - heard.size)), -1, 1)


def band_kept_hz(before: Clip, after: Clip, rate: int, coding: Coding) -> float:
    """Return up to which frequency in Hz a codec kept a clip: above, all bands are 15 dB below what they were or more.

    What a codec has no band for, nobody can bring back, so that no target should ask for it.
    """
    top_hz = min(coding.rate, rate) / 2
    starts = np.searchsorted(np.fft.rfftfreq(before.size, 1 / rate), np.arange(0, top_hz, BAND_HZ))
    was, became = (np.add.reduceat(np.abs(rfft(clip)) ** 2, starts) for clip in (before, after))
    # A band in which there was nothing to lose says nothing.
    heard = was > HEARD * was.max()
    kept = heard & (became > was * 10 ** (LOST_DB / 10))
    lost = heard & ~kept
    last = int(np.flatnonzero(kept)[-1]) if kept.any() else was.size
    return float((last + 1) * BAND_HZ) if lost[last + 1 :].any() else top_hz


@lru_cache(maxsize=64)
def delay(name: str, rate: int) -> int:
    """Return by how many samples at the codec's rate its output is late; below 0, by how many it is early."""
    if (told := CODECS[name].delay) is not None:
        return told
    probe = _probe(rate)
    # The widest of the bit rates, since the delay is the same at all.
    decoded = _round_trip(probe, Coding(name, rate, CODECS[name].bit_rates[rate][1]))
    size = next_fast_len(probe.size + decoded.size, real=True)
    likeness = irfft(rfft(decoded, size) * np.conj(rfft(probe, size)), size)
    late = int(np.argmax(likeness))
    return late if late < size // 2 else late - size


def _probe(rate: int) -> Clip:
    """Glottal pulses that glide from 90 to 180 Hz: codecs that model speech follow a voice best."""
    time_s = np.arange(int(PROBE_S * rate)) / rate
    cycles = 90 * time_s + 45 * time_s**2 / PROBE_S
    tones = [np.sin(2 * np.pi * order * cycles) / order for order in range(2, 17)]
    voice = np.sum(tones, axis=0) * np.sin(np.pi * time_s / PROBE_S)
    return np.asarray(PROBE_PEAK * voice / np.abs(voice).max(), np.float32)


def _resampled(clip: Clip, rate: int, to: int) -> Clip:
    return clip if rate == to else resample(clip, rate, to, "MQ")[0]


def _round_trip(clip: Clip, coding: Coding) -> Clip:
    """Encode and decode a clip at the codec's rate, its delay and padding still there."""
    if coding.codec == "gsm":
        return _through_gsm(clip, coding.rate)
    decoded, rate = _through_ffmpeg(clip, coding)
    return _resampled(decoded, rate, coding.rate)


def _through_gsm(clip: Clip, rate: int) -> Clip:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, clip, rate, format="WAV", subtype="GSM610")
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0], np.float32)


def _through_ffmpeg(clip: Clip, coding: Coding) -> tuple[Clip, int]:
    """Return what the decoder gives, and its rate in Hz, which for Opus is always 48,000."""
    import av

    codec = CODECS[coding.codec]
    encoder: Any = av.CodecContext.create(codec.encoder, "w")
    encoder.sample_rate, encoder.layout, encoder.format = coding.rate, "mono", codec.sample_format
    encoder.options = codec.options
    if coding.bit_rate:
        encoder.bit_rate = coding.bit_rate
    encoder.open()
    samples = clip if codec.sample_format != "s16" else np.rint(np.clip(clip, -1, 1) * 32_767).astype(np.int16)
    packets: list[Any] = []
    step = encoder.frame_size or PCM_FRAME
    for start in range(0, samples.size, step):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + step], codec.sample_format, "mono")
        frame.sample_rate = coding.rate
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoder: Any = av.CodecContext.create(codec.decoder, "r")
    decoder.sample_rate, decoder.layout = coding.rate, "mono"
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    pieces = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    scale = np.float32(1 / 32_768) if pieces.dtype == np.int16 else np.float32(1)
    return pieces.astype(np.float32) * scale, int(decoder.sample_rate)
