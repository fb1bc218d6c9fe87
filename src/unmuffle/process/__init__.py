"""The Processor contract and what combines processors: chains, dry/wet, fixed blocks."""
