"""Measures of recordings."""

from unmuffle.measure.reference.alignment import Alignment, Delay, align, estimate_delay
from unmuffle.measure.reference.cepstral_distance import cepstral_distance_db
from unmuffle.measure.reference.composite_ratings import Composite, composite
from unmuffle.measure.reference.frequency_weighted_snr import frequency_weighted_segmental_snr_db
from unmuffle.measure.reference.intelligibility import estoi, stoi
from unmuffle.measure.reference.likelihood_ratio import log_likelihood_ratio
from unmuffle.measure.reference.perceptual_quality import pesq_narrowband, pesq_wideband
from unmuffle.measure.reference.plain_snr import snr_db
from unmuffle.measure.reference.scorecard import REFERENCE_MEASURES, score
from unmuffle.measure.reference.segmental_snr import segmental_snr_db
from unmuffle.measure.reference.si_sdr import si_sdr_db
from unmuffle.measure.reference.spectral_distance import log_spectral_distance_db
from unmuffle.measure.reference.spectral_slope import weighted_spectral_slope
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.scores import Measure, Score
from unmuffle.measure.single.bandwidth import Bandwidth, BandwidthMeter, detect_bandwidth
from unmuffle.measure.single.blind_scores import BLIND_MEASURES, score_blind
from unmuffle.measure.single.clipping import ChannelClipping, Clipping, ClippingMeter, measure_clipping
from unmuffle.measure.single.dc import DcMeter, dc_offset
from unmuffle.measure.single.dnsmos import Dnsmos, dnsmos
from unmuffle.measure.single.dynamics import Dynamics, DynamicsMeter, crest_factor_db
from unmuffle.measure.single.hum import Hum, HumLine, HumMeter, detect_hum
from unmuffle.measure.single.recording import RecordingAnalyzer, RecordingReport, describe_recording
from unmuffle.measure.single.reverberation import ModulationSpectrum, modulation_spectrum, srmr
from unmuffle.measure.single.silence import Silence, SilenceMeter, detect_silence
from unmuffle.measure.single.snr import SnrEstimate, SnrMeter, estimate_snr
from unmuffle.measure.single.spectral_features import SpectralFeatures, spectral_features
from unmuffle.measure.spectra import (
    FigureLook,
    GainMap,
    Spectrogram,
    SpectrumAnalysis,
    SpectrumComparison,
    SpectrumMeter,
    Tone,
    analyze_spectrum,
    compare_spectra,
    figure_of,
    gain_map,
    save_figure,
    spectrogram,
    spectrogram_png,
)

__all__ = [
    "BLIND_MEASURES",
    "REFERENCE_MEASURES",
    "UNPROCESSED",
    "Alignment",
    "Bandwidth",
    "BandwidthMeter",
    "ChannelClipping",
    "ClipResult",
    "Clipping",
    "ClippingMeter",
    "Composite",
    "DcMeter",
    "Delay",
    "Dnsmos",
    "Dynamics",
    "DynamicsMeter",
    "FigureLook",
    "GainMap",
    "Hum",
    "HumLine",
    "HumMeter",
    "Measure",
    "ModulationSpectrum",
    "RecordingAnalyzer",
    "RecordingReport",
    "Results",
    "Score",
    "Silence",
    "SilenceMeter",
    "SnrEstimate",
    "SnrMeter",
    "SpectralFeatures",
    "Spectrogram",
    "SpectrumAnalysis",
    "SpectrumComparison",
    "SpectrumMeter",
    "Tone",
    "align",
    "analyze_spectrum",
    "cepstral_distance_db",
    "compare_spectra",
    "composite",
    "crest_factor_db",
    "dc_offset",
    "describe_recording",
    "detect_bandwidth",
    "detect_hum",
    "detect_silence",
    "dnsmos",
    "estimate_delay",
    "estimate_snr",
    "estoi",
    "figure_of",
    "frequency_weighted_segmental_snr_db",
    "gain_map",
    "log_likelihood_ratio",
    "log_spectral_distance_db",
    "measure_clipping",
    "modulation_spectrum",
    "pesq_narrowband",
    "pesq_wideband",
    "save_figure",
    "score",
    "score_blind",
    "segmental_snr_db",
    "si_sdr_db",
    "snr_db",
    "spectral_features",
    "spectrogram",
    "spectrogram_png",
    "srmr",
    "stoi",
    "weighted_spectral_slope",
]
