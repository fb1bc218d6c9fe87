"""Loudness and level."""

from unmuffle.level.active_level import active_level_db
from unmuffle.level.channel_weights import weights_of_layout
from unmuffle.level.compressor import Compressor, compress
from unmuffle.level.gain import Gain, apply_gain
from unmuffle.level.gate import Gate, apply_gate
from unmuffle.level.hearing import HearingCompressor, compensate_hearing, insertion_gains_db
from unmuffle.level.k_weighting import k_weighting
from unmuffle.level.leveler import Leveler, level
from unmuffle.level.limiter import Limiter, limit
from unmuffle.level.loudness import LoudnessMeter, integrated_loudness, loudness_range
from unmuffle.level.meter import LOUDEST, Meter
from unmuffle.level.near_end import NearEndEqualizer, near_end_equalize
from unmuffle.level.normalization import normalize_loudness
from unmuffle.level.sii import speech_intelligibility_index
from unmuffle.level.speech_gate import SpeechGate
from unmuffle.level.targets import LOUDNESS_TARGETS, LoudnessTarget, loudness_target
from unmuffle.level.true_peak import TruePeakMeter, true_peak_dbtp

__all__ = [
    "LOUDEST",
    "LOUDNESS_TARGETS",
    "Compressor",
    "Gain",
    "Gate",
    "HearingCompressor",
    "Leveler",
    "Limiter",
    "LoudnessMeter",
    "LoudnessTarget",
    "Meter",
    "NearEndEqualizer",
    "SpeechGate",
    "TruePeakMeter",
    "active_level_db",
    "apply_gain",
    "apply_gate",
    "compensate_hearing",
    "compress",
    "insertion_gains_db",
    "integrated_loudness",
    "k_weighting",
    "level",
    "limit",
    "loudness_range",
    "loudness_target",
    "near_end_equalize",
    "normalize_loudness",
    "speech_intelligibility_index",
    "true_peak_dbtp",
    "weights_of_layout",
]
