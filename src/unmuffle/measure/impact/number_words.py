"""Numbers in English words, American style: no "and", no hyphens."""

from __future__ import annotations

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = ("", "thousand", "million", "billion", "trillion")
_MOST_DIGITS = 3 * len(_THOUSANDS)
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def number_words(digits: str, decimals: str = "", *, ordinal: bool = False) -> str:
    """Return a number in words.

    Parameters
    ----------
    digits : str
        Before the point, at least one; more than 15 of them, or a zero before others, are read one by one.
    decimals : str, default ""
        After the point, read one by one.
    ordinal : bool, default False
        Twenty first instead of twenty one; not with decimals.

    Examples
    --------
    >>> number_words("1250"), number_words("3", "14"), number_words("21", ordinal=True)
    ('one thousand two hundred fifty', 'three point one four', 'twenty first')
    """
    one_by_one = len(digits) > _MOST_DIGITS or (digits[0] == "0" and len(digits) > 1)
    words = _one_by_one(digits) if one_by_one else _cardinal(int(digits))
    if decimals:
        return " ".join([*words, "point", *_one_by_one(decimals)])
    return " ".join([*words[:-1], _ordinal(words[-1])] if ordinal else words)


def _one_by_one(digits: str) -> list[str]:
    return [_SMALL[int(digit)] for digit in digits]


def _cardinal(number: int) -> list[str]:
    if number == 0:
        return ["zero"]
    words: list[str] = []
    for power in reversed(range(len(_THOUSANDS))):
        group = number // 1000**power % 1000
        if group:
            words += [*_below_thousand(group), *filter(None, [_THOUSANDS[power]])]
    return words


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_SMALL[hundreds], "hundred"] if hundreds else []
    if rest >= len(_SMALL):
        tens, rest = divmod(rest, 10)
        words.append(_TENS[tens])
    return [*words, _SMALL[rest]] if rest else words


def _ordinal(word: str) -> str:
    if word in _ORDINALS:
        return _ORDINALS[word]
    return f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th"
