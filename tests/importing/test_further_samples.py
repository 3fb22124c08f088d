"""The invented samples: two retailers in Europe and Japan, a pharmacy in the United States."""

import re
from html import unescape

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.translation import override

from breachportal.demo import sample as demo_sample
from incidents.models import DataClass, Incident
from incidents.steps import steps_for
from incidents.templatetags.official_links import official_links
from statements import publishing, sample
from statements.legal.deadlines import DutyStatus, clocks_of
from statements.legal.uncovered_states import uncovered_states
from statements.wording import has_rules

pytestmark = pytest.mark.django_db

FURTHER = sample.SAMPLES[1:]
NAMES = [("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ja", "日本語")]


@pytest.fixture(autouse=True)
def own_laws(settings) -> None:
    settings.LAW_FOLDER = str(sample.LAW_FOLDER)


@pytest.mark.parametrize("slug", FURTHER)
def test_a_sample_is_published_in_the_languages_that_the_portal_has(slug, capsys):
    call_command("load_sample_incident", slug)
    incident = Incident.objects.get(slug=slug)
    assert incident.languages == ["en"]
    assert "wait for a catalogue in: " in capsys.readouterr().out
    for statement in incident.statements.all():
        version = statement.versions.get()
        assert version.title.languages() == ["en"]
        assert publishing.verify_statement(statement) == []


@pytest.mark.parametrize("slug", FURTHER)
def test_a_sample_is_published_in_all_its_languages_once_the_portal_has_them(slug, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, *NAMES]
    incident = sample.load_sample_incident(slug)
    assert sample.waiting_languages(slug) == []
    assert len(incident.languages) > 1
    for statement in incident.statements.all():
        version = statement.versions.get()
        rules = [each.rule for each in publishing.draft_findings(version)]
        without_rules = [code for code in incident.languages if not has_rules(code)]
        assert rules.count("no_rules") == len(without_rules)
        assert not {"parity_figure", "parity_link", "language"} & set(rules)


@pytest.mark.parametrize("slug", FURTHER)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_home_without_an_advisory_has_the_steps_about_the_leaked_classes(slug, language, client):
    incident = sample.load_sample_incident(slug)
    leaked = incident.class_states.exclude(state="not_involved").select_related("data_class")
    laws = [each.jurisdiction for each in incident.jurisdictions.all()]
    with override(language):
        steps = steps_for([row.data_class for row in leaked], (), laws)

    page = unescape(client.get(f"/{language}/").text)

    assert len(steps) > 4
    places = [page.index(unescape(official_links(step.text))) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize("slug", ["us-pharmacy"])
def test_a_sample_with_a_law_of_its_own(slug):
    incident = sample.load_sample_incident(slug)
    clocks = {clock.duty.id for clock in clocks_of(incident)}
    assert {"us-ca-notice-30-days", "hipaa-notice-60-days", "us-tx-notice-60-days"} <= clocks
    states = {state.code for state in uncovered_states(["US-CA", "US-HIPAA", "US-TX"])}
    assert "US-NY" in states
    assert "US-TX" not in states


@pytest.mark.parametrize("slug", ["us-pharmacy"])
def test_a_sample_without_its_law_is_refused(slug, settings):
    for is_loaded in (False, True):
        settings.LAW_FOLDER = ""
        with pytest.raises(CommandError, match=r"set LAW_FOLDER=.*/sample/laws"):
            call_command("load_sample_incident", slug)
        with pytest.raises(sample.SampleRefusedError):
            demo_sample.prepare(print, slug)
        if not is_loaded:
            settings.LAW_FOLDER = str(sample.LAW_FOLDER)
            call_command("load_sample_incident", slug)


@pytest.mark.parametrize("slug", ["us-pharmacy"])
def test_a_state_of_the_company_has_the_steps_of_its_country(slug):
    number = DataClass.objects.get(slug="social-security-numbers")
    steps = [step.text for step in steps_for([number], (), ["US-TX"])]
    assert any("Equifax" in step for step in steps)
    assert steps == [step.text for step in steps_for([number], (), ["US-CA"])]


@pytest.mark.parametrize("slug", ["us-pharmacy"])
def test_the_notice_has_number_and_address_of_each_credit_bureau(slug, settings):
    """Civil Code 1798.82(d)(2)(F)."""
    settings.LANGUAGES = [*settings.LANGUAGES, *NAMES]
    incident = sample.load_sample_incident(slug)
    [version] = incident.statements.get(kind="notice").versions.all()
    body = version.sections.get(key="self_protection_steps").body
    for language in ("en", "es"):
        for bureau in ("Equifax", "Experian", "TransUnion"):
            contact = rf"{bureau}: 1-8\d\d-\d{{3}}-\d{{4}}, P\.O\. Box \d+, \w+, [A-Z]{{2}} \d{{5}}"
            assert re.search(contact, body.get(language)), (language, bureau)


@pytest.mark.parametrize("languages", [("es",), ("ko", "es")])
def test_a_sample_that_lacks_a_language_that_its_law_demands_is_refused(languages, settings):
    settings.LANGUAGES = [(code, code) for code in languages]
    with pytest.raises(CommandError, match=r"in es: .*1798\.82.*Add en to PORTAL_LANGUAGES"):
        call_command("load_sample_incident", "us-pharmacy")
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    ("slug", "duties"),
    [
        ("eu-retailer", ["gdpr-report-72h", "uk-gdpr-report-72h"]),
        (
            "us-pharmacy",
            [
                "us-ca-attorney-general-15-days",
                "us-tx-attorney-general-30-days",
                "us-tx-credit-agencies",
                "hipaa-secretary-60-days",
                "hipaa-media-60-days",
            ],
        ),
    ],
)
def test_what_the_timeline_says_was_reported_is_on_file_in_time(slug, duties):
    incident = sample.load_sample_incident(slug)
    states = {clock.duty.id: clock.where for clock in clocks_of(incident)}
    assert {duty: states[duty] for duty in duties} == dict.fromkeys(duties, DutyStatus.MET)


def test_no_duty_of_a_notice_is_met_before_it_is_published():
    incident = sample.load_sample_incident("us-pharmacy")
    [version] = incident.statements.get(kind="notice").versions.all()
    met = [clock for clock in clocks_of(incident) if clock.duty.kind == "content" and clock.met_at]
    assert {clock.met_at for clock in met} == {version.published_at}
    assert {clock.duty.id for clock in met} > {"us-ca-credit-bureaus", "hipaa-contact"}
