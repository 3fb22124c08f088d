"""The ledger digest of a closed notice: it reports every later change."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from notices import decisions, tasks
from notices.message_codes import envelope_sender
from notices.models import Delivery, LedgerDigest, LedgerDigestPage, Notice
from notices.models.notice import NOT_ADDING_UP
from notices.proof import ledger_digest
from notices.returned_mail import bounces
from tests.desk_pages import notice_url, page_text
from tests.notice_factory import delivery_to, work
from tests.returned_mail import bounce

pytest_plugins = ["tests.notice_fixtures"]


@pytest.fixture(autouse=True)
def _small_pages(settings):
    settings.NOTICE_LEDGER_PAGE = 2


@pytest.fixture
def closed(notice, server) -> Notice:
    work(notice)
    tasks.sweep_notices()
    tasks.digest_ledger(notice.pk)
    return notice


def verified(notice: Notice) -> list[str]:
    return list(ledger_digest.verify_ledger_digest(LedgerDigest.objects.get(notice=notice)))


def test_closing_computes_the_ledger_digest(closed):
    digest = LedgerDigest.objects.get()
    assert (digest.notice, digest.rows, digest.previous) == (closed, 3, "")
    assert list(LedgerDigestPage.objects.order_by("number").values_list("rows", flat=True)) == [
        2,
        1,
    ]
    assert verified(closed) == []


def test_a_digest_is_valid_after_the_secret_key_was_changed(closed, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    assert verified(closed) == []
    settings.SECRET_KEY_FALLBACKS = []
    assert "was not made with this portal's secret key" in "".join(verified(closed))


def test_computing_a_digest_again_changes_nothing(closed):
    before = LedgerDigest.objects.values().get()
    assert ledger_digest.compute_ledger_digest(closed.pk)
    assert LedgerDigest.objects.values().get() == before
    assert LedgerDigestPage.objects.count() == 2


@pytest.mark.parametrize(
    "table",
    [
        *(
            "notices_delivery",
            "notices_ledgerdigestpage",
            "notices_ledgerdigest",
            "django_admin_log",
        ),
        *("notices_notice", "incidents_incident", "accounts_user"),
    ],
)
def test_the_database_refuses_to_truncate_tables_with_proof(closed, approver, table):
    LogEntry.objects.log_actions(
        approver.pk, Notice.objects.filter(pk=closed.pk), CHANGE, "Took the proof."
    )
    with (
        pytest.raises(IntegrityError, match=r"holds proof|cannot be changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE")
    assert Delivery.objects.count() == 3


def test_tables_without_proof_may_be_truncated(db):
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notices_delivery CASCADE")


def test_a_notice_that_is_being_sent_has_no_digest(notice, server):
    assert not ledger_digest.compute_ledger_digest(notice.pk)
    assert not LedgerDigestPage.objects.exists()


def test_a_digest_killed_between_two_pages_continues(notice, server, monkeypatch):
    work(notice)
    whole = ledger_digest._digest_pages

    def killed(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger_digest, "_digest_pages", killed)
    with pytest.raises(KeyboardInterrupt):
        ledger_digest.compute_ledger_digest(notice.pk)
    monkeypatch.setattr(ledger_digest, "_digest_pages", whole)
    assert LedgerDigestPage.objects.count() == 2
    assert ledger_digest.compute_ledger_digest(notice.pk)
    assert verified(notice) == []


@pytest.mark.parametrize(
    "change",
    [
        {"state": "bounced"},
        {"reply": "250 somebody else's reply"},
        {"data_classes": []},
        {"ended_at": None},
        {"attempts": 7},
        {"language": "en"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_row_is_named_by_its_page(closed, people, change, capsys):
    row = delivery_to(closed, people["minji"])
    page = LedgerDigestPage.objects.get(first__lte=row.recipient, last__gte=row.recipient)
    Delivery.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_ledger")
    assert stopped.value.code == 1
    printed = capsys.readouterr()
    assert f"notice {closed.pk}: page {page.number} (from {page.first}" in printed.err
    assert "NOT as sealed" in printed.out
    assert printed.err.count("page") == 1


def test_a_deleted_and_an_added_row_are_named(closed, people):
    Delivery.objects.filter(recipient=people["minji"].pk).delete()
    assert any("rows are not what was sealed" in line for line in verified(closed))
    Delivery.objects.create(
        notice=closed,
        recipient="ffffffff-ffff-ffff-ffff-ffffffffffff",
        language="ko",
        state="accepted",
    )
    assert any("after the last page" in line for line in verified(closed))


def test_forged_pages_do_not_match_the_digest(closed, people):
    Delivery.objects.filter(recipient=people["minji"].pk).update(reply="250 forged")
    LedgerDigestPage.objects.all().delete()
    notice = Notice.objects.get(pk=closed.pk)
    while ledger_digest._digest_page(notice):
        pass
    assert verified(closed) == ["the seal's own hash is not that of its pages"]
    pages = list(notice.ledger_pages.order_by("number"))
    forged = ledger_digest._root(notice, pages, previous="")
    LedgerDigest.objects.update(digest=forged)
    assert verified(closed) == ["the seal was not made with this portal's secret key"]


def test_digests_form_a_chain(closed, version, editor, approver, server):
    again = Notice.objects.create(
        incident=closed.incident, version=version, kind="mandatory", created_by=editor
    )
    decisions.approve(again, by=approver)
    work(again)
    tasks.digest_ledger(again.pk)
    first, second = LedgerDigest.objects.order_by("pk")
    assert second.previous == first.digest
    first.delete()
    assert verified(again) == ["the seal before it is another one now"]


def test_a_ledger_that_does_not_add_up_gets_no_digest(notice, people, server):
    work(notice)
    Delivery.objects.filter(recipient=people["minji"].pk).update(state="bounced")
    assert not ledger_digest.compute_ledger_digest(notice.pk)
    notice.refresh_from_db()
    assert notice.problem == NOT_ADDING_UP
    assert not LedgerDigest.objects.exists()


def test_a_late_bounce_leaves_the_digest_valid(closed, people):
    bounces.receive(envelope_sender(delivery_to(closed, people["minji"]).pk), bounce())
    assert verified(closed) == []


def test_purging_people_leaves_the_digest_valid(closed, people):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    people["minji"].delete()
    assert Delivery.objects.filter(person__isnull=True).exists()
    assert verified(closed) == []


def test_the_timezone_of_the_session_does_not_matter(closed):
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'America/New_York'")
    assert verified(closed) == []


def test_the_command_refuses_an_unknown_notice(db):
    with pytest.raises(CommandError, match="no sealed ledger"):
        call_command("verify_ledger", notice=4711)


def test_the_digest_breaks_on_a_narrow_screen(editors_desk, closed):
    page = page_text(editors_desk.get(notice_url("change", closed)))
    assert '<p class="anywhere">The ledger was sealed' in page
