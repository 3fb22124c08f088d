"""Publishing a statement: who may, what is checked, what cannot change, how it is proven."""

from datetime import date, timedelta
from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from harness import exposure_factory
from incidents.models import DataClass, Incident, IncidentDataClass
from statements import publishing
from statements.findings import Finding
from statements.models import Advisory, Section, Statement, StatementVersion
from tests.database import without_triggers
from tests.localized import merged

pytestmark = pytest.mark.usefixtures("english")
NAMED = {"ko": "- 이름\n- 주소", "en": "- Names\n- Addresses"}


@pytest.fixture
def claims(incident):
    """States that names and addresses leaked, and passwords did not."""
    for slug, state in (
        ("names", "involved"),
        ("physical-addresses", "involved"),
        ("passwords", "not_involved"),
    ):
        exposure_factory.state(incident, slug, state)


@pytest.fixture
def notice(incident, claims) -> Statement:
    return Statement.objects.create(incident=incident, kind="notice", slug="notice")


def complete(draft: StatementVersion) -> StatementVersion:
    """Returns the draft with all texts in both languages."""
    StatementVersion.objects.filter(pk=draft.pk).update(
        title={"ko": "유출 통지", "en": "Notice of a leak"},
        change_reason={"ko": "바로잡았습니다.", "en": "Corrected."},
    )
    draft.sections.update(body={"ko": "내용입니다.", "en": "These are the words."})
    draft.sections.filter(key="data_items").update(body={"ko": NAMED["ko"], "en": NAMED["en"]})
    draft.refresh_from_db()
    return draft


@pytest.fixture
def draft(notice, editor) -> StatementVersion:
    """A draft that can be published."""
    return complete(publishing.draft_next(notice, by=editor))


def codes(version: StatementVersion, by) -> list[str]:
    """Returns the rules that block publishing."""
    return [finding.rule for finding in blocking(version, by)]


def blocking(version: StatementVersion, by) -> list[Finding]:
    return [finding for finding in publishing.publishing_findings(version, by=by) if finding.blocks]


def test_a_first_draft_holds_the_sections_the_law_asks_for(notice, editor):
    draft = publishing.draft_next(notice, by=editor)
    assert draft.number == 1
    assert [section.key for section in draft.sections.all()] == [
        "data_items",
        "when_and_how",
        "self_protection_steps",
        "response_and_remedy_procedure",
        "rights_and_remedies",
        "department_and_contact",
    ]


def test_drafting_again_gives_the_open_draft(draft, notice, approver):
    assert publishing.draft_next(notice, by=approver) == draft


def test_a_second_person_publishes(draft, approver):
    published = publishing.publish(draft, by=approver)
    assert published.is_published
    assert published.approved_by == approver
    assert len(published.hash) == 64
    assert published.previous_hash == ""
    assert published.class_states == [
        {"class": "names", "state": "involved", "basis": "company"},
        {"class": "physical-addresses", "state": "involved", "basis": "company"},
        {"class": "passwords", "state": "not_involved", "basis": "company"},
    ]


def test_the_author_cannot_publish(draft, editor):
    with pytest.raises(publishing.PublishingRefusedError) as refused:
        publishing.publish(draft, by=editor)
    assert [finding.rule for finding in refused.value.findings] == ["second_person"]
    draft.refresh_from_db()
    assert not draft.is_published


def test_no_editor_can_publish_even_if_another_saved_last(draft, approver, seojun):
    draft.editors.add(approver)
    draft.editors.add(seojun)
    assert codes(draft, approver) == ["second_person"]
    assert codes(draft, seojun) == ["second_person"]


def test_an_editor_of_the_statement_cannot_publish_its_first_version(
    draft, editor, approver, seojun
):
    draft.statement.editors.add(approver)
    assert codes(draft, approver) == ["second_person"]

    publishing.publish(draft, by=seojun)
    correction = complete(publishing.draft_next(draft.statement, by=editor))
    assert codes(correction, approver) == []
    assert publishing.publish(correction, by=approver).is_published


def test_the_database_requires_a_second_person(draft, editor):
    draft.approved_by = editor
    with pytest.raises(IntegrityError), transaction.atomic():
        draft.save()


@pytest.mark.parametrize("edited", ["version", "statement"])
def test_the_database_lets_no_editor_publish(draft, approver, edited):
    (draft if edited == "version" else draft.statement).editors.add(approver)
    with pytest.raises(IntegrityError, match="edited"), transaction.atomic():
        StatementVersion.objects.filter(pk=draft.pk).update(
            state="published", approved_by=approver, published_at=timezone.now(), hash="0" * 64
        )


def test_a_public_incident_stays_public_while_its_statements_must_be_shown(published, incident):
    with pytest.raises(IntegrityError, match="must be shown"), transaction.atomic():
        type(incident).objects.filter(pk=incident.pk).update(is_public=False)
    incident.title |= {"en": "Another title"}
    incident.save()


def test_an_incident_without_a_current_statement_may_be_hidden(draft, published, incident):
    tamper("UPDATE statements_statementversion SET display_until = CURRENT_DATE - 1")
    assert type(incident).objects.filter(pk=incident.pk).update(is_public=False) == 1


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_missing_title_is_refused(draft, approver, language):
    draft.title |= {language: " "}
    assert codes(draft, approver) == ["language"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_missing_text_is_refused_and_named(draft, approver, language):
    draft.sections.filter(key="when_and_how").update(**merged("body", **{language: "\n"}))
    [finding] = blocking(draft, approver)
    assert finding.rule == "language"
    assert str(Section.Key.WHEN_AND_HOW.label) in str(finding.why)


def test_a_heading_in_one_language_only_is_refused(draft, approver):
    draft.sections.filter(key="when_and_how").update(**merged("heading", ko="언제"))
    assert codes(draft, approver) == ["language"]


def test_a_version_without_sections_is_refused(incident, editor, approver):
    update = Statement.objects.create(incident=incident, kind="update", slug="update")
    draft = complete(publishing.draft_next(update, by=editor))
    draft.sections.all().delete()
    assert codes(draft, approver) == ["empty"]


def test_a_notice_without_a_section_of_the_law_is_refused(draft, approver):
    draft.sections.filter(key="self_protection_steps").delete()
    assert codes(draft, approver) == ["kr-pipa-self-protection"]


@pytest.mark.parametrize(("days", "expected"), [(29, ["display"]), (30, [])])
def test_a_notice_must_be_posted_for_thirty_days(draft, approver, days, expected):
    draft.display_until = timezone.localdate() + timedelta(days=days)
    assert codes(draft, approver) == expected


def test_a_leaked_class_that_is_not_named_is_refused(draft, incident, approver):
    IncidentDataClass.objects.create(
        incident=incident,
        data_class=DataClass.objects.get(slug="entrance-codes"),
        state="involved",
        basis="confirmed",
    )
    findings = blocking(draft, approver)
    assert [finding.rule for finding in findings] == ["class", "class"]
    assert "공동현관 출입번호" in str(findings[0].why)
    assert "Entrance code" in str(findings[1].why)


def test_a_longer_name_does_not_name_the_shorter_class(draft, approver):
    draft.sections.filter(key="data_items").update(
        body={"ko": "이름, 이메일 주소", "en": "Names, e-mail addresses"}
    )
    assert codes(draft, approver) == ["class", "class"]


def test_a_class_that_did_not_leak_need_not_be_named(draft, approver):
    assert "Password" not in NAMED["en"]
    assert codes(draft, approver) == []


def test_an_advisory_without_its_issuer_is_refused(incident, editor, approver):
    statement = Statement.objects.create(incident=incident, kind="advisory", slug="warning")
    draft = complete(publishing.draft_next(statement, by=editor))
    assert codes(draft, approver) == ["advisory"]


def test_a_correction_says_why_and_chains_to_the_version_before(draft, notice, editor, approver):
    first = publishing.publish(draft, by=approver)
    second = publishing.draft_next(notice, by=editor)
    assert second.number == 2
    assert second.title.get("en") == "Notice of a leak"
    assert [section.body.get("en") for section in second.sections.all()] == [
        section.body.get("en") for section in first.sections.all()
    ]
    assert codes(second, approver) == ["language", "language"]

    second = publishing.publish(complete(second), by=approver)
    assert second.previous_hash == first.hash
    assert second.hash != first.hash
    assert publishing.verify_statement(notice) == []


def test_publishing_twice_is_refused(draft, approver):
    publishing.publish(draft, by=approver)
    with pytest.raises(publishing.PublishingRefusedError):
        publishing.publish(draft, by=approver)


# A published version cannot change


@pytest.fixture
def published(draft, approver) -> StatementVersion:
    return publishing.publish(draft, by=approver)


@pytest.fixture
def advisory(incident, editor, approver) -> Advisory:
    statement = Statement.objects.create(incident=incident, kind="advisory", slug="kisa")
    advisory = Advisory.objects.create(
        statement=statement,
        issuer={"ko": "한국인터넷진흥원", "en": "KISA"},
        issued_on=date(2025, 11, 29),
        severity=3,
    )
    publishing.publish(complete(publishing.draft_next(statement, by=editor)), by=approver)
    return advisory


def itself(version: StatementVersion):
    return StatementVersion.objects.filter(pk=version.pk)


CHANGES = {
    "the title": lambda v: itself(v).update(**merged("title", en="x")),
    "the state": lambda v: itself(v).update(state="draft", published_at=None, hash=""),
    "the posting time": lambda v: itself(v).update(display_until=F("created_at")),
    "the hash": lambda v: itself(v).update(hash="0" * 64),
    "a section's text": lambda v: v.sections.update(**merged("body", ko="x")),
    "a new section": lambda v: Section.objects.create(version=v, key="body", position=99),
    "a section less": lambda v: v.sections.all()[0].delete(),
    "the statement's address": lambda v: Statement.objects.filter(pk=v.statement_id).update(
        slug="x"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_database_refuses_to_change_a_published_version(published, change):
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        change(published)


@pytest.mark.parametrize(
    "delete",
    [
        "DELETE FROM statements_section",
        "DELETE FROM statements_statementversion",
        "DELETE FROM statements_statement",
    ],
)
def test_the_database_refuses_to_delete_a_published_version(published, delete):
    with (
        pytest.raises(IntegrityError, match="cannot be changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(delete)


@pytest.mark.parametrize(
    "table",
    [
        *("statements_statement", "statements_statementversion", "statements_section"),
        *("statements_advisory", "statements_dutywaiver", "incidents_incident", "accounts_user"),
    ],
)
def test_the_database_refuses_to_truncate_tables_with_published_versions(published, table):
    with (
        pytest.raises(IntegrityError, match="cannot be changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE")
    assert StatementVersion.objects.filter(pk=published.pk).exists()


def test_tables_without_published_versions_may_be_truncated(draft):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE statements_statementversion CASCADE")
    assert not StatementVersion.objects.exists()


DELETIONS = {
    "versions": lambda _: StatementVersion.objects.all().delete(),
    "the version": lambda v: v.delete(),
    "sections": lambda v: Section.objects.filter(version=v).delete(),
    "statements": lambda _: Statement.objects.all().delete(),
    "the incident": lambda v: v.statement.incident.delete(),
    "incidents": lambda _: Incident.objects.all().delete(),
    "who wrote it": lambda v: v.created_by.delete(),
    "who approved it": lambda v: v.approved_by.delete(),
    "people": lambda _: User.objects.all().delete(),
}


@pytest.mark.parametrize("delete", DELETIONS.values(), ids=DELETIONS.keys())
def test_no_cascade_deletes_a_published_version(published, delete):
    with pytest.raises(IntegrityError), transaction.atomic():  # ProtectedError is a subclass
        delete(published)
    stored = StatementVersion.objects.get(pk=published.pk)
    assert publishing.verify_statement(stored.statement) == []


def test_a_published_advisory_keeps_its_issuer(advisory):
    for change in (
        lambda: Advisory.objects.update(**merged("issuer", en="somebody else")),
        lambda: advisory.delete(),
    ):
        with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
            change()


def test_a_section_cannot_be_moved_into_a_published_version(published, notice, editor):
    draft = publishing.draft_next(notice, by=editor)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        draft.sections.filter(key="data_items").update(version=published, position=99)


def test_a_draft_can_be_changed_and_deleted(draft):
    draft.sections.update(**merged("body", ko="다시"))
    draft.delete()
    assert not StatementVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_section_saved_while_its_version_is_published_is_refused(incident, editor, approver):
    """The writer waits for the publisher's transaction, and then the version is published."""
    update = Statement.objects.create(incident=incident, kind="update", slug="update")
    draft = complete(publishing.draft_next(update, by=editor))
    outcomes: list[str] = []

    def write() -> None:
        try:
            Section.objects.filter(version_id=draft.pk).update(**merged("body", en="slipped in"))
            outcomes.append("written")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    writer = Thread(target=write)
    with transaction.atomic():
        publishing.publish(draft, by=approver)
        writer.start()
        writer.join(timeout=0.5)
        assert writer.is_alive()
    writer.join()
    assert outcomes == ["refused"]
    assert publishing.verify_statement(update) == []


# The hash chain


def tamper(sql: str, *values: str | int) -> None:
    """Executes SQL without triggers, as only the owner of the database could."""
    with without_triggers() as cursor:
        cursor.execute(sql, values)


def test_one_changed_letter_is_found_and_its_version_named(published, notice):
    tamper(
        "UPDATE statements_section SET body = body || jsonb_build_object('en', '.') "
        "WHERE version_id = %s",
        published.pk,
    )
    assert publishing.verify_statement(notice) == ["Version 1 is not what was published."]


def test_a_changed_issuer_is_found(advisory):
    tamper("UPDATE statements_advisory SET hotline = '000'")
    assert publishing.verify_statement(advisory.statement) == [
        "Version 1 is not what was published."
    ]


def test_a_forged_hash_breaks_the_chain(published, notice, editor, approver):
    publishing.publish(complete(publishing.draft_next(notice, by=editor)), by=approver)
    published.class_states = []
    forged = publishing.compute_hash(published)
    tamper(
        "UPDATE statements_statementversion SET class_states = '[]', hash = %s WHERE id = %s",
        forged,
        published.pk,
    )
    assert publishing.verify_statement(notice) == ["Version 2 does not follow the one before."]


def test_a_removed_version_is_detected(published, notice, editor, approver):
    publishing.publish(complete(publishing.draft_next(notice, by=editor)), by=approver)
    tamper("DELETE FROM statements_section WHERE version_id = %s", published.pk)
    tamper("DELETE FROM statements_statementversion WHERE id = %s", published.pk)
    assert publishing.verify_statement(notice) == ["Version 1 is missing."]


def test_a_later_batch_does_not_change_the_proof(published, notice, incident):
    incident.class_states.update(state="possibly")
    assert publishing.verify_statement(notice) == []
