"""Estimators of the a priori SNR."""

from unmuffle.denoise.a_priori.base import AprioriSnr
from unmuffle.denoise.a_priori.cepstral import CepstralSmoothing
from unmuffle.denoise.a_priori.decision_directed import DecisionDirected

__all__ = ["AprioriSnr", "CepstralSmoothing", "DecisionDirected"]
