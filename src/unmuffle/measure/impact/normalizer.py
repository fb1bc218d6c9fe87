"""The text normaliser that word errors are counted after, so that spelling and punctuation are no errors.

Both texts go through the same steps, in this order:

1. Unicode NFKC, lower case (case folding), typographic apostrophes made plain.
2. What stands in square or angle brackets is left out: ``[laughter]``, ``<unk>``.
3. Numbers in digits become words, American style without "and": ``1,250`` -> one thousand two hundred fifty, ``3.5`` ->
   three point five, ``21st`` -> twenty first, ``007`` -> zero zero seven (leading zeros, or more than 15 digits, are
   read digit by digit). ``%`` -> percent, ``&`` -> and.
4. All that is no letter, mark or apostrophe parts words: hyphens, dashes, slashes, points, underscores.
5. Apostrophes at the ends of a word are left out; those within stay (``o'clock``, ``john's``).
6. Contractions that can mean one thing only are written out: ``can't`` -> can not, ``won't`` -> will not,
   ``n't`` -> not, ``'re`` -> are, ``'ll`` -> will, ``'ve`` -> have, ``i'm`` -> i am, ``let's`` -> let us, ``cannot`` ->
   can not. ``'s`` and ``'d`` stay: they can mean several.
7. Titles are written out: ``mr`` -> mister, ``mrs`` -> missus, ``dr`` -> doctor.

Steps 3, 6 and 7 are English and can be switched off; digits of other scripts are kept. What has gone
through once does not change any more. Left out: years ("1455" is one thousand four hundred fifty five, not fourteen
fifty five), money, times of day, British against American spelling, filled pauses.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from unmuffle.measure.impact.number_words import number_words

NORMALIZER_VERSION = 1

_APOSTROPHES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'"})
_BRACKETED = re.compile(r"\[[^\[\]]*\]|<[^<>]*>")
_NUMBER = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?(st|nd|rd|th)?(?![0-9])")
_WHOLE_WORDS = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "shan't": "shall not",
    "i'm": "i am",
    "let's": "let us",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
}
_ENDINGS = {"n't": "not", "'re": "are", "'ll": "will", "'ve": "have"}
_UNCLEAR = frozenset({"ain't"})


@dataclass(frozen=True)
class TextNormalizer:
    """Brings texts to the words that count.

    Parameters
    ----------
    english : bool, default True
        Whether numbers, contractions and titles are written out in English.

    Examples
    --------
    >>> TextNormalizer()("Mr. O'Neil can't wait 21 half-hours, he's late!")
    "mister o'neil can not wait twenty one half hours he's late"
    """

    english: bool = True

    def __call__(self, text: str) -> str:
        """Return the words of a text, single spaces between them."""
        folded = _folded(text).translate(_APOSTROPHES)
        folded = _BRACKETED.sub(" ", folded)
        if self.english:
            folded = _NUMBER.sub(_number, folded.replace("%", " percent ").replace("&", " and "))
        words = "".join(letter if _is_of_a_word(letter) else " " for letter in folded).split()
        stripped = (word.strip("'") for word in words)
        return " ".join(self._written_out(word) if self.english else word for word in stripped if word)

    @staticmethod
    def _written_out(word: str) -> str:
        whole = _WHOLE_WORDS.get(word)
        if whole is not None or word in _UNCLEAR:
            return whole or word
        for ending, meaning in _ENDINGS.items():
            stem = word.removesuffix(ending)
            if stem != word and stem.isalpha():
                return f"{stem} {meaning}"
        return word


def _folded(text: str) -> str:
    """Return a text in lower case and NFKC; folding may leave what is not NFKC, and NFKC what is not folded."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded if folded == text else _folded(folded)


def _is_of_a_word(letter: str) -> bool:
    return letter == "'" or unicodedata.category(letter)[0] in "LMN"


def _number(found: re.Match[str]) -> str:
    whole, decimals, ordinal = found.groups()
    return f" {number_words(whole.replace(',', ''), (decimals or '').removeprefix('.'), ordinal=ordinal is not None)} "
