"""Word errors by the alignment of fewest edits, counted by ``jiwer``; a rate is one of sums, not a mean of rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.extras import IMPACT, load_package


@dataclass(frozen=True)
class WordErrors:
    """Word errors of one clip, or of many added up.

    Attributes
    ----------
    substitutions, deletions, insertions : int
        Words that were understood as others, not at all, or were not said.
    words : int
        Words that were said.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    words: int = 0

    @property
    def total(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """The word error rate: errors to words said; above 1 where more was added than said."""
        return self.total / self.words

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.words + other.words,
        )


def count_word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Count the errors of a text against what was said, words as they stand between spaces.

    Raises
    ------
    InvalidParameterError
        If nothing was said.
    MissingExtraError
        If ``jiwer`` is not installed.

    Examples
    --------
    >>> count_word_errors("the cat sat down", "a cat sat")
    WordErrors(substitutions=1, deletions=1, insertions=0, words=4)
    """
    if not reference.split():
        raise InvalidParameterError("errors cannot be counted against a text without words")
    found = require_jiwer().process_words(reference, hypothesis)
    return WordErrors(found.substitutions, found.deletions, found.insertions, len(reference.split()))


def require_jiwer() -> Any:
    """Return the module ``jiwer``, or raise ``MissingExtraError``."""
    return load_package("jiwer", IMPACT)
