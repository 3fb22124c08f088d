"""A notice that was sent to Minji and Seojun, made once for a module (a plugin of such modules).

A transaction around the module's tests holds it, and each test undoes only its own changes. So no
test of the module may be transactional or need an empty database.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from django.utils import translation

from accounts.models import User
from harness.exposure_factory import file_of, hanbit
from incidents.models import AffectedPerson
from notices import decisions
from notices.models import Notice
from tests.notice_factory import affected, draft_notice, published, work
from tests.smtp_server import SmtpServer


class SentNotice(NamedTuple):
    """The notice, Minji, and the text parts of the mails to Minji and to Seojun."""

    notice: Notice
    minji: AffectedPerson
    texts: list[str]


@pytest.fixture(scope="module")
def sent_once(django_db_setup, django_db_blocker) -> Iterator[SentNotice]:
    translation.deactivate()
    cache.clear()
    with django_db_blocker.unblock(), transaction.atomic():
        yield _send()
        transaction.set_rollback(True)


def _send() -> SentNotice:
    incident = hanbit()
    editor, approver = (
        User.objects.create_user(f"{name}@breachportal.example", is_staff=True, is_superuser=True)
        for name in ("editor", "approver")
    )
    file = file_of(incident)
    minji = affected(file, "김민지", "minji@example.com", "names", "phone-numbers")
    affected(file, "Seojun Lee", "seojun@example.com", "names", language="en")
    notice = draft_notice(published(incident, editor=editor, approver=approver), editor)
    decisions.approve(notice, by=approver)
    notice.refresh_from_db()
    with SmtpServer() as server:
        with override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=server.port):
            work(notice)
        mails = [*server.to("minji@example.com"), *server.to("seojun@example.com")]
    bodies = [mail.get_body(("plain",)) for mail in mails]
    return SentNotice(notice, minji, [str(body.get_content()) for body in bodies if body])


@pytest.fixture
def sent(db, sent_once: SentNotice) -> Notice:
    """The notice, delivered to Minji and Seojun."""
    return Notice.objects.get(pk=sent_once.notice.pk)


@pytest.fixture
def texts(db, sent_once: SentNotice) -> list[str]:
    """The text parts of the mails to Minji and to Seojun, who read different languages."""
    return sent_once.texts


@pytest.fixture
def text(texts: list[str]) -> str:
    """The text part of Minji's mail."""
    return texts[0]
