"""The Processor contract and what combines processors: chains, dry/wet, ladders, fixed blocks."""

from unmuffle.process.chain import Chain
from unmuffle.process.dry_wet import DryWet, wet_share
from unmuffle.process.fixed_block import FixedBlock
from unmuffle.process.ladder import Ladder
from unmuffle.process.processor import Processor
from unmuffle.process.whole import process_whole

__all__ = ["Chain", "DryWet", "FixedBlock", "Ladder", "Processor", "process_whole", "wet_share"]
