"""A notice by SMS: short, reported as in doubt where it is, and never sent again by itself."""

from decimal import Decimal

import pytest
import redis
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone, translation

from breachportal.demo import maildir
from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from incidents.models import AffectedPerson
from notices import decisions, message_codes, sms, tasks
from notices.ledger_messages import LedgerMessages
from notices.models import Delivery, Notice, TestAddress
from tests.gateway import HANG_UP
from tests.notice_factory import assert_adds_up, delivery_to, draft_notice, work, work_again

pytest_plugins = ["tests.notice_fixtures"]

MINJI, SEOJUN = "+821012345678", "+821098765432"
State = Delivery.State
GSM = ("en", "de", "fr", "es")  # languages whose text messages need no further alphabet


@pytest.fixture
def phones(incident) -> dict[str, AffectedPerson]:
    """Minji and Seojun with phone numbers; a neighbour with an e-mail address only."""
    file = exposure_factory.file_of(incident)
    people = {
        "minji": exposure_factory.person(incident, name="김민지", phone="010-1234-5678"),
        "seojun": exposure_factory.person(incident, name="Seojun Lee", phone="010-9876-5432"),
        "neighbour": exposure_factory.person(
            incident, name="박이웃", email="neighbour@example.com"
        ),
    }
    for person in people.values():
        exposure_factory.expose(person, file, "names", "phone-numbers")
    AffectedPerson.objects.filter(pk=people["seojun"].pk).update(language="en")
    return people


@pytest.fixture
def draft(version, editor) -> Notice:
    return draft_notice(version, editor, channel="sms")


@pytest.fixture
def notice(draft, phones, approver, gateway) -> Notice:
    decisions.approve(draft, by=approver)
    return draft


def test_each_person_with_a_phone_gets_an_sms_in_their_language(notice, phones, gateway):
    work(notice)
    text = gateway.texts_to(MINJI)
    assert len(text) == 1
    assert "[한빛상점] 개인정보 유출 안내" in text[0]
    assert "이름" in text[0] or "성명" in text[0]
    assert "김민지" not in text[0]
    assert message_codes.message_code(delivery_to(notice, phones["minji"]).pk) in text[0]
    assert "slot" not in text[0]
    assert "Your leaked data: Name, Phone number" in gateway.texts_to(SEOJUN)[0]
    assert delivery_to(notice, phones["neighbour"]).state == State.UNREACHABLE
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_the_gateway_gets_its_token_and_the_same_reference_at_every_attempt(
    notice, phones, gateway
):
    gateway.answer_next(MINJI, 429, "slow down")
    work(notice)
    work_again(notice)
    asked = [one for one in gateway.asked if one.body["to"] == MINJI]
    assert len(asked) == 2
    assert len({one.body["reference"] for one in asked}) == 1
    assert {one.headers["Authorization"] for one in asked} == {"Bearer secret"}
    assert asked[0].body["from"] == "15881234"


def test_a_rate_limit_writes_no_number_to_redis(notice, phones, gateway, settings):
    settings.NOTICE_RATES = {"sms": 1000.0}
    work(notice)
    assert gateway.texts_to(MINJI)
    keys = redis.Redis.from_url(settings.REDIS_URL).keys("notices:rate:*")
    assert keys
    assert "1012345678" not in str(keys)


@pytest.mark.parametrize(
    ("status", "state"),
    [(202, "accepted"), (400, "bounced"), (451, "deferred"), (422, "bounced"), (429, "deferred")]
    + [(409, "in_doubt"), (500, "in_doubt"), (302, "in_doubt"), (HANG_UP, "in_doubt")],
)
def test_each_answer_leads_to_one_state(notice, phones, gateway, status, state):
    gateway.answer_next(MINJI, status, f"about {MINJI}: x")
    work(notice)
    row = delivery_to(notice, phones["minji"])
    assert row.state == state
    assert MINJI not in row.reply
    if status:
        assert row.reply == f"{status} about <…>: x"
    assert_adds_up(notice)


@pytest.mark.parametrize(
    "repeated",
    [MINJI, "821012345678", "01012345678", "010-1234-5678", "+82 10 1234 5678", "(010) 1234.5678"],
)
def test_the_ledger_holds_no_number_that_a_gateway_repeats(notice, phones, gateway, repeated):
    gateway.answer_next(MINJI, 202, f'{{"id": "m-4711", "to": "{repeated}", "note": "\0ok"}}')
    work(notice)
    delivery = delivery_to(notice, phones["minji"])
    assert delivery.state == State.ACCEPTED
    assert delivery.reply == '202 {"id": "m-4711", "to": "<…>", "note": " ok"}'


def test_an_unreachable_gateway_sent_nothing(notice, phones, settings, gateway):
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9/"
    work(notice)
    assert {row.state for row in notice.deliveries.exclude(state="unreachable")} == {"pending"}
    assert notice.problem
    settings.SMS_GATEWAY_URL = gateway.url
    notice.deliveries.update(not_before=None)
    work_again(notice)
    assert len(gateway.asked) == 2
    assert_adds_up(notice)


def test_a_gateway_that_refuses_our_account_pauses_the_notice(notice, phones, gateway):
    gateway.answer_next(MINJI, 401, "bad token")
    gateway.answer_next(SEOJUN, 401, "bad token")
    work(notice)
    assert notice.state == Notice.State.PAUSED
    assert notice.problem == "401 bad token"
    assert not notice.deliveries.filter(state="bounced").exists()
    assert_adds_up(notice)


def test_an_sms_in_doubt_is_not_sent_again_automatically(notice, phones, gateway):
    gateway.answer_next(MINJI, HANG_UP)
    work(notice)
    tasks.sweep_notices()
    work_again(notice)
    assert len(gateway.texts_to(MINJI)) == 1
    assert delivery_to(notice, phones["minji"]).state == State.IN_DOUBT
    assert notice.state == Notice.State.SENDING  # it waits for a decision


def test_an_sms_in_doubt_at_the_deadline_ends_in_doubt(notice, phones, gateway):
    gateway.answer_next(MINJI, HANG_UP)
    work(notice)
    Notice.objects.update(deadline_at=timezone.now())
    work(notice)
    assert (notice.state, notice.in_doubt) == (Notice.State.CLOSED, 1)
    assert_adds_up(notice)


# -------------------------------------------------------------------- a person decides


def decide(client, notice, **fields):
    return client.post(reverse("admin:notices_notice_in_doubt", args=[notice.pk]), fields)


@pytest.fixture
def doubtful(notice, phones, gateway, client, approver) -> Delivery:
    gateway.answer_next(MINJI, HANG_UP)
    work(notice)
    sign_in_to_desk(client, approver)
    return delivery_to(notice, phones["minji"])


def test_a_person_sends_it_again_flagged(client, notice, doubtful, gateway):
    page = client.get(reverse("admin:notices_notice_in_doubt", args=[notice.pk])).text
    assert message_codes.message_code(doubtful.pk) in page
    decide(client, notice, deliveries=[doubtful.pk], decision="again", reason="not in their log")
    work(notice)
    doubtful.refresh_from_db()
    assert (doubtful.state, doubtful.is_possible_duplicate) == (State.ACCEPTED, True)
    assert len(gateway.texts_to(MINJI)) == 2
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_a_person_finds_it_in_the_gateways_own_log(client, notice, doubtful, gateway, approver):
    decide(client, notice, deliveries=[doubtful.pk], decision="told", reason="their log, line 7")
    doubtful.refresh_from_db()
    assert doubtful.state == State.ACCEPTED
    assert doubtful.reply == f"decided by user {approver.pk}: their log, line 7"
    work(notice)
    assert notice.state == Notice.State.CLOSED
    assert len(gateway.texts_to(MINJI)) == 1
    assert_adds_up(notice)


def test_a_doubt_without_a_reply_is_shown_in_the_readers_language(client, notice, doubtful):
    Delivery.objects.filter(pk=doubtful.pk).update(reply=LedgerMessages.TAKEN_OVER.stored())
    client.cookies["language"] = "ko"
    page = client.get(reverse("admin:notices_notice_in_doubt", args=[notice.pk])).text
    assert ">이 메시지를 보내는 동안 작업 프로세스가 멈춤</td>" in page


def test_a_repeated_decision_has_no_effect(client, notice, doubtful):
    decide(client, notice, deliveries=[doubtful.pk], decision="again", reason="x")
    page = decide(client, notice, deliveries=[doubtful.pk], decision="again", reason="x").text
    assert "somebody decided about these messages meanwhile" in page
    assert_adds_up(Notice.objects.get())


def test_a_decision_needs_a_choice(client, notice, doubtful):
    page = decide(client, notice, deliveries=[doubtful.pk], reason="their log, line 7").text
    assert "This field is required" in page
    assert f'value="{doubtful.pk}" checked' in page  # the tick is kept
    assert "checked" not in page.replace(f'value="{doubtful.pk}" checked', "")
    doubtful.refresh_from_db()
    assert doubtful.state == State.IN_DOUBT


def test_the_desk_says_what_was_decided(client, notice, doubtful):
    address = reverse("admin:notices_notice_in_doubt", args=[notice.pk])
    fields = {"deliveries": [doubtful.pk], "decision": "told", "reason": "their log, line 7"}
    assert "1 message counts as told." in client.post(address, fields, follow=True).text


def test_deliveries_of_an_ended_notice_cannot_be_decided(client, notice, doubtful):
    Notice.objects.update(deadline_at=timezone.now())
    work(notice)
    page = client.get(reverse("admin:notices_notice_in_doubt", args=[notice.pk])).text
    assert "nothing is decided any more" in page
    assert 'name="decision"' not in page


def test_only_deliveries_in_doubt_are_decided(client, notice, phones, doubtful):
    seojun = delivery_to(notice, phones["seojun"])
    decide(client, notice, deliveries=[seojun.pk], decision="again", reason="x")
    seojun.refresh_from_db()
    assert (seojun.state, seojun.is_possible_duplicate) == (State.ACCEPTED, False)


# -------------------------------------------------------------------- at the desk


def test_the_approval_page_shows_each_sms_with_its_length(client, draft, phones, approver, gateway):
    sign_in_to_desk(client, approver)
    with translation.override("en"):
        page = client.get(reverse("admin:notices_notice_approve", args=[draft.pk])).text
    assert "segments;" in page
    assert "(a long message, LMS: more than 90 bytes)" in page
    assert '<th scope="row">Reachable</th><td>2</td>' in page
    assert (
        client.get(reverse("admin:notices_notice_preview", args=[draft.pk, "ko"])).status_code
        == 404
    )


def test_an_sms_that_is_too_long_is_refused(draft, phones, approver, gateway, settings):
    settings.SMS_MAX_BYTES = 80
    with pytest.raises(decisions.ApprovalRefusedError, match=r"too long|깁니다"):
        decisions.approve(draft, by=approver)


def test_without_a_gateway_nothing_is_approved(draft, phones, approver, settings):
    settings.SMS_GATEWAY, settings.SMS_GATEWAY_URL = "notices.engine.gateways.HttpGateway", ""
    with pytest.raises(decisions.ApprovalRefusedError, match="SMS_GATEWAY_URL"):
        decisions.approve(draft, by=approver)


def test_a_test_notice_goes_to_the_typed_numbers(client, version, editor, approver, gateway):
    sign_in_to_desk(client, editor)
    fields = {"version": version.pk, "kind": "mandatory", "topic": "", "channel": "sms"}
    fields |= {"audience": "test", "test_addresses": "010 1234 5678"}
    client.post(reverse("admin:notices_notice_add"), fields)
    assert TestAddress.objects.count() == 2
    decisions.approve(Notice.objects.get(), by=approver)
    work(Notice.objects.get())
    assert len(gateway.texts_to(MINJI)) == 2
    assert any(text.startswith("[Test]") for text in gateway.texts_to(MINJI))


def test_people_whom_an_email_did_not_reach_get_an_sms(
    version, phones, editor, approver, gateway, server
):
    first = Notice.objects.create(
        incident=version.statement.incident, version=version, kind="mandatory", created_by=editor
    )
    decisions.approve(first, by=approver)
    work(first)
    second = Notice.objects.create(
        incident=version.statement.incident,
        version=version,
        kind="mandatory",
        channel="sms",
        audience="unreached",
        follows=first,
        created_by=editor,
    )
    decisions.approve(second, by=approver)
    work(second)
    assert {one.body["to"] for one in gateway.asked} == {MINJI, SEOJUN}
    assert second.planned == 2


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("Ihre Daten wurden bei uns gestohlen, auch Ihre Straße. Größe, Übung. " * 2, 1),  # GSM-7
        ("Vos données ont fuité, votre adresse à Évry. " * 4, 2),  # GSM-7: é, à and É
        ("Vos données ont été volées : prénom, reçu, boîte. " * 4, 3),  # ç and î need UCS-2
        ("ạ" * 71, 2),
        ("a" * 152 + "€" + "a" * 10, 2),  # the euro sign is not split
        ("a" * 152 + "€" + "a" * 152, 3),  # by its septets alone, 306, it would be two
        ("가" * 66 + "😀" + "가" * 66, 3),
    ],
)
def test_segments_are_those_of_networks_outside_korea(text, segments):
    assert sms.sms_size(text).segments == segments


def test_prices_follow_the_gateways_rule(settings):
    german = sms.sms_size("Ihre Daten sind bei einem Angriff gestohlen worden. " * 4)
    settings.SMS_PRICES = {"segment": "0.07", "currency": "EUR"}
    assert sms.price_of(german) == Decimal("0.14")
    settings.SMS_PRICES = {"sms": 20, "lms": 50, "currency": "KRW"}
    assert sms.price_of(german) == Decimal(50)


def test_characters_that_korean_carriers_lack_are_named(settings):
    settings.SMS_PRICES = {"sms": 20, "lms": 50}
    assert sms.sms_size("Größe 한글 ñ 简").lost == "öñ简"
    settings.SMS_PRICES = {"segment": "0.07"}
    assert sms.sms_size("Größe 한글 ñ 简").lost == ""


@pytest.mark.parametrize(
    ("text", "segments", "korean_bytes"),
    [("a" * 160, 1, 160), ("a" * 161, 2, 161), ("가" * 70, 1, 140), ("가" * 71, 2, 142)]
    + [("[" * 81, 2, 81), ("", 1, 0)],
)
def test_lengths_are_counted_as_carriers_do(text, segments, korean_bytes):
    size = sms.sms_size(text)
    assert (size.segments, size.korean_bytes) == (segments, korean_bytes)


def test_the_demonstration_shows_sms_in_its_mailbox(
    draft, phones, approver, settings, monkeypatch, tmp_path
):
    monkeypatch.setattr(maildir, "folder", lambda: tmp_path)  # not VAR, which also holds the keyset
    settings.SMS_GATEWAY = "breachportal.demo.sms.MailboxGateway"
    decisions.approve(draft, by=approver)
    work(draft)
    (stored,) = maildir.newest(MINJI)
    assert "한빛상점" in stored.part("plain")
    assert draft.state == Notice.State.CLOSED


@pytest.mark.parametrize("language", [code for code, _name in django_settings.LANGUAGES])
def test_an_alert_with_a_usual_title_fits(language):
    """One message of 160 characters in languages of GSM-7, and two of 67 in the others."""
    title = "Warning of forged calls and text messages" if language in GSM else "가" * 30
    context: dict[str, object] = {
        "incident": {"company": "Hanbit"},
        "title": title,
        "portal_host": "notice.hanbit.example",
        "slot": {"code": "7QK2-X9ND-4HTB"},
    }
    with translation.override(language):
        text = sms.render_sms_template(context, name="alert").decode()
    assert sms.sms_size(text).segments == (1 if language in GSM else 2), text
