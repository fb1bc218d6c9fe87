"""Measures of recordings."""

from unmuffle.measure.bandwidth import Bandwidth, BandwidthMeter, detect_bandwidth
from unmuffle.measure.clipping import ChannelClipping, Clipping, ClippingMeter, measure_clipping
from unmuffle.measure.dc import DcMeter, dc_offset
from unmuffle.measure.hum import Hum, HumLine, HumMeter, detect_hum
from unmuffle.measure.recording import RecordingAnalyzer, RecordingReport, describe_recording
from unmuffle.measure.silence import Silence, SilenceMeter, detect_silence
from unmuffle.measure.snr import SnrEstimate, SnrMeter, estimate_snr

__all__ = [
    "Bandwidth",
    "BandwidthMeter",
    "ChannelClipping",
    "Clipping",
    "ClippingMeter",
    "DcMeter",
    "Hum",
    "HumLine",
    "HumMeter",
    "RecordingAnalyzer",
    "RecordingReport",
    "Silence",
    "SilenceMeter",
    "SnrEstimate",
    "SnrMeter",
    "dc_offset",
    "describe_recording",
    "detect_bandwidth",
    "detect_hum",
    "detect_silence",
    "estimate_snr",
    "measure_clipping",
]
