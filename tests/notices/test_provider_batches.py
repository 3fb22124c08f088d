"""One request for several recipients, through anymail's backends and a real HTTP server."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from accounts.models import User
from harness import exposure_factory
from incidents.models import AffectedPerson
from notices import decisions
from notices.engine import composer as engine_composer
from notices.engine import ledger
from notices.engine.request_transport import RequestTransport
from notices.message_codes import message_code, message_id
from notices.message_filling import OutgoingMessage
from notices.models import Chunk, Delivery, Notice, NoticeMessage
from statements import publishing
from tests.gateway import HANG_UP, Asked, Gateway
from tests.notice_factory import affected, assert_adds_up, delivery_to, scam_alert, work, work_again

pytest_plugins = ["tests.notice_fixtures"]

State = Delivery.State
QUEUED = json.dumps({"id": "<20251122.1@portal.example>", "message": "Queued. Thank you."})
BAD = '{"message": "\'to\' parameter is not a valid address: dohyun@example.com"}'


@pytest.fixture
def mailgun(settings):
    with Gateway(answer=QUEUED) as provider:
        settings.NOTICE_PROVIDER = "anymail.backends.mailgun.EmailBackend"
        settings.NOTICE_PROVIDER_CONNECTIONS = 1  # so that requests come one by one
        settings.ANYMAIL = {
            "MAILGUN_API_KEY": "key",
            "MAILGUN_API_URL": provider.url.removesuffix("send"),
            "REQUESTS_TIMEOUT": 1,
            "IGNORE_UNSUPPORTED_FEATURES": True,
            "WEBHOOK_SECRET": "user:long-enough-secret",
        }
        yield provider


@pytest.fixture
def people(incident) -> dict[str, AffectedPerson]:
    """Four people who read Korean, one who reads English; two share an address."""
    file = exposure_factory.file_of(incident)
    return {
        "minji": affected(file, "김민지", "minji@example.com", "names", "phone-numbers"),
        "dohyun": affected(file, "<b>도현", "dohyun@example.com"),
        "haeun": affected(file, "하은", "haeun@example.com", "names", "email-addresses"),
        "sister": affected(file, "하린", "haeun@example.com"),
        "seojun": affected(file, "Seojun Lee", "seojun@example.com", language="en"),
    }


def recipients(asked: Asked) -> list[str]:
    return sorted(asked.body["to"])


def as_read(asked: Asked, address: str) -> dict[str, str]:
    """Returns the fields of the mail that Mailgun sends to one recipient of a request."""
    values = json.loads(asked.body["recipient-variables"][0])[address]
    fields = ("subject", "text", "html", "h:Message-Id", "h:List-Unsubscribe", "v:delivery")
    read = {name: asked.body[name][0] for name in fields if name in asked.body}
    for name, value in values.items():
        read = {key: text.replace(f"%recipient.{name}%", value) for key, text in read.items()}
    return read


def own_mail(notice: Notice, person: AffectedPerson) -> EmailMessage:
    """Returns the mail that the same person gets over SMTP."""
    chunk = Chunk.objects.get(notice=notice)
    Delivery.objects.filter(notice=notice).update(state=State.PENDING)
    lease = ledger.Lease(chunk=chunk, notice=notice, fencing_token=0, is_past_deadline=False)
    composer = engine_composer.Composer(notice)
    row = next(one for one in composer.rows(lease) if one.recipient == person.pk)
    mail = composer.message(row)
    assert isinstance(mail, OutgoingMessage)
    parsed = message_from_bytes(mail.data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(mail: EmailMessage, subtype: str) -> list[str]:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).splitlines()


# -------------------------------------------------------------------- requests


def test_people_of_one_language_share_a_request(mailgun, notice, people):
    work(notice)
    assert sorted(recipients(asked) for asked in mailgun.asked) == [
        ["dohyun@example.com", "haeun@example.com", "minji@example.com"],
        ["haeun@example.com"],  # a second person with this address
        ["seojun@example.com"],
    ]
    row = delivery_to(notice, people["minji"])
    assert (row.state, row.reply) == (State.ACCEPTED, "queued <20251122.1@portal.example>")
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.parametrize("name", ["minji", "dohyun"])
def test_each_recipient_reads_exactly_the_text_of_a_single_mail(mailgun, notice, people, name):
    work(notice)
    batch = next(asked for asked in mailgun.asked if len(recipients(asked)) == 3)
    read = as_read(batch, f"{name}@example.com")
    mail = own_mail(notice, people[name])
    assert read["subject"] == mail["Subject"]
    assert read["text"].splitlines() == text_of(mail, "plain")
    assert read["html"].splitlines() == text_of(mail, "html")
    assert read["h:Message-Id"] == f"<{message_id(notice.pk, people[name].pk)}>"
    assert read["v:delivery"] == message_code(delivery_to(notice, people[name]).pk)
    assert "%recipient" not in str(read)


def test_the_shared_text_has_no_personal_data(mailgun, notice, people):
    work(notice)
    batch = next(asked for asked in mailgun.asked if len(recipients(asked)) == 3)
    own = ("recipient-variables", "to")
    shared = str({name: value for name, value in batch.body.items() if name not in own})
    code = message_code(delivery_to(notice, people["minji"]).pk)
    for word in ("김민지", "도현", "전화번호", code, "example.com>"):
        assert word not in shared
    read = as_read(batch, "dohyun@example.com")
    assert "&lt;b&gt;도현" in read["html"]
    assert "<b>도현" in read["text"]


def test_an_alert_has_a_separate_unsubscribe_link_for_each_recipient(
    mailgun, version, minji, seojun, editor, approver
):
    for user in (minji, seojun):
        User.objects.filter(pk=user.pk).update(language="ko")
    alert = scam_alert(version, editor, minji, seojun)
    decisions.approve(alert, by=approver)
    work(alert)
    (asked,) = mailgun.asked
    ways = {as_read(asked, one)["h:List-Unsubscribe"] for one in recipients(asked)}
    assert len(ways) == 2
    assert all("/unsubscribe/" in way for way in ways)
    assert asked.body["h:List-Unsubscribe-Post"] == ["List-Unsubscribe=One-Click"]


# -------------------------------------------------------------------- one by one


def test_a_name_that_looks_like_a_placeholder_goes_alone(mailgun, notice, people):
    file = people["minji"].exposures.get().file
    affected(file, "%recipient%", "hostile@example.com")
    work(notice)
    alone = next(asked for asked in mailgun.asked if recipients(asked) == ["hostile@example.com"])
    assert "recipient-variables" not in alone.body
    assert "%recipient%" in alone.body["text"][0]


def test_a_statement_with_placeholders_is_sent_one_by_one(
    mailgun, version, people, editor, approver
):
    draft = publishing.draft_next(version.statement, by=editor)
    draft.sections.update(body={"ko": "전원 %recipient.code% 안내", "en": "all %recipient.code%"})
    draft.change_reason = {"ko": "오타를 고쳤습니다", "en": "A typo"}
    draft.save()
    publishing.publish(draft, by=approver)
    notice = Notice.objects.create(
        incident=version.statement.incident, version=draft, kind="mandatory", created_by=editor
    )
    decisions.approve(notice, by=approver)
    work(notice)
    assert [len(recipients(asked)) for asked in mailgun.asked] == [1] * 5
    assert all("%recipient.code%" in asked.body["text"][0] for asked in mailgun.asked)
    assert not any("recipient-variables" in asked.body for asked in mailgun.asked)


def test_without_webhooks_each_mail_keeps_an_envelope_of_its_own(mailgun, notice, people, settings):
    settings.ANYMAIL = {k: v for k, v in settings.ANYMAIL.items() if k != "WEBHOOK_SECRET"}
    work(notice)
    assert [len(recipients(asked)) for asked in mailgun.asked] == [1] * 5


def test_a_request_names_no_more_people_than_it_may(mailgun, notice, people, settings):
    settings.NOTICE_PROVIDER_BATCH = 2
    AffectedPerson.objects.update(language="ko")  # a request has one language
    work(notice)
    assert max(len(recipients(asked)) for asked in mailgun.asked) == 2
    assert_adds_up(notice)


# -------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("status", "is_flagged"), [(429, False), (500, True), (503, True), (HANG_UP, True)]
)
def test_a_failure_affects_its_whole_batch_and_no_other(
    mailgun, notice, people, status, is_flagged
):
    mailgun.answer_next("minji@example.com", status, "minji@example.com: no")
    work(notice)
    for name in ("minji", "dohyun"):
        row = delivery_to(notice, people[name])
        assert (row.state, row.is_possible_duplicate) == (State.DEFERRED, is_flagged)
        assert "minji" not in row.reply
    assert delivery_to(notice, people["seojun"]).state == State.ACCEPTED
    work_again(notice)
    assert delivery_to(notice, people["minji"]).state == State.ACCEPTED
    assert_adds_up(notice)


def test_a_batch_that_is_not_answered_in_time_is_in_doubt(mailgun, notice, people):
    mailgun.seconds = 2
    work(notice)
    mailgun.seconds = 0
    rows = notice.deliveries.filter(state=State.DEFERRED)
    assert {row.is_possible_duplicate for row in rows} == {True}
    assert {row.reply for row in rows} == {"ReadTimeout"}
    assert rows.count() == 5


def test_one_bad_address_does_not_stop_the_others(mailgun, notice, people):
    for _ in range(3):  # a batch of three, then of two, then one
        mailgun.answer_next("dohyun@example.com", 400, BAD)
    work(notice)
    for name in ("minji", "haeun", "sister", "seojun"):
        assert delivery_to(notice, people[name]).state == State.ACCEPTED
    row = delivery_to(notice, people["dohyun"])
    assert (row.state, row.is_possible_duplicate) == (State.DEFERRED, False)
    assert "400" in row.reply
    assert "dohyun" not in row.reply
    accepted = [one for asked in mailgun.asked for one in recipients(asked)]
    assert accepted.count("seojun@example.com") == 1
    assert_adds_up(notice)


def test_a_provider_that_fails_between_two_halves_sent_the_first_half(mailgun, notice, people):
    two = min(people["haeun"], people["sister"], key=lambda person: person.pk)
    batch = sorted([people["minji"], people["dohyun"], two], key=lambda person: person.pk)
    address = {person.pk: f"{name}@example.com" for name, person in people.items()}
    address[people["sister"].pk] = "haeun@example.com"
    mailgun.answer_next(address[batch[0].pk], 400, BAD)
    mailgun.answer_next(address[batch[2].pk], 401, "no such key")
    work(notice)
    assert delivery_to(notice, batch[0]).state == State.ACCEPTED
    assert delivery_to(notice, batch[1]).state == State.PENDING
    assert delivery_to(notice, batch[2]).state == State.PENDING
    assert not notice.deliveries.filter(is_possible_duplicate=True).exists()
    assert_adds_up(notice)


def test_a_batch_is_journalled_as_on_the_wire_before_the_request(
    mailgun, notice, people, monkeypatch
):
    start, named = RequestTransport.start, []

    def checked(transport, messages):
        on_wire = {key for chunk in Chunk.objects.filter(notice=notice) for key in chunk.on_wire}
        named.extend(messages)
        assert {mail.delivery_id for mail in messages} <= on_wire
        start(transport, messages)

    monkeypatch.setattr(RequestTransport, "start", checked)
    work(notice)
    assert len(named) == 5
    assert_adds_up(notice)


# -------------------------------------------------------------------- SendGrid


def test_sendgrid_gets_each_ones_values_by_person(notice, people, settings):
    with Gateway(answer="") as provider:
        settings.NOTICE_PROVIDER = "anymail.backends.sendgrid.EmailBackend"
        settings.ANYMAIL = {
            "SENDGRID_API_KEY": "key",
            "SENDGRID_API_URL": provider.url.removesuffix("send"),
            "IGNORE_UNSUPPORTED_FEATURES": True,
            "WEBHOOK_SECRET": "user:long-enough-secret",
        }
        work(notice)
    assert_adds_up(notice)
    batch = next(one.body for one in provider.asked if len(one.body["personalizations"]) == 3)
    own = next(
        one for one in batch["personalizations"] if one["to"] == [{"email": "minji@example.com"}]
    )
    texts = {content["type"]: content["value"] for content in batch["content"]}
    marker = NoticeMessage.objects.get(notice=notice, language="ko").marker
    assert "김민지" not in str(texts)
    for key, value in own["substitutions"].items():
        assert key.startswith(marker)
        texts = {kind: text.replace(key, value) for kind, text in texts.items()}
    assert marker not in str(texts)
    mail = own_mail(notice, people["minji"])
    assert texts["text/plain"].splitlines() == text_of(mail, "plain")
    assert texts["text/html"].splitlines() == text_of(mail, "html")
    assert own["headers"] == {"Message-ID": f"<{message_id(notice.pk, people['minji'].pk)}>"}
    assert own["custom_args"]["delivery"] == message_code(delivery_to(notice, people["minji"]).pk)
