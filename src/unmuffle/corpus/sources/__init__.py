"""What a corpus may come as: a folder, a pattern, or a manifest."""

from unmuffle.corpus.sources.opening import clips_of

__all__ = ["clips_of"]
