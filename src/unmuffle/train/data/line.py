"""From the room to the file: microphone, band limit, clipping, level, codec, lost packets, 16 bits.

What is linear happens to the target too, so that no network is asked for a band that is not there; what is not linear
happens to the noisy clip alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unmuffle.train.data.codecs import band_kept_hz, draw_coding, through_codec
from unmuffle.train.data.filters import SILENT, Clip, apply_gain, band_limit, random_colour, rms
from unmuffle.train.data.packet_loss import lose_packets
from unmuffle.train.data.settings import MixSettings

TELEPHONE_HZ = (300.0, 3_400.0)
TOPS_HZ = (4_000.0, 6_000.0, 8_000.0, 11_025.0, 12_000.0, 16_000.0)
TELEPHONE_SHARE = 0.25
FULL_BAND_RATE = 48_000
RESAMPLED_TOP_HZ = 22_050.0
RESAMPLED_FROM_HZ = 9_000.0
RESAMPLED_EDGE = (0.005, 0.05)
CLIP_LEVEL = (0.3, 0.9)
FULL = 0.99


def through_microphone(
    random: np.random.Generator, noisy: Clip, target: Clip, rate: int, now: MixSettings
) -> tuple[Clip, Clip]:
    """Pass both through one microphone and band limit, and clip the noisy one at times."""
    gain = np.ones(noisy.size // 2 + 1, np.float32)
    if random.random() < now.microphone_share:
        gain = gain * random_colour(random, noisy.size, rate, 5.0)
    if random.random() < now.band_limit_share:
        gain = gain * _limits(random, noisy.size, rate)
    if rate == FULL_BAND_RATE and now.resampled_share and random.random() < now.resampled_share:
        gain = gain * _resampled(random, noisy.size, rate)
    if gain.min() < 1 or gain.max() > 1:
        noisy, target = apply_gain(noisy, gain), apply_gain(target, gain)
    if random.random() < now.clip_share:
        peak = np.abs(noisy).max() * np.float32(random.uniform(*CLIP_LEVEL))
        noisy = np.clip(noisy, -peak, peak)
    return noisy, target


def recorded(random: np.random.Generator, noisy: Clip, target: Clip, rate: int, now: MixSettings) -> tuple[Clip, Clip]:
    """Bring both to a random level, and send the noisy one through a codec, a lossy line and 16 bits at times."""
    wanted_db = random.uniform(*now.level_db)
    peak = max(float(np.abs(noisy).max()), SILENT)
    factor = np.float32(min(10 ** (wanted_db / 20) / max(rms(noisy), SILENT), FULL / peak))
    noisy, target = noisy * factor, target * factor
    # A share of 0 draws nothing: items stay what they were before there were codecs.
    if now.codec_share and random.random() < now.codec_share:
        noisy, target = _coded(random, noisy, target, rate, now.codecs)
    if now.packet_loss_share and random.random() < now.packet_loss_share:
        noisy = lose_packets(random, noisy, rate)
    if random.random() < now.sixteen_bit_share:
        noisy = np.rint(noisy * np.float32(32_768)) / np.float32(32_768)
    return noisy, target


def _limits(random: np.random.Generator, samples: int, rate: int) -> NDArray[np.float32]:
    if random.random() < TELEPHONE_SHARE:
        return band_limit(samples, rate, *TELEPHONE_HZ)
    return band_limit(samples, rate, 0.0, float(random.choice([hz for hz in TOPS_HZ if hz < rate / 2])))


def _resampled(random: np.random.Generator, samples: int, rate: int) -> NDArray[np.float32]:
    """The band of a file of 44.1 kHz, or as sharply of any other rate.

    Most recordings of speech at 48 kHz were made at 44.1 kHz, and many of noise were not: without this, networks learn
    that what ends at 22.05 kHz is speech, and leave all noise in files of 44.1 kHz.
    """
    top_hz = RESAMPLED_TOP_HZ if random.random() < 0.5 else float(random.uniform(RESAMPLED_FROM_HZ, rate / 2))
    return band_limit(samples, rate, 0.0, top_hz, float(random.uniform(*RESAMPLED_EDGE)))


def _coded(
    random: np.random.Generator, noisy: Clip, target: Clip, rate: int, codecs: tuple[str, ...]
) -> tuple[Clip, Clip]:
    """Return the noisy clip as the codec gives it back, and the target without the band that the codec gave up."""
    coding = draw_coding(random, codecs, rate)
    coded = through_codec(noisy, rate, coding)
    top_hz = band_kept_hz(noisy, coded, rate, coding)
    return coded, apply_gain(target, band_limit(target.size, rate, 0.0, top_hz)) if top_hz < rate / 2 else target
