"""Texts by language: the value, its column, and its inputs on the desk."""

import pytest
from django import forms
from django.apps import apps
from django.conf.global_settings import LANGUAGES
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.translation import override

from foundations.languages import CODE, CODE_LENGTH, LocalizedText
from foundations.localized_fields import LocalizedTextFormField, show_languages
from incidents.models import DataClass, Incident

GREETING = LocalizedText({"ko": "안녕하세요", "en": "Hello"})


@pytest.mark.parametrize(
    ("texts", "wanted", "given"),
    [
        ({"ko": "가", "en": "A"}, "en", "en"),
        ({"ko": "가", "en": "A"}, "de", "en"),  # which most readers know
        ({"ko": "가", "ja": "あ"}, "de", "ko"),  # the portal's default language
        ({"en": "A", "de": "B"}, "ko", "en"),  # the portal's first language with a text
        ({"pt": "A", "en": "B"}, "pt-br", "pt"),  # the same language without its region
        ({"zh": "A", "zh-hant": "B", "en": "C"}, "zh-hant-hk", "zh-hant"),
        ({"fr": "A", "de": "B"}, "ko", "de"),
        ({}, "ko", ""),
    ],
)
def test_a_reader_gets_the_nearest_language(texts, wanted, given):
    text = LocalizedText(texts)
    assert text.language_for(wanted) == given
    assert text.in_language(wanted) == texts.get(given, "")


def test_str_and_format_follow_the_active_language():
    with override("en"):
        assert str(GREETING) == f"{GREETING}" == "Hello"
    with override("ko"):
        assert str(GREETING) == "안녕하세요"


def test_a_blank_text_is_no_text():
    assert not LocalizedText({"ko": " \n", "en": ""})
    assert (GREETING | {"en": " "}).missing(["ko", "en"]) == ["en"]
    assert GREETING == {"ko": "안녕하세요", "en": "Hello"}


@pytest.mark.parametrize(
    "texts", ["Hello", ["ko"], {"KO": "x"}, {"": "x"}, {"ko_KR": "x"}, {"ko": None}, {"ko": 1}]
)
def test_anything_else_is_refused(texts):
    with pytest.raises(ValueError, match="is not"):
        LocalizedText(texts)
    with pytest.raises(ValueError, match="is not"):
        DataClass(name=texts)


def test_it_cannot_be_taken_for_a_string_or_a_list():
    with pytest.raises(TypeError):
        list(GREETING)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        "/".join(["", GREETING])  # type: ignore[list-item]  # noqa: FLY002
    with pytest.raises(TypeError):
        "Hello" in GREETING  # type: ignore[operator]  # noqa: B015


@pytest.mark.parametrize(
    "stored",
    ['"Hello"', "[]", "null", '{"ko": 1}', '{"ko": ""}', '{"KO": "x"}', '{"ko": {"x": "y"}}'],
)
def test_the_database_refuses_anything_else(incident, stored):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE incidents_incident SET title = %s", [stored])


def test_the_database_keeps_texts_as_written(incident):
    texts = {"ko": "가\n나", "en": 'quotes " and \\', "zh-hant": "髙", "ar": "مرحبا"}
    incident.title = texts
    incident.save()
    assert Incident.objects.get().title == texts
    assert Incident.objects.filter(title__en__icontains="QUOTES").exists()
    assert Incident.objects.values_list("title", flat=True).get() == LocalizedText(texts)


@pytest.mark.parametrize("code", ["zh-hans", "zh-hant-hk", "pt-br", "sr-latn", "hsb"])
def test_each_language_code_that_django_has_fits_everywhere(code):
    models = apps.get_models()
    fields = [field for model in models for field in model._meta.fields if field.name == "language"]
    assert len(fields) >= 6
    assert all((field.max_length or 0) >= len(code) for field in fields)


def test_each_language_of_django_is_a_code():
    assert all(CODE.fullmatch(code) and len(code) <= CODE_LENGTH for code, _name in LANGUAGES)


def test_the_length_of_each_text_is_bounded(incident):
    incident.title |= {"en": "x" * 201}
    with pytest.raises(ValidationError, match="200"):
        incident.full_clean()


def test_the_default_language_is_one_of_the_incident(incident):
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.update(languages=["en"], default_language="ko")


# ---------------------------------------------------------------- the inputs


class TextForm(forms.Form):
    text = LocalizedTextFormField(max_length=10)


def test_there_is_one_labelled_input_for_each_language():
    page = str(TextForm(initial={"text": GREETING})["text"])
    assert '<label for="id_text_ko" lang="ko">한국어</label>' in page
    assert 'name="text_en" value="Hello"' in page
    assert 'id="id_text_en"' in page


def test_errors_name_the_language():
    with override("en"):
        long = TextForm({"text_ko": "", "text_en": "x" * 11})
        [too_long] = map(str, long.errors["text"])
        [missing] = map(str, TextForm({"text_ko": "", "text_en": "x"}).errors["text"])
    assert too_long.startswith("English: Ensure this value has at most 10 characters")
    assert missing == "Korean: this text is missing."


def test_a_text_in_another_language_than_those_asked_for_stays_visible():
    form = TextForm(initial={"text": {"ko": "가", "fr": "A"}})
    show_languages(form, ["ko"])
    assert 'name="text_fr" value="A"' in str(form["text"])
    bound = TextForm({"text_ko": "가", "text_fr": "A"}, initial={"text": {"ko": "가", "fr": "A"}})
    show_languages(bound, ["ko"])
    assert bound.is_valid()
    assert bound.cleaned_data["text"] == {"ko": "가", "fr": "A"}
    assert not bound.has_changed()


def test_line_ends_of_a_browser_are_no_change():
    data = {"text_ko": "가\r\n나", "text_en": "A"}
    form = TextForm(data, initial={"text": {"ko": "가\n나", "en": "A"}})
    assert form.is_valid()
    assert not form.has_changed()
    assert form.cleaned_data["text"].get("ko") == "가\n나"


def test_null_characters_are_refused():
    assert not TextForm({"text_ko": "가\0", "text_en": "A"}).is_valid()
