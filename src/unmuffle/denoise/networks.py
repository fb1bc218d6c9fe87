"""Processors made of models: which kind a file holds is told by looking at its graph."""

from __future__ import annotations

from unmuffle.denoise.spectral import SpectralProcessor
from unmuffle.models import Model
from unmuffle.process.processor import NonFinite, Processor


def network_processor(
    model: Model,
    sample_rate: int,
    channels: int = 1,
    *,
    link_channels: bool = False,
    nonfinite: NonFinite = "raise",
) -> Processor:
    """Return a processor that runs a model.

    Parameters
    ----------
    model : Model
        Takes frames of our own grid, or waveforms.
    sample_rate, channels, nonfinite
        See ``Processor``.
    link_channels : bool, default False
        Same gains for all channels; networks of waveforms have no gains and take each channel on its own.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or of neither kind.
    ModelRuntimeError
        If ONNX Runtime cannot load it.
    """
    from unmuffle.denoise.suppressors.network import NetworkSuppressor
    from unmuffle.denoise.waveform import WaveformNetwork
    from unmuffle.models.frames import frames_graph, takes_frames
    from unmuffle.models.session import load_model
    from unmuffle.models.waveform import waveform_graph

    loaded = load_model(model)
    if not takes_frames(loaded):
        return WaveformNetwork(waveform_graph(loaded), sample_rate, channels, nonfinite=nonfinite)
    suppressor = NetworkSuppressor(frames_graph(loaded))
    return SpectralProcessor(suppressor, sample_rate, channels, link_channels=link_channels, nonfinite=nonfinite)
