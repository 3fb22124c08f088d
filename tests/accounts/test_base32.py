"""Base32 codes, written one way and read in any way that a person types them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundations import base32


@given(st.integers(0, 2**60 - 1))
def test_a_number_is_read_back_from_its_code(number):
    code = base32.from_number(number, length=12)
    assert len(code) == 12
    assert base32.to_number(code) == number


@pytest.mark.parametrize(
    "typed", ["01AB-CDEF", "o1ab cdef", "OLABCDEF", "oiab-cd-ef", " 0 1 A B C D E F "]
)
def test_a_code_is_read_in_any_spelling(typed):
    assert base32.as_typed(typed, length=8) == "01ABCDEF"


@pytest.mark.parametrize("typed", ["", "01ABCDE", "01ABCDEFG", "01ABCDEU", "01ABCDE!", "01ABCDE가"])
def test_other_text_is_not_a_code(typed):
    assert base32.as_typed(typed, length=8) is None


def test_random_codes_are_of_the_alphabet_and_differ():
    codes = {base32.random_code(20) for _turn in range(100)}
    assert len(codes) == 100
    assert set("".join(codes)) <= set(base32.ALPHABET)
