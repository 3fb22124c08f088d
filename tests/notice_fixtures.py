"""A notice with its people and mail server, as fixtures (a plugin of modules that name it)."""

import pytest
from django.utils import timezone

from harness import exposure_factory
from harness.exposure_factory import state
from incidents.models import AffectedPerson, ExposureBatch
from notices import decisions
from notices.models import Notice
from statements import publishing
from statements.models import Statement, StatementVersion
from tests.gateway import Gateway
from tests.notice_factory import affected, draft_notice, published
from tests.smtp_server import SmtpServer
from tests.statement_factory import complete_draft


@pytest.fixture
def server(settings):
    """A running mail server, set in the settings."""
    with SmtpServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def gateway(settings):
    """A running gateway for text messages, set in the settings."""
    with Gateway() as gateway:
        settings.SMS_GATEWAY = "notices.engine.gateways.HttpGateway"
        settings.SMS_GATEWAY_URL = gateway.url
        settings.SMS_GATEWAY_TOKEN = "secret"
        settings.SMS_SENDER = "15881234"
        yield gateway


@pytest.fixture
def short_waits(settings):
    """Waits of five seconds for a mail server or gateway that does not answer."""
    settings.EMAIL_TIMEOUT = settings.NOTICE_REPLY_SECONDS = 5


@pytest.fixture
def version(incident, editor, approver) -> StatementVersion:
    return published(incident, editor=editor, approver=approver)


@pytest.fixture
def people(incident) -> dict[str, AffectedPerson]:
    """Minji and Seojun with e-mail addresses; a neighbour with a name only."""
    file = exposure_factory.file_of(incident)
    return {
        "minji": affected(file, "김민지", "minji@example.com", "names", "phone-numbers"),
        "seojun": affected(file, "Seojun Lee", "seojun@example.com", "names", language="en"),
        "neighbour": affected(file, "박이웃", ""),
    }


@pytest.fixture
def draft(version: StatementVersion, editor) -> Notice:
    """A mandatory notice that is not approved yet."""
    return draft_notice(version, editor)


@pytest.fixture
def notice(draft: Notice, people, approver) -> Notice:
    """An approved mandatory notice to `people`."""
    decisions.approve(draft, by=approver)
    draft.refresh_from_db()
    return draft


@pytest.fixture
def notice_version(incident, editor, approver) -> StatementVersion:
    """A published notice, which meets Korean law: names leaked."""
    state(incident, "names", "involved")
    ExposureBatch.objects.create(
        incident=incident, number=1, state="closed", counted_at=timezone.now()
    )
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    draft = complete_draft(statement, editor)
    return publishing.publish(draft, by=approver)
