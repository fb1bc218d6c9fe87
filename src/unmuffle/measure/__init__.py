"""Measures of recordings."""

from unmuffle.measure.alignment import Alignment, Delay, align, estimate_delay
from unmuffle.measure.bandwidth import Bandwidth, BandwidthMeter, detect_bandwidth
from unmuffle.measure.cepstral_distance import cepstral_distance_db
from unmuffle.measure.clipping import ChannelClipping, Clipping, ClippingMeter, measure_clipping
from unmuffle.measure.composite_ratings import Composite, composite
from unmuffle.measure.dc import DcMeter, dc_offset
from unmuffle.measure.frequency_weighted_snr import frequency_weighted_segmental_snr_db
from unmuffle.measure.hum import Hum, HumLine, HumMeter, detect_hum
from unmuffle.measure.intelligibility import estoi, stoi
from unmuffle.measure.likelihood_ratio import log_likelihood_ratio
from unmuffle.measure.perceptual_quality import pesq_narrowband, pesq_wideband
from unmuffle.measure.plain_snr import snr_db
from unmuffle.measure.recording import RecordingAnalyzer, RecordingReport, describe_recording
from unmuffle.measure.scorecard import MEASURES, Measure, Score, score
from unmuffle.measure.segmental_snr import segmental_snr_db
from unmuffle.measure.si_sdr import si_sdr_db
from unmuffle.measure.silence import Silence, SilenceMeter, detect_silence
from unmuffle.measure.snr import SnrEstimate, SnrMeter, estimate_snr
from unmuffle.measure.spectral_distance import log_spectral_distance_db
from unmuffle.measure.spectral_slope import weighted_spectral_slope

__all__ = [
    "MEASURES",
    "Alignment",
    "Bandwidth",
    "BandwidthMeter",
    "ChannelClipping",
    "Clipping",
    "ClippingMeter",
    "Composite",
    "DcMeter",
    "Delay",
    "Hum",
    "HumLine",
    "HumMeter",
    "Measure",
    "RecordingAnalyzer",
    "RecordingReport",
    "Score",
    "Silence",
    "SilenceMeter",
    "SnrEstimate",
    "SnrMeter",
    "align",
    "cepstral_distance_db",
    "composite",
    "dc_offset",
    "describe_recording",
    "detect_bandwidth",
    "detect_hum",
    "detect_silence",
    "estimate_delay",
    "estimate_snr",
    "estoi",
    "frequency_weighted_segmental_snr_db",
    "log_likelihood_ratio",
    "log_spectral_distance_db",
    "measure_clipping",
    "pesq_narrowband",
    "pesq_wideband",
    "score",
    "segmental_snr_db",
    "si_sdr_db",
    "snr_db",
    "stoi",
    "weighted_spectral_slope",
]
