"""The normaliser does what its head says, and nothing more the second time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.measure.impact.normalizer import TextNormalizer

normalize = TextNormalizer()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", "hello world"),
        ("  it's   O’Neil's\tboat ", "it's o'neil's boat"),
        ("“forty-two line” — Bible/book", "forty two line bible book"),
        ("'tis the dogs' own", "tis the dogs own"),
        ("I can't, won't, don't and cannot", "i can not will not do not and can not"),
        ("we're I'm you'll they've let's", "we are i am you will they have let us"),
        ("he's she'd ain't o'clock", "he's she'd ain't o'clock"),
        ("Mr. and Mrs. Smith, Dr. Who", "mister and missus smith doctor who"),
        ("[laughter] so <unk> it goes", "so it goes"),
        ("50% of R&D", "fifty percent of r and d"),
        ("0 10 12 13 20 21 99", "zero ten twelve thirteen twenty twenty one ninety nine"),
        (
            "100 101 115 1,000 1250",
            "one hundred one hundred one one hundred fifteen one thousand one thousand two hundred fifty",
        ),
        ("2000000 1,000,001", "two million one million one"),
        ("3.14 0.5", "three point one four zero point five"),
        ("1st 2nd 3rd 12th 20th 21st 100th", "first second third twelfth twentieth twenty first one hundredth"),
        (
            "007 1234567890123456",
            "zero zero seven one two three four five six seven eight nine zero one two three four five six",
        ),
        ("end of 5.", "end of five"),
        ("1,2,3", "one two three"),
        ("ＦＵＬＬ ﬁne", "full fine"),
        ("naïve Größe", "naïve grösse"),
        ("മലയാളം नमस्ते", "മലയാളം नमस्ते"),
        ("...", ""),
    ],
)
def test_rules(text, words):
    assert normalize(text) == words


def test_english_rules_can_be_switched_off():
    assert TextNormalizer(english=False)("Mr. Müller can't zahlen 21, 50%") == "mr müller can't zahlen 21 50"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text("aNnt'’rels -.,0123456789%&dmcwo[]<>", max_size=24), st.booleans())
def test_once_is_enough(text, english):
    normalizer = TextNormalizer(english)
    once = normalizer(text)
    assert normalizer(once) == once


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**15 - 1))
def test_numbers_hold_no_digits_and_differ(number):
    words = normalize(str(number))
    assert not any(letter.isdigit() for letter in words)
    assert words != normalize(str(number + 1))
