"""Statements at the desk: drafting, editing, previewing and publishing."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.models import DataClass, IncidentDataClass
from statements import publishing
from statements.models import Advisory, Section, Statement, StatementVersion
from tests.desk_pages import desk_url, form_of
from tests.localized import merged


@pytest.fixture
def update(incident) -> Statement:
    return Statement.objects.create(incident=incident, kind="update", slug="update")


@pytest.fixture
def draft(update, editor) -> StatementVersion:
    """A complete draft with one section."""
    draft = publishing.draft_next(update, by=editor)
    draft.title = {"ko": "새 소식", "en": "News"}
    draft.save()
    draft.sections.update(body={"ko": "**새** 내용", "en": "**New** words"})
    return draft


def confirm(client, version: StatementVersion):
    """Opens the publishing page and posts its form."""
    url = desk_url("statements_statementversion_publish", version.pk)
    seen = client.get(url).context["form"].shown
    return client.post(url, {"seen": seen}, follow=True)


def test_the_next_version_is_drafted_from_the_statement(editors_desk, update, editor):
    response = editors_desk.post(desk_url("statements_statement_draft", update.pk), follow=True)
    draft = update.versions.get()
    assert draft.created_by == editor
    assert response.request["PATH_INFO"] == desk_url("statements_statementversion_change", draft.pk)


def test_a_link_does_not_draft(editors_desk, update):
    assert editors_desk.get(desk_url("statements_statement_draft", update.pk)).status_code == 405
    assert not update.versions.exists()


def test_a_draft_may_be_saved_half_written(editors_desk, draft, editor):
    url = desk_url("statements_statementversion_change", draft.pk)
    data = form_of(editors_desk.get(url)) | {"title_en": "", "sections-0-body_en": ""}
    assert editors_desk.post(url, data).status_code == 302
    draft.refresh_from_db()
    assert draft.title.get("en") == ""
    assert draft.sections.get().body.get("en") == ""
    assert [*draft.editors.all()] == [editor]


def test_the_preview_is_the_customers_page_in_either_language(editors_desk, draft):
    url = desk_url("statements_statementversion_preview", draft.pk)
    korean, english = (
        editors_desk.get(url, {"language": "ko"}),
        editors_desk.get(url, {"language": "en"}),
    )
    assert "<strong>새</strong> 내용" in korean.content.decode()
    assert '<html lang="ko">' in korean.content.decode()
    assert "<strong>New</strong> words" in english.content.decode()
    assert '<html lang="en">' in english.content.decode()
    assert "no-store" in korean["Cache-Control"]


def test_a_second_person_publishes(approvers_desk, draft, approver):
    response = confirm(approvers_desk, draft)
    draft.refresh_from_db()
    assert draft.is_published
    assert draft.approved_by == approver
    assert response.request["PATH_INFO"] == desk_url("statements_statementversion_change", draft.pk)
    assert reverse("admin:notices_notice_add") in response.text


def test_an_approver_reads_that_an_editor_drafts_the_notice(client, draft):
    second = User.objects.create_user("second@breachportal.example", is_staff=True)
    second.groups.add(Group.objects.get(name="approver"))
    sign_in_to_desk(client, second)
    response = confirm(client, draft)
    assert "Next, an editor drafts the notice that tells people." in response.text
    assert reverse("admin:notices_notice_add") not in response.text


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("update", "kind=alert&amp;topic=updates"),
        ("advisory", "kind=alert&amp;topic=scams"),
        ("notice", "kind=mandatory"),
    ],
)
def test_publishing_offers_to_notify_people(approvers_desk, incident, editor, kind, query):
    statement = Statement.objects.create(incident=incident, kind=kind, slug=kind)
    if kind == "advisory":
        Advisory.objects.create(
            statement=statement,
            issuer={"ko": "인터넷진흥원", "en": "KISA"},
            issued_on="2025-11-29",
            severity=3,
        )
    draft = publishing.draft_next(statement, by=editor)
    StatementVersion.objects.filter(pk=draft.pk).update(title={"ko": "제목", "en": "Title"})
    draft.sections.update(body={"ko": "내용", "en": "Words"})
    link = f"{reverse('admin:notices_notice_add')}?version={draft.pk}&amp;{query}"
    assert f'href="{link}"' in confirm(approvers_desk, draft).content.decode()


def test_the_author_reads_that_a_second_person_is_needed(editors_desk, draft):
    response = confirm(editors_desk, draft)
    assert "A second person has to publish it" in response.content.decode()
    draft.refresh_from_db()
    assert not draft.is_published


def test_the_publishing_page_says_what_is_missing(approvers_desk, draft, incident):
    IncidentDataClass.objects.create(
        incident=incident,
        data_class=DataClass.objects.get(slug="entrance-codes"),
        state="involved",
        basis="confirmed",
    )
    draft.sections.update(key="data_items")
    response = approvers_desk.get(desk_url("statements_statementversion_publish", draft.pk))
    assert "Entrance code" in response.content.decode()
    assert "Publish for good" not in response.content.decode()


def test_a_draft_changed_since_it_was_read_is_not_published(approvers_desk, draft):
    url = desk_url("statements_statementversion_publish", draft.pk)
    seen = approvers_desk.get(url).context["form"].shown
    draft.sections.update(**merged("body", en="slipped in"))
    response = approvers_desk.post(url, {"seen": seen})
    assert "The draft was changed while you read it" in response.content.decode()
    draft.refresh_from_db()
    assert not draft.is_published
    approvers_desk.post(url, {"seen": response.context["form"].shown})
    draft.refresh_from_db()
    assert draft.is_published  # the refused page shows the changed draft


def test_publishing_twice_leads_to_the_version(approvers_desk, draft):
    confirm(approvers_desk, draft)
    again = approvers_desk.get(desk_url("statements_statementversion_publish", draft.pk))
    assert again.url == desk_url("statements_statementversion_change", draft.pk)


def test_staff_without_the_right_cannot_publish_or_preview(client, draft):
    support = User.objects.create_user("support@breachportal.example", is_staff=True)
    sign_in_to_desk(client, support)
    assert client.get(desk_url("statements_statementversion_publish", draft.pk)).status_code == 403
    assert client.post(desk_url("statements_statementversion_publish", draft.pk)).status_code == 403
    assert client.get(desk_url("statements_statementversion_preview", draft.pk)).status_code == 403
    assert (
        client.post(desk_url("statements_statement_draft", draft.statement_id)).status_code == 403
    )


def test_an_editor_without_the_right_is_not_offered_to_publish(client, draft):
    writer = User.objects.create_user("writer@breachportal.example", is_staff=True)
    for name in ("view_statementversion", "change_statementversion"):
        writer.user_permissions.add(Permission.objects.get(codename=name))
    sign_in_to_desk(client, writer)
    response = client.get(desk_url("statements_statementversion_change", draft.pk))
    assert (
        desk_url("statements_statementversion_publish", draft.pk) not in response.content.decode()
    )
    assert desk_url("statements_statementversion_previews", draft.pk) in response.content.decode()


def test_customers_find_no_preview(client, minji, draft):
    client.force_login(minji)
    assert client.get(desk_url("statements_statementversion_preview", draft.pk)).status_code == 404


@pytest.fixture
def published(draft, approver) -> StatementVersion:
    return publishing.publish(draft, by=approver)


def test_a_published_version_is_read_only(editors_desk, published):
    for url in (
        desk_url("statements_statementversion_change", published.pk),
        desk_url("statements_statement_change", published.statement_id),
    ):
        response = editors_desk.get(url)
        assert response.status_code == 200
        assert not re.search(
            r'name="(_save|title_en|slug|sections-0-body_en)"', str(response.content)
        )
        assert editors_desk.post(url, {"title_en": "x", "slug": "x"}).status_code in (302, 403)
    before = published.title
    published.refresh_from_db()
    assert published.title == before


def test_a_published_version_cannot_be_deleted(editors_desk, published):
    for name, pk in (("statementversion", published.pk), ("statement", published.statement_id)):
        assert (
            editors_desk.post(
                desk_url(f"statements_{name}_delete", pk), {"post": "yes"}
            ).status_code
            == 403
        )
        selected = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        editors_desk.post(reverse(f"admin:statements_{name}_changelist"), selected)
    published.refresh_from_db()
    assert Section.objects.filter(version=published).exists()


@pytest.mark.parametrize("name", ["incidents_incident", "accounts_user"])
def test_no_deletion_at_the_desk_deletes_a_published_version(
    editors_desk, published, approver, name
):
    pks = {"incidents_incident": published.statement.incident_id, "accounts_user": approver.pk}
    client = Client(raise_request_exception=False)
    client.cookies = editors_desk.cookies
    client.post(reverse(f"admin:{name}_delete", args=[pks[name]]), {"post": "yes"})
    selected = {"action": "delete_selected", "_selected_action": [pks[name]], "post": "yes"}
    client.post(reverse(f"admin:{name}_changelist"), selected)
    published.refresh_from_db()
    assert published.statement.incident.pk == pks["incidents_incident"]
    assert User.objects.filter(pk=approver.pk).exists()
    assert publishing.verify_statement(published.statement) == []


def test_a_published_advisory_keeps_its_issuer(editors_desk, incident, editor, approver):
    statement = Statement.objects.create(incident=incident, kind="advisory", slug="kisa")
    url = desk_url("statements_statement_change", statement.pk)
    data = form_of(editors_desk.get(url)) | {
        "advisory-0-issuer_ko": "한국인터넷진흥원",
        "advisory-0-issuer_en": "KISA",
        "advisory-0-issued_on": "2025-11-29",
        "advisory-0-severity": "3",
    }
    assert editors_desk.post(url, data).status_code == 302
    assert statement.advisory.issuer.get("en") == "KISA"

    draft = publishing.draft_next(statement, by=editor)
    StatementVersion.objects.filter(pk=draft.pk).update(title={"ko": "주의", "en": "Beware"})
    draft.sections.update(body={"ko": "내용", "en": "Words"})
    publishing.publish(draft, by=approver)
    assert "advisory-0-issuer_en" not in editors_desk.get(url).content.decode()


def test_a_published_version_leads_to_the_next_draft(editors_desk, published):
    response = editors_desk.get(desk_url("statements_statementversion_change", published.pk))
    assert (
        desk_url("statements_statement_draft", published.statement_id) in response.content.decode()
    )
    editors_desk.post(desk_url("statements_statement_draft", published.statement_id))
    assert published.statement.versions.get(state="draft").number == 2


def save(client, url: str, **changes: str) -> None:
    assert client.post(url, form_of(client.get(url)) | changes).status_code == 302


def test_an_editor_cannot_publish_after_a_third_person_saved(client, draft, editor, approver):
    third = User.objects.create_user("third@breachportal.example", is_staff=True, is_superuser=True)
    url = desk_url("statements_statementversion_change", draft.pk)
    sign_in_to_desk(client, approver)
    save(client, url, title_en="The approver's own words")
    sign_in_to_desk(client, third)
    save(client, url)

    sign_in_to_desk(client, approver)
    assert "A second person has to publish it" in confirm(client, draft).content.decode()
    draft.refresh_from_db()
    assert not draft.is_published


@pytest.mark.parametrize("is_drafted", [True, False])
def test_an_editor_of_the_issuer_cannot_publish_the_advisory(
    approvers_desk, incident, editor, is_drafted
):
    statement = Statement.objects.create(incident=incident, kind="advisory", slug="kisa")
    if is_drafted:
        publishing.draft_next(statement, by=editor)
    save(
        approvers_desk,
        desk_url("statements_statement_change", statement.pk),
        **{
            "advisory-0-issuer_ko": "한국인터넷진흥원",
            "advisory-0-issuer_en": "KISA",
            "advisory-0-issued_on": "2025-11-29",
            "advisory-0-severity": "3",
            "advisory-0-hotline": "0000",
        },
    )
    draft = publishing.draft_next(statement, by=editor)
    StatementVersion.objects.filter(pk=draft.pk).update(title={"ko": "주의", "en": "Beware"})
    draft.sections.update(body={"ko": "내용", "en": "Words"})

    response = confirm(approvers_desk, draft)
    assert "A second person has to publish it" in response.content.decode()
    draft.refresh_from_db()
    assert not draft.is_published


def test_the_creator_of_a_statement_counts_as_its_editor(editors_desk, incident, editor):
    form = {"incident": incident.pk, "kind": "update", "slug": "call-0000"}
    assert editors_desk.post(reverse("admin:statements_statement_add"), form).status_code == 302
    assert [*Statement.objects.get(slug="call-0000").editors.all()] == [editor]


def test_a_new_statement_leads_to_its_text(editors_desk, incident):
    form = {"incident": incident.pk, "kind": "notice", "slug": "notice", "_save": "Save"}
    response = editors_desk.post(reverse("admin:statements_statement_add"), form)
    draft = StatementVersion.objects.get(statement__incident=incident, state="draft")
    url = reverse("admin:statements_statementversion_change", args=[draft.pk])
    assert response.url == url
    assert editors_desk.get(url).status_code == 200


def test_an_incident_is_not_hidden_on_the_desk_while_a_statement_must_be_shown(
    editors_desk, published, incident
):
    url = reverse("admin:incidents_incident_change", args=[incident.pk])
    editors_desk.cookies["language"] = "en"
    form = form_of(editors_desk.get(url))
    form.pop("is_public")
    response = editors_desk.post(url, form)
    assert "stays public" in response.content.decode()
    incident.refresh_from_db()
    assert incident.is_public
