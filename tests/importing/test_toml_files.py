"""TOML files read with a schema: all faults together, with file, place and correction."""

import json
from datetime import date
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, PositiveInt, Strict, field_validator

from foundations import toml_files
from foundations.toml_files import Text, Texts, TomlFileError, TomlTable
from incidents.importing import mapping
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import BETWEEN, translate_refusal
from statements.legal import laws
from tests.korean_messages import in_korean


class Fruit(TomlTable):
    id: Text
    colour: Literal["red", "green"]
    weight: PositiveInt | None = None
    picked_on: date | None = None
    names: Texts = ()

    @field_validator("id")
    @classmethod
    def _is_short(cls, value: str) -> str:
        if len(value) > 8:
            raise ValueError("the id is too long.", "the id is no word.")
        return value


class Farm(TomlTable):
    name: Text


class Basket(TomlTable):
    farm: Farm
    fruit: Annotated[tuple[Fruit, ...], Strict(False), Field(min_length=1)]


GOOD = """
[farm]
name = "Hill"

[[fruit]]
id = "apple"
colour = "red"
names = ["사과"]
picked_on = 2025-11-18
"""


def problems(tmp_path, text: str) -> tuple[str, ...]:
    path = tmp_path / "basket.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TomlFileError) as refusal:
        toml_files.load(path, Basket)
    assert str(refusal.value) == " ".join(refusal.value.problems)
    return refusal.value.problems


def test_a_good_file_is_read_into_the_types_of_its_schema(tmp_path):
    path = tmp_path / "basket.toml"
    path.write_text(GOOD, encoding="utf-8")
    basket = toml_files.load(path, Basket)
    assert basket.farm.name == "Hill"
    assert basket.fruit[0].names == ("사과",)
    assert basket.fruit[0].picked_on == date(2025, 11, 18)


def test_all_faults_of_a_file_are_reported_together(tmp_path):
    text = """
    title = 1
    [[fruit]]
    id = "apple"
    color = "red"
    weight = 0
    picked_on = "today"
    names = "apple"
    [[fruit]]
    colour = "blue"
    weight = true
    names = [1]
    [[fruit]]
    id = "a very long one"
    colour = "red"
    """
    place = "basket.toml, fruit"
    known = "known are colour, id, names, picked_on, weight."
    assert problems(tmp_path, text) == (
        "basket.toml, [farm]: it is missing or no table; write it as one.",
        f"{place} apple: “colour” is missing; add it.",
        f"{place} apple: “weight” is 0; it must be 1 or more.",
        f"{place} apple: “picked_on” is 'today'; it must be a date.",
        f"{place} apple: “names” is 'apple'; it must be a list of texts.",
        f"{place} apple: unknown key “color”; {known} Did you mean “colour”?",
        f"{place} number 2: “id” is missing; add it.",
        f"{place} number 2: “colour” is 'blue'; it must be one of red, green.",
        f"{place} number 2: “weight” is True; it must be a whole number.",
        f"{place} number 2: “names” is 1; it must be a text.",
        f"{place} a very long one, id: the id is too long.",
        f"{place} a very long one, id: the id is no word.",
        "basket.toml: unknown key “title”; known are farm, fruit.",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[farm", "basket.toml: it is not TOML ("),
        ('[farm]\nname = "Hill"', "basket.toml: it holds no fruit; add one under [[fruit]]."),
        ('fruit = []\n[farm]\nname = "Hill"', "it holds no fruit; add one under [[fruit]]."),
        (GOOD.replace("[[fruit]]", "[fruit]"), "add one under [[fruit]]."),
        ("farm = 1\n[[fruit]]\n", "[farm]: it is missing or no table; write it as one."),
        ("fruit = [1]\n", "basket.toml, fruit number 1: it is missing or no table"),
        (GOOD.replace("Hill", " "), "basket.toml, [farm]: “name” is ' '; it must be a text."),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path, text, message):
    assert any(message in problem for problem in problems(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "basket.toml"
    path.write_bytes('[farm]\nname = "언덕"'.encode("cp949"))
    with pytest.raises(TomlFileError, match=r"basket\.toml: it is not TOML"):
        toml_files.load(path, Basket)


# ---------------------------------------------------------------- a mapping's own sentences


def test_a_mapping_is_refused_for_all_its_faults_at_once_and_in_the_readers_language():
    text = """
    fromat = "csv"
    [person]
    relation = "members"
    name = 1
    contact_leaked = ["name", "email"]
    [[leaked]]
    class = "purchases"
    value = "item"
    date = "day"
    """
    with pytest.raises(ImportRefusedError) as caught:
        mapping.parse(text, name="map.toml")
    place = "map.toml, [[leaked]] no. 1"
    braces = 'write column names in braces, such as "{address1} {address2}"'
    assert str(caught.value).split(BETWEEN) == [
        "map.toml, [person], relation: did you mean member?",
        "map.toml, [person], name: must be text in quotes",
        "map.toml, [person], contact_leaked: 'email' is none of its columns; use one of: name",
        f"{place}, value: names no column; {braces}",
        f'{place}, date: day is not declared; add day = "date" to [dates]',
        "map.toml: unknown key fromat; did you mean format?",
    ]
    in_korean(str(caught.value), translate_refusal)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dates = 1", "map.toml, dates: must be a table"),
        ("leaked = [1]", "map.toml, leaked: write it as [[leaked]] blocks with class and value"),
        ("person = 1", "map.toml, person: must be a table"),
        (
            '[second_person]\nrelation = "recipient"\nphone = "p"\nknown = true',
            "map.toml, [second_person]: unknown key known",
        ),
        (
            '[person]\nrelation = "member"\nreference = "r"\n[[person.leaked]]\nclass = "a"',
            "map.toml, [person]: unknown key leaked",
        ),
    ],
)
def test_a_mapping_of_another_shape_is_refused(text, message):
    with pytest.raises(ImportRefusedError) as caught:
        mapping.parse(text, name="map.toml")
    assert message in str(caught.value)


def written(value: object) -> str:
    """A value as TOML writes it on one line."""
    match value:
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            entries = (f"{json.dumps(key)} = {written(inner)}" for key, inner in value.items())
            return f"{{{', '.join(entries)}}}"
        case date():
            return value.isoformat()
    return json.dumps(value)


def file_of(content: dict[str, object]) -> str:
    return "\n".join(f"{key} = {written(value)}" for key, value in content.items())


VALUES = st.recursive(
    st.text("a{}", max_size=3) | st.integers(0, 1) | st.booleans() | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=4,
)
MAPPING_KEYS = ("format", "dates", "person", "second_person", "leaked", "fromat")
PERSON_KEYS = ("relation", "reference", "email", "phone", "contact_leaked", "known", "leaked")
PERSONS = st.dictionaries(
    st.sampled_from(PERSON_KEYS), VALUES | st.just("member") | st.just("recipient")
)
LEAKS = st.lists(st.dictionaries(st.sampled_from(["class", "value", "date"]), VALUES), max_size=2)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(MAPPING_KEYS), VALUES | PERSONS | LEAKS))
def test_any_mapping_is_accepted_or_refused_with_a_message(content):
    refusals = []
    try:
        mapping.parse(file_of(content), name="map.toml")
    except ImportRefusedError as refusal:
        refusals = str(refusal).split(BETWEEN)
    assert all(sentence.startswith("map.toml") for sentence in refusals)
    assert not any("not TOML" in sentence for sentence in refusals)


LAW_KEYS = ("id", "kind", "severity", "sections", "headings", "deadline_days", "trigger", "mark")
DUTIES = st.lists(st.dictionaries(st.sampled_from(LAW_KEYS), VALUES) | VALUES, max_size=2)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["law", "duty", "lwa"]), VALUES | DUTIES))
def test_any_law_file_is_refused_with_a_message(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "xx.toml"
    path.write_text(file_of(content), encoding="utf-8")
    with pytest.raises(TomlFileError) as refusal:
        toml_files.load(path, laws.LawFile)
    assert "is not TOML" not in str(refusal.value)
    assert all(problem.startswith("xx.toml") for problem in refusal.value.problems)
