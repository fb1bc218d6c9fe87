"""Recordings in the frequency domain: long-term spectra, spectrograms, what changed between two, and pictures of it."""

from unmuffle.measure.spectra.analysis import SpectrumAnalysis, SpectrumMeter, analyze_spectrum
from unmuffle.measure.spectra.comparison import SpectrumComparison, compare_spectra
from unmuffle.measure.spectra.figure import FigureLook, figure_of
from unmuffle.measure.spectra.gains import GainMap, gain_map
from unmuffle.measure.spectra.picture import spectrogram_png
from unmuffle.measure.spectra.saving import save_figure
from unmuffle.measure.spectra.spectrogram import Spectrogram, spectrogram
from unmuffle.measure.spectra.tones import Tone

__all__ = [
    "FigureLook",
    "GainMap",
    "Spectrogram",
    "SpectrumAnalysis",
    "SpectrumComparison",
    "SpectrumMeter",
    "Tone",
    "analyze_spectrum",
    "compare_spectra",
    "figure_of",
    "gain_map",
    "save_figure",
    "spectrogram",
    "spectrogram_png",
]
