"""The fast ways in which an import prepares values agree with the simple ways."""

import json
import re
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import (
    SUPPORTED_REGIONS,
    example_number_for_type,
    national_significant_number,
)

from accounts import contacts, phones
from incidents import encryption
from incidents.bulk_encryption import BulkEncryptor
from incidents.importing import cell_fillers, contact_json, examining, mapping
from incidents.importing.cell_templates import CellTemplate
from incidents.importing.row_checks import RowRejectedError
from incidents.importing.row_preparation import Preparer
from incidents.kinds import CONTACT_CLASSES

NEVER = re.compile(r"(?!)")
PHONES = st.from_regex(
    r"(\+82|0|82|\+820)?[ -]?1[016][ -]?[0-9]{3,5}[ .-]?[0-9]{3,5}", fullmatch=True
)
LOCALS = st.text("aZ0._+-=?\"' @가", min_size=1, max_size=12)
DOMAINS = st.text("aZ0.-_[]가ß:", min_size=1, max_size=12) | st.sampled_from(
    ["naver.example", "gmail.com", "localhost", "xn--bj0bj06e.kr", "[127.0.0.1]", "한국.kr"]
)


@settings(max_examples=500, deadline=None)
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


EXAMPLES = [
    f"{found.country_code}{national_significant_number(found)}"
    for region in sorted(SUPPORTED_REGIONS)
    for kind in range(11)
    if (found := example_number_for_type(region, kind))
]


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(EXAMPLES),
    st.sampled_from(["", "0", "1", "8", "06"]),
    st.integers(0, 14),
    st.text("0123456789", max_size=2),
)
@example("821012345678", "", 14, "")
@example("441534456789", "0", 14, "")
def test_a_number_that_fits_no_region_needs_no_parsing(number, trunk, place, digits):
    code = phones._plan_of_country(number)[0]
    national = trunk + number[len(code) :]
    text = f"+{code}{national[:place]}{digits}{national[place + 1 :]}"
    quick = phones._read_phones.__wrapped__(text, "KR", False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phones, "_may_be_valid", lambda *_: True)
        assert phones._read_phones.__wrapped__(text, "KR", False) == quick


@settings(max_examples=500, deadline=None)
@given(st.builds("{}@{}".format, LOCALS, DOMAINS))
@example("A.b+c@D.EXAMPLE")
@example("a" * 64 + "@d.example")
@example("a" * 65 + "@d.example")
@example("email=a@d.example")
def test_a_usual_address_is_read_as_any_other_and_needs_no_escapes(text):
    quick = contacts.usual_email(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "_USUAL", NEVER)
        slow = contacts.read_emails(text)
    assert not quick or slow.addresses == (quick,)
    assert json.dumps(quick, ensure_ascii=False) == f'"{quick}"'


@given(st.text("@＠a.b* …", max_size=8))
def test_a_text_without_the_sign_at_holds_no_address(text):
    if "@" not in unicodedata.normalize("NFKC", text):
        assert contacts.read_emails(text) == ((), contacts.NOT_AN_ADDRESS)
        assert not any(map(contacts._read_address, contacts._pieces(text)))


@settings(max_examples=500, deadline=None)
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
    held = contact_json.contact_parts(name, emails, phones)

    written = json.dumps(held, ensure_ascii=False, separators=(",", ":"))
    assert contact_json.contact_json(name, emails, phones) == written.encode()
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
    quick = cell_fillers.filler(template, {"a": 0, "b": 1, "c": 2})

    assert quick(cells) == template.fill(dict(zip("abc", cells, strict=True)))


CELLS = st.text("a1@ \t\n\x85\udc80가-\u3000|NUL", max_size=6) | st.sampled_from(
    ["NULL", " NULL ", "\\N", "\u2028", "010-1234-5678", "a@b.example", " a", "a |", "|", ""]
    + ["-", "#N/A", "NULL|a", "a|NULL", "[null]", "+82 10-1234-5678", "A.b+c@D.EXAMPLE"]
)
MAPPING = """
nulls = ["NULL", "-"]
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
phone = "phone"
language = "lang"
contact_leaked = ["name", "email", "phone"]
[[leaked]]
class = "delivery-notes"
value = "{note}"
[dates]
day = "date"
"""
COLUMNS = ["id", "name", "email", "phone", "lang", "note", "day"]


WITHOUT_LEAKS = re.sub(r"\[\[leaked\]\](\n.+){2}", "", MAPPING)
DATED = WITHOUT_LEAKS + 'id = "excel"\n'


@pytest.fixture(scope="module", params=[MAPPING, WITHOUT_LEAKS, DATED])
def preparer(request, tmp_path_factory):
    """A preparer of files with these columns, which writes values as they are."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_text(",".join(COLUMNS) + "\n1,김,a@b.example,,ko,문,2025-11-18\n", encoding="utf-8")
    classes = [*CONTACT_CLASSES.values(), "delivery-notes"]
    cipher = BulkEncryptor(1, "hanbit", *encryption.new_incident_keysets("hanbit"))
    cipher.encrypt_bytes = lambda plain, *_whose: plain  # type: ignore[method-assign]  # so that two outputs can be compared
    made = Preparer(
        examining.examine(path, ""),
        mapping.parse(request.param, name="members.toml"),
        cipher=cipher,
        class_ids={slug: number for number, slug in enumerate(classes, start=1)},
        long_classes=frozenset(["delivery-notes"]),
        region="KR",
        time_zone="Asia/Seoul",
        languages=("ko", "en"),
        default_language="ko",
        file_id=1,
        secret=bytes(16),
    )
    # A mention is written once a file, so the second of two ways would write none. See
    # test_mentioned_contacts.py.
    made._mentions.write = lambda *_args, **_options: None  # type: ignore[method-assign]
    return made


def outcome(preparer: Preparer, cells: list[str]) -> object:
    """Returns what a row writes, or why it is rejected, with the odd cells."""
    preparer._out.clear()
    preparer._odd_cells.clear()
    try:
        preparer._row(1, cells, "")
    except (RowRejectedError, UnicodeEncodeError) as error:
        return str(error)
    written = [list(rows) for rows in preparer._out._all()]
    return written, dict(preparer._odd_cells)


REFERENCES = ["M-1001", "u_20251118", "0001", "0000", "01012345678", "000-", "x0000", "nan", "1a"]
REFERENCES += ["0f8fad5b-d9cb-469f-a165-70867728950e", "00000000-0000-0000-0000-000000000000"]
REFERENCES += ["-" * 32, "0" * 32, "0" * 31 + "7", "f" * 32, "bATc_1234", "bATc.1234", "DOT_1234"]
DAYS = st.sampled_from(["", "2025-11-18", "2025-11-19", "2025-13-40", "NULL"])
NUMBERS = """+1 415 555 0092|+49 170 1234567|+1 415-555-0092-3|02-345-6789|1588-1234|50-1
(02) 345-6789|(010) 2345-6781|０１０-２３４５-６７８１|010-2345-6781-2
＋８２ １０．２３４５．６７８１|010 2345 6781 22|010-2345-6781~2
٠١٠ ٢٣٤٥ ٦٧٨١|+82 2 345 6789|821023456781|0101234567""".replace("\n", "|").split("|")
USUAL = st.tuples(
    st.from_regex(r"\A[0-9][0-9]{0,5}\Z") | st.sampled_from(REFERENCES),
    st.sampled_from(
        [
            "김",
            "",
            "Lee",
            "NULL",
            "a@b.example",
            "김 민지",
            " 김",
            "a at b dot com",
            "O'Lee, <b>|",
            "7",
        ]
    ),
    st.sampled_from(
        ["a@b.example", "C@d.example", "a+b@c.example", "del.a@b.example", "c=d.example@b.example"]
        + [""]
    ),
    st.sampled_from(["010-1234-5678", "+82 10 2345 6789", "", "a@b.example", "010-0000-0000"])
    | st.sampled_from(NUMBERS)
    | st.from_regex(r"\A[+]?(82|1|49|33|0)?[ -]?\d{2,4}[ .-]?\d{3,4}([ .-]?\d{1,4}){1,2}\Z"),
    st.sampled_from(["ko", "en", "KO", "fr", ""]),
    st.sampled_from(["문", "a\nb", " a", "NULL", "a|b", "문\u3000"]),
    DAYS,
).map(list)
ODD = st.lists(CELLS | DAYS, min_size=len(COLUMNS), max_size=len(COLUMNS))


@settings(max_examples=300, deadline=None)
@given(st.lists(USUAL | ODD, max_size=60))
@example([["1", "김", "NULL", "010-1234-5678", "ko", "a", "2025-11-18"]])
@example([["1", "김", "a@b.example", "-", "ko ", "a\nb", "x"]])
@example([["1", "김", "a@b.example", "+49 1-701-591-0-7 1-9", "ko", "문", "2025-11-18"]])
@example([["1", "김", "a@b.example", "010-1234-5678", "ko", "문", "2025-11-18"]] * 2)
@example(
    [
        [day, "김", "a@b.example", "010-1234-5678", "ko", "문", "2025-11-18"]
        for day in ("45979", "1")
    ]
)
def test_a_usual_row_is_read_as_any_other(preparer, rows):
    quick = [outcome(preparer, cells) for cells in rows]
    may_be_usual, preparer._may_be_usual = preparer._may_be_usual, False
    slow = [outcome(preparer, cells) for cells in rows]
    preparer._may_be_usual = may_be_usual
    assert quick == slow


NUMBERS_ALONE = [(3, "+1 415 555 0092"), (3, "０１０-２３４５-６７８１")]


def test_the_second_row_like_another_one_is_usual(preparer):
    row = ["1", "김", "a@b.example", "010-1234-5678", "ko", "문", "2025-11-18"]
    outcome(preparer, row)
    always_needs_more = not preparer._may_be_usual
    assert (preparer._usual_contact(row) is None) == always_needs_more
    for place, plain in [
        (0, "M-1001"),
        (0, "0001"),
        (1, ""),
        (2, ""),
        (3, ""),
        (5, "다른 글"),
        *NUMBERS_ALONE,
    ]:
        like = [*row[:place], plain, *row[place + 1 :]]
        assert (preparer._usual_contact(like) is None) == always_needs_more
    for place, odd in enumerate(
        ["0", "NULL", "a(at)c.example", "02-345-6789", "ko ", "문 ", "2025-13-40"]
    ):
        assert preparer._usual_contact([*row[:place], odd, *row[place + 1 :]]) is None


DIGESTS = ["sha256:9f86d081884c7d659a2feaa0c55ad015", "md5:9f86d081884c7d659a2feaa0c55ad015"]
TOTALS = ["antal", "antal-kovacs", "건수", "건수1990", "total77", "12명", "page77", "eof", "commit"]


@pytest.mark.parametrize("reference", [*DIGESTS, *TOTALS])
def test_a_person_with_a_contact_may_have_a_word_of_totals_as_reference(preparer, reference):
    for email, phone in (("a@b.example", ""), ("", "010-1234-5678")):
        row = [reference, "김", email, phone, "ko", "문", ""]
        assert not isinstance(outcome(preparer, row), str), row
    assert "totals" in str(outcome(preparer, [reference, *[""] * 6]))


@pytest.mark.parametrize("reference", TOTALS)
def test_totals_without_a_contact_are_no_person(preparer, reference):
    assert "totals" in str(outcome(preparer, [reference, "6", "6", "6", "", "12,345", ""]))


@pytest.mark.parametrize("phone", ["01023456789", "010-2345-6789"])
@pytest.mark.parametrize("note", ["", "120", "19900101"])
def test_a_row_with_a_contact_is_no_row_of_counts(preparer, phone, note):
    assert not isinstance(outcome(preparer, ["minji", "", "", phone, "", note, ""]), str)
    assert "totals" in str(outcome(preparer, ["minji", "", "", "120", "", note[:3], ""]))


def test_a_digest_may_be_the_reference_of_a_row_without_a_contact(preparer):
    assert not isinstance(outcome(preparer, [DIGESTS[0], "김", *[""] * 5]), str)


@pytest.mark.parametrize("reference", TOTALS)
def test_a_file_of_known_people_has_totals_in_rows_without_other_cells(
    preparer, monkeypatch, reference
):
    monkeypatch.setattr(preparer._checks, "_takes_known_only", True)
    assert not isinstance(outcome(preparer, [reference, *[""] * 4, "문", ""]), str)
    assert "totals" in str(outcome(preparer, [reference, *[""] * 6]))
