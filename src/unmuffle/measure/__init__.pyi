from .assurance.assess import assess_quality
from .assurance.assessment import QualityAssessment
from .assurance.gate import QualityGate
from .assurance.history import HistoryEntry, QualityHistory
from .assurance.junit import junit_xml, write_junit
from .assurance.rules import Rule, RuleResult, Threshold
from .assurance.statistics import PairedTest, Summary, holm, paired_test, paired_tests, summarize
from .assurance.trends import (
    Change,
    aggregate_entries,
    compare_entries,
    latest_entries,
    versions_in,
    worst_entries,
)
from .assurance.verdicts import EnhancerVerdict, GateReport, Verdict
from .catalogue import MEASURES, measure_of
from .damage.border_clicks import Clicks, border_clicks
from .damage.floor_motion import FloorMotion, floor_motion, gating_db, pumping_db
from .damage.high_band_loss import HighBandLoss, high_band_loss, high_band_loss_db
from .damage.image_shift import ImageShift, image_shift, image_shift_db
from .damage.musical_noise import musical_noise
from .damage.onset_loss import onset_loss_db
from .damage.pair_spectra import PairSpectra
from .damage.scores import DAMAGE_MEASURES, artefact_score, score_damage
from .damage.spectral_distortion import spectral_distortion_db
from .damage.speech_level import speech_level_change_db
from .damage.transparency import TRANSPARENCY_MEASURES, Transparency, score_transparency, transparency
from .diagnosis import Diagnosis, Finding, diagnose, diagnose_file
from .evaluation.clips import ClipPair
from .evaluation.enhancers.contract import ClipEnhancer
from .evaluation.enhancers.registry import ENHANCER_NAMES, find_enhancer
from .evaluation.evaluate import evaluate
from .evaluation.mix_folder import write_mixes
from .evaluation.mix_plan import MixPlan
from .evaluation.mixing import mix_at_snr
from .evaluation.pairs import find_pairs
from .impact.analyzer import ImpactAnalyzer
from .impact.bootstrap import Estimate
from .impact.embedders.base import SpeakerEmbedder
from .impact.embedders.registry import find_embedder
from .impact.figure import impact_figure
from .impact.normalizer import TextNormalizer
from .impact.page import write_impact_html
from .impact.recognizers.base import Recognizer
from .impact.recognizers.registry import find_recognizer
from .impact.report import ConditionImpact, ImpactReport, StrengthImpact
from .impact.section import impact_section
from .impact.transcripts import Utterance, read_transcripts
from .impact.verdict import ImpactVerdict
from .impact.word_errors import WordErrors, count_word_errors
from .reference.alignment import Alignment, Delay, align, estimate_delay
from .reference.cepstral_distance import cepstral_distance_db
from .reference.composite_ratings import Composite, composite
from .reference.frequency_weighted_snr import frequency_weighted_segmental_snr_db
from .reference.intelligibility import estoi, stoi
from .reference.likelihood_ratio import log_likelihood_ratio
from .reference.perceptual_quality import pesq_narrowband, pesq_wideband
from .reference.plain_snr import snr_db
from .reference.scorecard import REFERENCE_MEASURES, score
from .reference.segmental_snr import segmental_snr_db
from .reference.si_sdr import si_sdr_db
from .reference.spectral_distance import log_spectral_distance_db
from .reference.spectral_slope import weighted_spectral_slope
from .results import UNPROCESSED, ClipResult, Results
from .scores import Measure, Score
from .single.bandwidth import Bandwidth, BandwidthMeter, detect_bandwidth
from .single.blind_scores import BLIND_MEASURES, score_blind
from .single.clipping import ChannelClipping, Clipping, ClippingMeter, measure_clipping
from .single.dc import DcMeter, dc_offset
from .single.dnsmos import Dnsmos, dnsmos
from .single.dynamics import Dynamics, DynamicsMeter, crest_factor_db
from .single.hum import Hum, HumLine, HumMeter, detect_hum
from .single.recording import RecordingAnalyzer, RecordingReport, describe_recording
from .single.reverberation import ModulationSpectrum, modulation_spectrum, srmr
from .single.silence import Silence, SilenceMeter, detect_silence
from .single.snr import SnrEstimate, SnrMeter, estimate_snr
from .single.spectral_features import SpectralFeatures, spectral_features
from .single.speech import SpeechMeter, SpeechShare
from .spectra import (
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
    "DAMAGE_MEASURES",
    "ENHANCER_NAMES",
    "MEASURES",
    "REFERENCE_MEASURES",
    "TRANSPARENCY_MEASURES",
    "UNPROCESSED",
    "Alignment",
    "Bandwidth",
    "BandwidthMeter",
    "Change",
    "ChannelClipping",
    "Clicks",
    "ClipEnhancer",
    "ClipPair",
    "ClipResult",
    "Clipping",
    "ClippingMeter",
    "Composite",
    "ConditionImpact",
    "DcMeter",
    "Delay",
    "Diagnosis",
    "Dnsmos",
    "Dynamics",
    "DynamicsMeter",
    "EnhancerVerdict",
    "Estimate",
    "FigureLook",
    "Finding",
    "FloorMotion",
    "GainMap",
    "GateReport",
    "HighBandLoss",
    "HistoryEntry",
    "Hum",
    "HumLine",
    "HumMeter",
    "ImageShift",
    "ImpactAnalyzer",
    "ImpactReport",
    "ImpactVerdict",
    "Measure",
    "MixPlan",
    "ModulationSpectrum",
    "PairSpectra",
    "PairedTest",
    "QualityAssessment",
    "QualityGate",
    "QualityHistory",
    "Recognizer",
    "RecordingAnalyzer",
    "RecordingReport",
    "Results",
    "Rule",
    "RuleResult",
    "Score",
    "Silence",
    "SilenceMeter",
    "SnrEstimate",
    "SnrMeter",
    "SpeakerEmbedder",
    "SpectralFeatures",
    "Spectrogram",
    "SpectrumAnalysis",
    "SpectrumComparison",
    "SpectrumMeter",
    "SpeechMeter",
    "SpeechShare",
    "StrengthImpact",
    "Summary",
    "TextNormalizer",
    "Threshold",
    "Tone",
    "Transparency",
    "Utterance",
    "Verdict",
    "WordErrors",
    "aggregate_entries",
    "align",
    "analyze_spectrum",
    "artefact_score",
    "assess_quality",
    "border_clicks",
    "cepstral_distance_db",
    "compare_entries",
    "compare_spectra",
    "composite",
    "count_word_errors",
    "crest_factor_db",
    "dc_offset",
    "describe_recording",
    "detect_bandwidth",
    "detect_hum",
    "detect_silence",
    "diagnose",
    "diagnose_file",
    "dnsmos",
    "estimate_delay",
    "estimate_snr",
    "estoi",
    "evaluate",
    "figure_of",
    "find_embedder",
    "find_enhancer",
    "find_pairs",
    "find_recognizer",
    "floor_motion",
    "frequency_weighted_segmental_snr_db",
    "gain_map",
    "gating_db",
    "high_band_loss",
    "high_band_loss_db",
    "holm",
    "image_shift",
    "image_shift_db",
    "impact_figure",
    "impact_section",
    "junit_xml",
    "latest_entries",
    "log_likelihood_ratio",
    "log_spectral_distance_db",
    "measure_clipping",
    "measure_of",
    "mix_at_snr",
    "modulation_spectrum",
    "musical_noise",
    "onset_loss_db",
    "paired_test",
    "paired_tests",
    "pesq_narrowband",
    "pesq_wideband",
    "pumping_db",
    "read_transcripts",
    "save_figure",
    "score",
    "score_blind",
    "score_damage",
    "score_transparency",
    "segmental_snr_db",
    "si_sdr_db",
    "snr_db",
    "spectral_distortion_db",
    "spectral_features",
    "spectrogram",
    "spectrogram_png",
    "speech_level_change_db",
    "srmr",
    "stoi",
    "summarize",
    "transparency",
    "versions_in",
    "weighted_spectral_slope",
    "worst_entries",
    "write_impact_html",
    "write_junit",
    "write_mixes",
]
