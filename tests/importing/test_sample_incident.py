"""The sample incident of the demonstration."""

import re

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from accounts.models import User
from breachportal.demo.sample import send_notice
from incidents.models import IncidentDataClass
from notices.models import Notice
from statements import publishing, sample
from statements.models import Section, Statement, StatementVersion, TimelineEntry

pytestmark = pytest.mark.django_db


def everything() -> list[object]:
    """Returns every row of the sample, with every column."""
    models = (User, IncidentDataClass, Statement, StatementVersion, Section, TimelineEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def every_text() -> list[str]:
    """Returns all texts of the sample, in all languages."""
    sections = Section.objects.values_list("body", "heading")
    entries = TimelineEntry.objects.values_list("text")
    versions = StatementVersion.objects.values_list("title")
    rows = (*sections, *entries, *versions)
    return [text for row in rows for one in row for text in one.by_language().values()]


def test_a_second_load_changes_nothing():
    call_command("load_sample_incident")
    before = everything()
    call_command("load_sample_incident")
    assert everything() == before


def test_every_text_is_published_by_a_second_person_and_proven(coupang):
    assert [statement.slug for statement in coupang.statements.all()] == [
        "apology",
        "notice",
        "kisa-advisory",
    ]
    for statement in coupang.statements.all():
        version = statement.versions.get()
        assert version.is_published
        assert version.created_by.email == sample.EDITOR
        assert version.approved_by.email == sample.APPROVER
        assert publishing.verify_statement(statement) == []


def test_nothing_hedges_and_leaked_is_called_leaked(coupang):
    banned = re.compile(
        r"\b(may|might|could) have\b|no evidence|exposed|노출|possibly|가능성|추정", re.IGNORECASE
    )
    for text in every_text():
        assert not banned.search(text), text


def test_the_allegation_is_labelled_everywhere(coupang):
    mentions = Section.objects.filter(body__en__icontains="former employee")
    assert mentions
    for section in mentions:
        assert section.basis == "allegation"
        assert "not confirmed" in section.body.get("en")
        assert "확인된 사실이 아닙니다" in section.body.get("ko")
    assert not TimelineEntry.objects.filter(text__en__icontains="employee").exists()


def test_entrance_codes_are_named_as_leaked(coupang):
    claim = coupang.class_states.get(data_class__slug="entrance-codes")
    assert claim.state == IncidentDataClass.State.INVOLVED
    for section in Section.objects.filter(key=Section.Key.DATA_ITEMS):
        assert "공동현관 출입번호" in section.body.get("ko")
        assert "Entrance code" in section.body.get("en")


def test_both_languages_give_the_same_numbers_to_dial_and_counts(coupang):
    def numbers(text: str) -> set[str]:
        return set(re.findall(r"\d{2},\d{3},\d{3}|\b11[28]\b|4,536", text))

    for section in Section.objects.all():
        assert numbers(section.body.get("ko")) == numbers(section.body.get("en")), section.key


def test_a_visitors_own_notice_does_not_stop_the_demonstrations_next_start(coupang):
    version = coupang.statements.get(kind="notice").versions.get(number=1)
    editor, approver = (User.objects.get(email=each) for each in (sample.EDITOR, sample.APPROVER))
    fields = {"incident": coupang, "version": version, "kind": "mandatory"}
    ours = Notice.objects.create(
        **fields, created_by=editor, state="cancelled", approved_by=approver, approved_at=now()
    )
    theirs = Notice.objects.create(**fields, created_by=approver)
    assert send_notice() == ours
    theirs.refresh_from_db()
    assert theirs.state == Notice.State.DRAFT
