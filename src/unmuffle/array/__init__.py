"""Microphone arrays: where the voice is, and only that voice.

>>> import numpy as np
>>> from unmuffle.array import beamform
>>> recording = 0.1 * np.random.default_rng(0).standard_normal((4, 16_000))
>>> voice, report = beamform(recording, 16_000, "linear4", method="das", toward=90)
>>> voice.shape
(16000,)
"""

from unmuffle.array.beamform import beamform
from unmuffle.array.beamform_options import BeamformReport
from unmuffle.array.beamformer import Beamformer, FixedBeamformer
from unmuffle.array.choice import METHODS as BEAMFORMERS
from unmuffle.array.das import DelayAndSum
from unmuffle.array.direction_finder import DirectionFinder, FoundDirection
from unmuffle.array.directions import Direction
from unmuffle.array.faults import MicrophoneFault, find_faulty_microphones
from unmuffle.array.gcc_phat import gcc_phat
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.geometry_files import list_geometries, read_geometry
from unmuffle.array.gsc import SidelobeCanceller
from unmuffle.array.lcmv import Lcmv
from unmuffle.array.localization import localize
from unmuffle.array.mask_beamformer import MaskBeamformer
from unmuffle.array.mvdr import Mvdr
from unmuffle.array.pattern import BeamPattern, beam_pattern
from unmuffle.array.postfilter_choice import POST_FILTERS
from unmuffle.array.postfilter_mccowan import McCowanFilter
from unmuffle.array.postfilter_zelinski import ZelinskiFilter
from unmuffle.array.steering import speed_of_sound, steering_vectors
from unmuffle.array.stream import ArrayStream, open_stream
from unmuffle.array.superdirective import Superdirective
from unmuffle.array.swapped import SwappedChannels, find_swapped_channels
from unmuffle.array.tracking import track_directions

__all__ = [
    "BEAMFORMERS",
    "POST_FILTERS",
    "ArrayGeometry",
    "ArrayStream",
    "BeamPattern",
    "BeamformReport",
    "Beamformer",
    "DelayAndSum",
    "Direction",
    "DirectionFinder",
    "FixedBeamformer",
    "FoundDirection",
    "Lcmv",
    "MaskBeamformer",
    "McCowanFilter",
    "MicrophoneFault",
    "Mvdr",
    "SidelobeCanceller",
    "Superdirective",
    "SwappedChannels",
    "ZelinskiFilter",
    "beam_pattern",
    "beamform",
    "find_faulty_microphones",
    "find_swapped_channels",
    "gcc_phat",
    "list_geometries",
    "localize",
    "open_stream",
    "read_geometry",
    "speed_of_sound",
    "steering_vectors",
    "track_directions",
]
