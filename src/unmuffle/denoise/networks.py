"""Processors made of models: which kind a file holds is told by looking at its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unmuffle.denoise.spectral import SpectralProcessor
from unmuffle.errors import ModelError
from unmuffle.models import Model
from unmuffle.process.processor import NonFinite, Processor

if TYPE_CHECKING:
    from unmuffle.denoise.suppressors.network import NetworkSuppressor


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
        Takes frames of our own grid, hops of a waveform and states, or whole waveforms.
    sample_rate, channels, nonfinite
        See ``Processor``.
    link_channels : bool, default False
        Same gains for all channels; networks of waveforms have no gains and take each channel on its own.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or of no such kind, or gives NaN or infinity for silence or full-scale input.
    ModelRuntimeError
        If ONNX Runtime cannot load it.
    """
    from unmuffle.denoise.stream_network import StreamNetwork
    from unmuffle.denoise.suppressors.network import NetworkSuppressor
    from unmuffle.denoise.waveform import WaveformNetwork
    from unmuffle.models.frames import takes_frames
    from unmuffle.models.session import load_model
    from unmuffle.models.stream import stream_graph, takes_hops
    from unmuffle.models.trial import tried_frames_graph
    from unmuffle.models.waveform import waveform_graph

    loaded = load_model(model)
    if not takes_frames(loaded):
        if takes_hops(loaded):
            return StreamNetwork(stream_graph(loaded), sample_rate, channels, nonfinite=nonfinite)
        return WaveformNetwork(waveform_graph(loaded), sample_rate, channels, nonfinite=nonfinite)
    suppressor = NetworkSuppressor(tried_frames_graph(loaded))
    return SpectralProcessor(suppressor, sample_rate, channels, link_channels=link_channels, nonfinite=nonfinite)


def frames_network(model: Model) -> NetworkSuppressor:
    """Return the suppressor that runs a model of frames.

    Raises
    ------
    ModelError, ModelRuntimeError
        See ``network_processor``; also if the model takes waveforms.
    """
    from unmuffle.denoise.suppressors.network import NetworkSuppressor
    from unmuffle.models.frames import takes_frames
    from unmuffle.models.session import load_model
    from unmuffle.models.trial import tried_frames_graph

    loaded = load_model(model)
    if not takes_frames(loaded):
        raise ModelError(f"the model {model.path} takes waveforms and tells nothing of speech: give one of frames")
    return NetworkSuppressor(tried_frames_graph(loaded))
