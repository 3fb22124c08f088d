"""Errors on the desk name fields in words of the desk, never as the code calls them."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import RequestFactory

from accounts.models import User
from foundations.inline_formsets import WordedInlineFormSet
from harness.exposure_factory import class_id
from incidents.models import Incident
from tests.desk_pages import desk_url, page_text
from tests.incidents.test_incident_admin import NEW_INCIDENT

pytestmark = pytest.mark.django_db


def inlines() -> list[Any]:
    """Returns each class of rows on another row's page, with the formset that the desk makes."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    found = []
    for model, desk in admin.site._registry.items():
        for inline in desk.inlines:
            made = inline(model, admin.site)
            if made.has_add_permission(request, None) or made.has_change_permission(request, None):
                found.append(made)
    return found


def test_each_formset_of_the_desk_names_its_fields_in_words():
    names = [type(each).__name__ for each in inlines()]
    assert {"ClassStateInline", "JurisdictionInline", "SectionInline"} <= set(names)
    plain = [
        type(each).__name__
        for each in inlines()
        if not issubclass(each.formset, WordedInlineFormSet)
    ]
    assert plain == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Two rows have the same value: Data class."),
        ("ko", "두 행의 값이 같습니다: 정보 항목."),
    ],
)
def test_a_data_class_that_is_stated_twice_is_named_in_words(client, editors_desk, language, words):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    twice = {f"class_states-{row}-data_class": class_id("names") for row in (0, 1)}
    second = {"class_states-1-state": "involved", "class_states-1-basis": "company"}
    form = NEW_INCIDENT | second | twice | {"class_states-TOTAL_FORMS": "2"}
    assert words in page_text(editors_desk.post(desk_url("incidents_incident_add"), form))
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The access ended before it began."),
        ("ko", "접근이 끝난 날이 시작한 날보다 빠릅니다."),
    ],
)
def test_a_period_that_ends_before_it_begins_is_refused_in_words(
    client, editors_desk, language, words
):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    form = NEW_INCIDENT | {"began_on": "2026-01-05", "ended_on": "2026-01-04"}
    form |= {"class_states-0-data_class": str(class_id("names"))}
    shown = page_text(editors_desk.post(desk_url("incidents_incident_add"), form))
    assert words in shown
    assert "incident_began_before_it_ended" not in shown
    assert not Incident.objects.exists()
