"""The fast ways in which an import prepares values agree with the simple ways."""

import json
import re

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts import contacts, phones
from incidents.importing import person_rows
from incidents.importing.cell_templates import CellTemplate

NEVER = re.compile(r"(?!)")
PHONES = st.from_regex(
    r"(\+82|0|82|\+820)?[ -]?1[016][ -]?[0-9]{3,5}[ .-]?[0-9]{3,5}", fullmatch=True
)
LOCALS = st.text("aZ0._+-=?\"' @가", min_size=1, max_size=12)
DOMAINS = st.text("aZ0.-_[]가ß:", min_size=1, max_size=12) | st.sampled_from(
    ["naver.example", "gmail.com", "localhost", "xn--bj0bj06e.kr", "[127.0.0.1]", "한국.kr"]
)


@settings(max_examples=500)
@given(PHONES | st.text("+0123456789- ", max_size=16))
@example("010-1234-5678")
@example("+82 10-1234-5678")
@example("+8210 1234-5678")
@example("٠10-1234-5678")
def test_a_usual_number_is_read_as_any_other(text):
    quick = contacts.normalise_phone(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phones, "_USUAL_MOBILE", NEVER)
        assert phones.normalise_phone(text) == quick


@settings(max_examples=500)
@given(LOCALS, DOMAINS)
def test_an_address_is_judged_alike_as_a_whole_and_by_parts(local, domain):
    normalised = contacts.normalise_email(f"{local}@{domain}")
    try:
        validate_email(normalised)
        is_one = True
    except ValidationError:
        is_one = False
    assert contacts.is_usable_email(normalised) <= is_one
    is_plain = "=?" not in local and "##" not in local
    if is_one and is_plain and contacts._LOCAL_PART.fullmatch(local.lower()):
        _, _, wanted = normalised.rpartition("@")
        is_whole = "." in wanted and contacts._stays_the_same_in_dns(wanted)
        assert contacts.is_usable_email(normalised) == is_whole


@given(st.text(), st.lists(st.text(min_size=1), max_size=3), st.lists(st.text(min_size=1)))
def test_contacts_are_written_as_json_writes_them(name, emails, phones):
    held = person_rows.contact_parts(name, emails, phones)

    written = json.dumps(held, ensure_ascii=False, separators=(",", ":"))
    assert person_rows.contact_json(name, emails, phones) == written.encode()
    assert list(held.values()) == ([name] if name else []) + emails + phones


@given(
    st.lists(
        st.tuples(st.text(" ,;/x가", max_size=3), st.sampled_from("abc")), min_size=1, max_size=4
    ),
    st.text(" x", max_size=2),
    st.lists(st.text(" \tx가", max_size=3), min_size=3, max_size=3),
)
def test_values_are_put_together_as_the_mapping_says(pieces, tail, cells):
    template = CellTemplate(tuple(pieces), tail)
    quick = person_rows._filler(template, {"a": 0, "b": 1, "c": 2})

    assert quick(cells) == template.fill(dict(zip("abc", cells, strict=True)))
