"""The column mapping: accepted, or refused in one line with the place and the correction."""

from pathlib import Path

import pytest

from incidents.importing import mapping
from incidents.importing.cell_templates import CellTemplate
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.initial_data_classes import DATA_CLASSES
from tests.korean_messages import in_korean

ROOT = Path(__file__).parents[2]
GOOD = """
format = "csv"
encoding = "cp949"

[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "mobile"
language = "lang"
contact_leaked = ["name", "email"]

[dates]
updated_at = "date"

[[leaked]]
class = "physical-addresses"
value = "{postcode} {address1}, {address2}"
date = "updated_at"

[second_person]
relation = "recipient"
name = "to"
phone = "to_phone"
contact_leaked = []

[[second_person.leaked]]
class = "physical-addresses"
value = "{address1}"
"""
HEADER = ["member_id", "name", "email", "mobile", "lang", "updated_at"]
HEADER += ["postcode", "address1", "address2", "to", "to_phone"]


def test_a_good_mapping_is_understood():
    parsed = mapping.parse(GOOD, name="map.toml")

    assert parsed.encoding == "cp949"
    assert parsed.person.identity == "member_id"
    assert parsed.person.contact_leaked == {"name", "email"}
    assert parsed.person.classes() == {"names", "email-addresses", "physical-addresses"}
    assert parsed.second_person
    assert parsed.second_person.identity == "to_phone"
    assert parsed.second_person.classes() == {"physical-addresses"}
    parsed.check_header(HEADER, file="a.csv")
    parsed.check_classes(
        {"names": "Name", "email-addresses": "E-mail address", "physical-addresses": "Address"}
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('format = "csv"', "format = csv", "map.toml: not TOML: "),
        ('format = "csv"', 'format = "xml"', "map.toml, format: not known"),
        ('format = "csv"', 'fromat = "csv"', "map.toml: unknown key fromat; did you mean format?"),
        ('encoding = "cp949"', "encoding = 949", "map.toml, encoding: must be text in quotes"),
        ("[person]", "[people]", "map.toml: lacks [person]"),
        (
            'relation = "member"',
            'relation = "members"',
            "map.toml, [person], relation: did you mean member?",
        ),
        ('reference = "member_id"', "", "map.toml, [person]: lacks reference"),
        (
            'email = "email"',
            'emial = "email"',
            "[person], contact_leaked: 'email' is none of its columns",
        ),
        (
            'contact_leaked = ["name", "email"]',
            "",
            'such as contact_leaked = ["name", "email", "phone"], or [] if none did',
        ),
        (
            'contact_leaked = ["name", "email"]',
            'contact_leaked = ["names"]',
            "map.toml, [person], contact_leaked: 'names' is none of its columns; did you mean name",
        ),
        (
            'updated_at = "date"',
            'updated_at = "day"',
            "map.toml, [dates], updated_at: 'day' is no format of a date",
        ),
        (
            'updated_at = "date"',
            "",
            'map.toml, [[leaked]] no. 1, date: updated_at is not declared; add updated_at = "date"',
        ),
        (
            'value = "{postcode} {address1}, {address2}"',
            'value = "postcode"',
            "map.toml, [[leaked]] no. 1, value: names no column",
        ),
        (
            'value = "{address1}"',
            'value = "{address1"',
            "map.toml, [[second_person.leaked]] no. 1, value: names no column",
        ),
        (
            'value = "{address1}"',
            'value = "{address1}"\ncolour = "red"',
            "map.toml, [[second_person.leaked]] no. 1: unknown key colour",
        ),
        ("[[leaked]]", "[leaked]", "map.toml, leaked: must be a list"),
        ('relation = "recipient"', 'relation = "member"', "[second_person], relation: use one of"),
        ('phone = "to_phone"', 'email = "to_phone"', "[second_person], email: a second person is"),
        ('phone = "to_phone"', "", "map.toml, [second_person]: lacks phone"),
    ],
)
def test_a_wrong_mapping_is_refused_with_place_and_correction(old, new, says):
    assert old in GOOD
    with pytest.raises(ImportRefusedError) as caught:
        mapping.parse(GOOD.replace(old, new, 1), name="map.toml")

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    not_ours = str(caught.value).partition("not TOML: ")[2]
    in_korean(str(caught.value), translate_refusal, outside=not_ours)


def test_the_mapping_in_the_documentation_is_good():
    text = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")

    parsed = mapping.parse(text.split("```toml\n")[1].split("```")[0], name="docs/import.md")

    assert parsed.second_person


@pytest.mark.parametrize("path", sorted((ROOT / "incidents" / "sample").glob("*.toml")))
def test_the_sample_mappings_are_good(path):
    assert mapping.parse(path.read_text(encoding="utf-8"), name=path.name).person.identity


def test_known_must_be_a_boolean():
    with pytest.raises(ImportRefusedError, match="known: must be true or false"):
        mapping.parse(GOOD.replace("[dates]", 'known = "yes"\n[dates]'), name="map.toml")


def test_recipients_have_no_reference():
    text = '[person]\nrelation = "recipient"\nreference = "id"\nphone = "tel"\n'
    with pytest.raises(ImportRefusedError, match="a recipient is known by phone"):
        mapping.parse(text, name="map.toml")


def test_columns_that_the_header_lacks_are_named_together():
    parsed = mapping.parse(GOOD, name="map.toml")

    with pytest.raises(ImportRefusedError) as caught:
        parsed.check_header([c for c in HEADER if c not in ("to", "address2")], file="a.csv")
    assert str(caught.value).startswith(
        "a.csv, line 1: the header lacks address2, to, which map.toml names"
    )


def test_each_unknown_class_is_named():
    parsed = mapping.parse(GOOD, name="map.toml")

    with pytest.raises(ImportRefusedError) as caught:
        parsed.check_classes({"names": "Name"})
    assert str(caught.value).count("is no data class; use one of: ") == 2
    assert "'physical-addresses' is no" in str(caught.value)
    assert "'email-addresses' is no" in str(caught.value)


def test_a_class_is_proposed_only_with_what_it_is():
    parsed = mapping.parse(GOOD.replace("physical-addresses", "card-numbers"), name="map.toml")

    with pytest.raises(ImportRefusedError) as caught:
        parsed.check_classes(
            {str(one["slug"]): f"{one['name']['en']} / {one['name']['ko']}" for one in DATA_CLASSES}
        )
    says = str(caught.value)
    assert "did you mean" not in says
    assert "credit-cards (Card number / 카드번호)" in says
    assert "partial-card-numbers (Part of a card number / " in says
    in_korean(says, translate_refusal, outside=says.partition("use one of: ")[2])


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (("04524", "Street 1", "Flat 2"), "04524 Street 1, Flat 2"),
        (("", "Street 1", "Flat 2"), "Street 1, Flat 2"),
        (("04524", "", "Flat 2"), "04524, Flat 2"),
        (("04524", "Street 1", " "), "04524 Street 1"),
        (("", "", ""), ""),
    ],
)
def test_a_blank_cell_removes_the_text_before_it(cells, value):
    template = CellTemplate.parse("{a} {b}, {c}")

    assert template.fill(dict(zip("abc", cells, strict=True))) == value


def test_a_cell_stays_as_typed():
    assert CellTemplate.parse("{a}").fill({"a": " two\nlines  "}) == " two\nlines  "
