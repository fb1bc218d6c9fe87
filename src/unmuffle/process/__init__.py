"""The Processor contract and what combines processors: chains, dry/wet, fixed blocks."""

from unmuffle.process.chain import Chain
from unmuffle.process.dry_wet import DryWet, wet_share
from unmuffle.process.fixed_block import FixedBlock
from unmuffle.process.processor import Processor

__all__ = ["Chain", "DryWet", "FixedBlock", "Processor", "wet_share"]
