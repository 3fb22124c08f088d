"""Texts of data classes and of the steps of countries in further languages: class_texts/*.toml."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.translation import override

from foundations.languages import LocalizedText
from foundations.toml_files import TomlFileError
from incidents import class_texts, country_steps, initial_data_classes
from incidents.models import DataClass
from tests.desk_pages import desk_url, form_of, page_text, save

STEPS = [step.name for step in country_steps.all_country_steps()]
CLASSES = {
    str(one["slug"]): one["actions"]["en"].splitlines() for one in initial_data_classes.DATA_CLASSES
}


def written(**changed: str) -> str:
    """Returns a complete file in a made-up language; `changed` replaces single lines."""
    lines = []
    for slug, actions in CLASSES.items():
        listed = ", ".join(f'"faru {number}"' for number in range(len(actions)))
        lines += [f"[classes.{slug}]", f'name = "Nomo de {slug}"', 'unit = "ero"', 'units = ""']
        lines += [f"actions = [{listed}]"]
    lines += ["[country_steps]", *(f'{name} = "paŝo {name}"' for name in STEPS)]
    text = "\n".join(lines) + "\n"
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def write(tmp_path, monkeypatch) -> Iterator[Callable[..., None]]:
    """Writes eo.toml, the only file of further languages."""
    monkeypatch.setattr(class_texts, "FOLDER", tmp_path)
    caches = (class_texts._by_language, country_steps.all_country_steps)

    def write(text: str, name: str = "eo.toml") -> None:
        (tmp_path / name).write_text(text, encoding="utf-8")
        for one in caches:
            one.cache_clear()

    yield write
    monkeypatch.undo()
    for one in caches:
        one.cache_clear()


def loaded() -> list[dict[str, Any]]:
    return class_texts.with_further_languages(initial_data_classes._CLASSES)


def test_the_texts_are_added_to_those_of_the_classes(write):
    write(written())
    names = next(one for one in loaded() if one["slug"] == "names")
    assert names["name"] == {"ko": "이름", "en": "Name", "eo": "Nomo de names"}
    assert names["units"] == {"en": "names"}  # the language has no plural forms
    assert names["actions"]["eo"] == "faru 0\nfaru 1"


def test_the_steps_of_countries_have_them(write):
    write(written())
    step = country_steps.all_country_steps()[0]
    assert step.text.get("eo") == f"paŝo {step.name}"
    assert step.text.get("ko")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[classes.genders]", "[classes.gender]", "no class “gender”. Did you mean “genders”?"),
        ("[classes.genders]", "[classes.gender]", "the class “genders” is missing"),
        ('"faru 0", "faru 1"', '"faru 0"', "it has 1 actions; write 2."),
        ('name = "Nomo de names"\n', "", "“name” is missing"),
        ('name = "Nomo de names"', 'name = " "', "“name” is ' '"),
        ('unit = "ero"', 'unti = "ero"', "unknown key “unti”"),
        ("[classes.names]", "[classes.names", "is not TOML"),
    ],
)
def test_a_fault_of_a_class_is_named(write, old, new, problem):
    write(written(**{old: new}))
    with pytest.raises(TomlFileError) as caught:
        loaded()
    assert "eo.toml" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ("kr-119 =", "there is no step “kr-119”. Did you mean “kr-118”?"),
        ("kr-119 =", "the step “kr-118” is missing"),
    ],
)
def test_a_fault_of_a_step_is_named(write, new, problem):
    write(written(**{"kr-118 =": new}))
    with pytest.raises(TomlFileError) as caught:
        country_steps.all_country_steps()
    assert problem in str(caught.value)


def test_a_file_is_named_by_a_language_code(write):
    write(written(), name="Esperanto.toml")
    with pytest.raises(TomlFileError, match="no language code"):
        loaded()


@pytest.mark.parametrize("language", list(settings.SHIPPED_LANGUAGES))
def test_each_shipped_language_has_all_texts(language):
    for entry in initial_data_classes.DATA_CLASSES:
        assert entry["name"].get(language), entry["slug"]
        assert entry["unit"].get(language), entry["slug"]
    for step in country_steps.all_country_steps():
        assert step.text.get(language), step.name


def test_each_file_is_of_a_shipped_language():
    for path in Path(class_texts.__file__).with_name("class_texts").glob("*.toml"):
        assert path.stem in settings.SHIPPED_LANGUAGES
        tomllib.loads(path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- readers of other languages


def test_a_class_without_a_name_in_the_language_is_in_english_not_in_korean():
    with override("de"):
        assert str(LocalizedText({"ko": "주소", "en": "Address"})) == "Address"
        assert str(LocalizedText({"ko": "주소", "fr": "Adresse"})) == "주소"  # the first language


@pytest.mark.usefixtures("english")
def test_the_desk_says_in_which_languages_a_class_has_no_texts(editors_desk, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("eo", "Esperanto")]
    page = page_text(editors_desk.get(desk_url("incidents_dataclass_changelist")))
    assert "no texts in" in page.lower()
    assert "Esperanto" in page


@pytest.mark.usefixtures("english")
def test_saving_a_class_keeps_the_texts_of_languages_that_the_portal_does_not_offer(editors_desk):
    row = DataClass.objects.get(slug="names")
    row.name |= {"eo": "Nomo"}
    row.save()
    page = desk_url("incidents_dataclass_change", row.pk)
    assert "name_eo" not in form_of(editors_desk.get(page))
    save(editors_desk, page, name_en="Full name")
    row.refresh_from_db()
    assert row.name == {**row.name.by_language(), "en": "Full name", "eo": "Nomo"}
