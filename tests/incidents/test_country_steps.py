"""Steps by country: where people turn to, by the jurisdictions of the incident."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from harness.exposure_factory import expose, file_of, person
from incidents.country_steps import all_country_steps, country_steps
from incidents.models import DataClass, DoneStep, IncidentJurisdiction
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db


def steps_shown(incident, user, *slugs: str) -> str:
    expose(person(incident, email=user.email), file_of(incident), *slugs)
    return my_data(user)


def my_data(user) -> str:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(user)
    with override("en"):
        return page_text(client.get(reverse("my_data")))


def under(incident, *names: str) -> None:
    incident.jurisdictions.all().delete()
    for name in names:
        incident.jurisdictions.create(jurisdiction=name, standing="applies")


def test_the_file_names_classes_and_jurisdictions_that_exist():
    slugs = set(DataClass.objects.values_list("slug", flat=True))
    names = set(IncidentJurisdiction.Name.values)
    names |= {name.partition("-")[0] for name in names}  # a country stands for its states
    for step in all_country_steps():
        assert set(step.classes) <= slugs, step.source
        assert set(step.jurisdictions) <= names, step.source
        assert re.search("[가-힣]", step.text.get("ko"))
        assert step.text.get("en")
        assert len(step.text.get("ko").splitlines()) == 1


def test_each_text_of_a_step_has_a_word_of_its_links():
    for step in all_country_steps():
        for language, text in step.text.by_language().items():
            assert not step.links or any(word in text for word in step.links), (step.name, language)


def test_a_number_in_a_step_calls_and_text_of_the_team_stays_text(client, incident, minji):
    under(incident, "KR")
    names = DataClass.objects.get(slug="names")
    DataClass.objects.filter(pk=names.pk).update(actions={"ko": "<b>118</b>", "en": "<b>118</b>"})
    expose(person(incident, email=minji.email), file_of(incident), "names")
    client.force_login(minji)
    page = client.get("/en/my-data/").text
    assert 'dial <a href="tel:118" rel="noreferrer">118</a> in Korea (KISA).' in page
    assert "&lt;b&gt;118&lt;/b&gt;" in page


def test_every_jurisdiction_has_a_step_for_contacts():
    for name in IncidentJurisdiction.Name.values:
        assert country_steps("names", [name]), name


def test_no_general_step_names_a_country_of_others():
    for entry in DataClass.objects.exclude(
        slug__in=["resident-registration-numbers", "customs-codes"]
    ):
        assert "Korea" not in entry.actions.get("en"), entry.slug
        assert "118" not in entry.actions.get("ko"), entry.slug


@pytest.mark.parametrize(
    ("jurisdictions", "shown", "hidden"),
    [
        (["KR"], ["118 in Korea"], ["Report Fraud", "#9110"]),
        (["UK", "EU"], ["7726", "Report Fraud", "17Cyber"], ["118 in Korea", "IC3"]),
        (["JP"], ["#9110"], ["118 in Korea", "7726"]),
        (["US-CA"], ["IC3.gov"], ["118 in Korea", "freeze your credit"]),
        ([], [], ["118 in Korea", "7726", "#9110"]),
    ],
)
def test_steps_are_those_of_the_incidents_countries(incident, minji, jurisdictions, shown, hidden):
    under(incident, *jurisdictions)
    page = steps_shown(incident, minji, "names", "email-addresses", "passwords")
    assert [text for text in shown if text not in page] == []
    assert [text for text in hidden if text in page] == []


def test_a_leaked_social_security_number_leads_to_a_credit_freeze(incident, minji):
    under(incident, "US-CA")
    page = steps_shown(incident, minji, "social-security-numbers")
    assert "freeze your credit at all three bureaus" in page
    assert "Identity Protection PIN" in page


def test_a_change_of_the_jurisdictions_shows_at_once(incident, minji):
    under(incident, "KR")
    steps_shown(incident, minji, "names")
    under(incident, "JP")
    page = my_data(minji)
    assert "#9110" in page
    assert "118 in Korea" not in page


def test_a_step_of_a_country_stays_done(incident, minji):
    under(incident, "JP")
    page = steps_shown(incident, minji, "names")
    keys = re.findall(r'name="step" value="([0-9a-f]{16})"', page)
    assert "#9110" in page
    client = Client()
    client.force_login(minji)
    for each in keys:
        client.post(reverse("my_data_step", args=[incident.slug]), {"step": each, "done": "1"})
    assert set(DoneStep.objects.values_list("step", flat=True)) == set(keys)
