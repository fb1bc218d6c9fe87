"""Named chains of stages: presets that come along, and those that users write."""

from unmuffle.presets.chain import StageChoice, build_chain, check_order, parse_chain
from unmuffle.presets.preset import Preset, find_preset, list_presets, preset_file
from unmuffle.presets.stages import STAGES, Stage, find_stage, options_of

__all__ = [
    "STAGES",
    "Preset",
    "Stage",
    "StageChoice",
    "build_chain",
    "check_order",
    "find_preset",
    "find_stage",
    "list_presets",
    "options_of",
    "parse_chain",
    "preset_file",
]
