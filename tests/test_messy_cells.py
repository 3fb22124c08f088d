"""Cells with contacts as companies write them: an address or a number is read only for certain."""

import pytest

from accounts.contacts import read_emails, read_phones

EMAILS = {
    "a@b.example;c@b.example": "a@b.example c@b.example",
    "a@b.example / c@b.example": "a@b.example c@b.example",
    "a@b.example,c@b.example": "a@b.example c@b.example",
    "a@b.example\nc@b.example": "a@b.example c@b.example",
    "a@b.example|c@b.example": "a@b.example c@b.example",
    "Kim Minji <a@b.example>": "a@b.example",
    '"Kim, Minji" <a@b.example>': "a@b.example",
    "<mailto:a@b.example>": "a@b.example",
    "mailto:a@b.example?subject=hi": "a@b.example",
    "a@b.example <a@b.example>": "a@b.example",
    "a@b.example <mailto:a@b.example>": "a@b.example",
    "a@b.example.": "a@b.example",
    "a\uff20b.example": "a@b.example",
    "A@B.EXAMPLE": "a@b.example",
    "a+shop@b.example": "a+shop@b.example",
    "\u200ba@b.example\u00a0": "a@b.example",
    "a@한글.example": "a@xn--bj0bj06e.example",
    "'a@b.example": "a@b.example",
    "o'brien@b.example": "o'brien@b.example",
    "a@b.example;": "a@b.example",
    '"a b"@b.example': "",
    "h***@b.example": "",
    "h...@b.example": "",
    "a at b.example": "",
    "a(at)b.example": "",
    "a@@b.example": "",
    "a@b": "",
    "a@b,example": "",
    "a@b..example": "",
    "a.@b.example": "",
    "@b.example": "",
    "a@b.example and c@b.example": "",
    "a%40b.example": "",
    "a&#64;b.example": "",
    "a @b.example": "",
    "a@b.exampl e": "",
    "a@[192.168.0.1]": "",
    "a@b.example <c@b.example>": "",
    "NULL": "",
    "없음": "",
}
PHONES = {
    "82-10-2345-6781": "+821023456781",
    "+82-010-2345-6781": "+821023456781",
    "0082-10-2345-6781": "+821023456781",
    "0082 10 2345 6781": "+821023456781",
    "8201023456781": "+821023456781",
    "+82(0)10-2345-6781": "+821023456781",
    "+82 (0)10 2345 6781": "+821023456781",
    "(010) 2345-6781": "+821023456781",
    "010.2345.6781": "+821023456781",
    "０１０－２３４５－６７８１": "+821023456781",
    "'01023456781": "+821023456781",
    "tel:+82-10-2345-6781": "+821023456781",
    "1023456781.0": "+821023456781",
    "010-2345-6781, 010-2345-6782": "+821023456781 +821023456782",
    "010-2345-6781 / 02-345-6789": "+821023456781 +8223456789",
    "010-2345-6781\n010-2345-6782": "",
    "010-2345-6781 010-2345-6782": "",
    "02-2345-6781": "+82223456781",
    "070-2345-6781": "+827023456781",
    "+1 415 555 0102": "+14155550102",
    "1023456781": "",
    "1.02346E+09": "",
    "1.02346E+9": "",
    "O10-2345-6781": "",
    "010-****-6781": "",
    "010-2345-67**": "",
    "010-XXXX-6781": "",
    "010-2345-678": "",
    "010-2345-67811": "",
    "900101-1234567": "",
    "1644-0033": "",
    "0505-123-4567": "",
    "010-0000-0000": "",
    "010-1111-1111": "",
    "010-2345-6781 x12": "",
    "010-2345-6781 ext. 12": "",
    "공일공-2345-6781": "",
    "010-2345-6781번 아님 010-2345-6782": "",
    "01O-2345-6781": "",
    "4111 1111 1111 1111": "",
}
ABROAD = [
    ("US", "(415) 555-0102", "+14155550102"),
    ("US", "1-415-555-0102", "+14155550102"),
    ("US", "415.555.0102", "+14155550102"),
    ("US", "4155550102.0", "+14155550102"),
    ("US", "(415) 555-0102 x12", ""),
    ("US", "415-555-0102 ext 7", ""),
    ("US", "555-0102", ""),
    ("US", "123-45-6789", ""),
    ("GB", "020 7946 0106", "+442079460106"),
    ("GB", "+44 (0)20 7946 0106", "+442079460106"),
    ("GB", "00442079460106", "+442079460106"),
    ("JP", "090-1234-5601", "+819012345601"),
    ("JP", "０９０ー１２３４ー５６０１", "+819012345601"),
    ("DE", "0171/2345603", ""),
    ("DE", "0049 171 2345603", "+491712345603"),
    ("DE", "+49 (0) 171 2345603", "+491712345603"),
    ("FR", "06 12 34 56 78", "+33612345678"),
    ("CN", "138 1234 5678", "+8613812345678"),
    ("IT", "02 1234 5678", "+390212345678"),
    ("XX", "010-2345-6781", ""),
]


@pytest.mark.parametrize(("cell", "right"), EMAILS.items())
def test_an_address_is_read_for_certain_or_not_at_all(cell, right):
    assert " ".join(read_emails(cell).addresses) == right


@pytest.mark.parametrize(
    ("region", "cell", "right"), [("KR", *one) for one in PHONES.items()] + ABROAD
)
def test_a_number_is_read_for_certain_or_not_at_all(region, cell, right):
    assert " ".join(phone.number for phone in read_phones(cell, region).phones) == right
