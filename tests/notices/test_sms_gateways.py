"""Text messages through Solapi, AlimTalk and Twilio: each send, its receipt, and the fallback."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.urls import reverse

from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from incidents.models import AffectedPerson
from notices import decisions
from notices.engine import audiences, guards
from notices.engine.gateways import GatewayRow, missing_settings
from notices.engine.request_transport import AccountRefusedError
from notices.engine.solapi import SolapiGateway
from notices.engine.solapi import receipt_of as solapi_receipt_of
from notices.engine.transport import Result
from notices.engine.twilio import TwilioGateway
from notices.engine.twilio import receipt_of as twilio_receipt_of
from notices.message_codes import message_code, receipt_reference
from notices.message_filling import OutgoingMessage
from notices.models import Delivery, DeliveryReceipt, LateReport, Notice, Suppression
from notices.proof import ledger_export
from notices.returned_mail import receipts
from tests.carriers import SolapiServer, TwilioServer
from tests.notice_factory import assert_adds_up, delivery_to, draft_notice, work, work_again

pytest_plugins = ["tests.notice_fixtures"]

SOLAPI = "notices.engine.solapi.SolapiGateway"
ALIMTALK = "notices.engine.solapi.SolapiAlimtalkGateway"
TWILIO = "notices.engine.twilio.TwilioGateway"
MINJI = "01012345678"
State, Receipt = Delivery.State, DeliveryReceipt.State


@pytest.fixture
def solapi(settings) -> Iterator[SolapiServer]:
    with SolapiServer() as server:
        settings.SMS_GATEWAY, settings.SOLAPI_URL = SOLAPI, server.url
        settings.SOLAPI_KEY, settings.SOLAPI_SECRET = server.key, server.secret
        settings.SMS_SENDER = "029302266"
        yield server


@pytest.fixture
def twilio(settings) -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        settings.SMS_GATEWAY, settings.TWILIO_URL = TWILIO, server.url
        settings.TWILIO_ACCOUNT, settings.TWILIO_TOKEN = server.account, server.token
        settings.TWILIO_SENDER = "+15005550006"
        yield server


@pytest.fixture
def phones(incident) -> dict[str, AffectedPerson]:
    """Minji with a mobile number, her grandmother with a landline."""
    file = exposure_factory.file_of(incident)
    people = {
        "minji": exposure_factory.person(incident, name="김민지", phone="010-1234-5678"),
        "grandmother": exposure_factory.person(incident, name="이순자", phone="02-345-6789"),
    }
    for person in people.values():
        exposure_factory.expose(person, file, "names", "phone-numbers")
    return people


@pytest.fixture
def draft(version, editor, phones) -> Notice:
    return draft_notice(version, editor, channel="sms")


@pytest.fixture
def notice(draft, approver) -> Notice:
    decisions.approve(draft, by=approver)
    return draft


def sent(server, notice: Notice, people) -> Delivery:
    """Sends the notice, and returns Minji's delivery."""
    work(notice)
    assert_adds_up(notice)
    return delivery_to(notice, people["minji"])


def reopen(notice: Notice) -> None:
    """Makes the notice one that is still being sent."""
    Notice.objects.filter(pk=notice.pk).update(state="sending", closed_at=None)


def post_solapi(client, *reports) -> int:
    return client.post("/sms/receipts/solapi/", list(reports), "application/json").status_code


# Who gets a text message


def test_a_landline_gets_no_text_message_and_is_counted_as_one(solapi, draft, phones, approver):
    run = audiences.count_people(draft)
    assert (run.people, run.reachable, run.landline, run.unreachable) == (2, 1, 1, 1)
    decisions.approve(draft, by=approver)
    work(draft)
    assert [one["to"] for one in solapi.messages] == [MINJI]
    assert delivery_to(draft, phones["grandmother"]).state == State.UNREACHABLE


# Sending


def test_solapi_takes_a_message_with_a_signed_request(solapi, notice, phones):
    row = sent(solapi, notice, phones)
    assert row.state == State.ACCEPTED
    assert row.reply.startswith("200 2000 M4V")
    (message,) = solapi.messages
    assert message["from"] == "029302266"
    assert message_code(row.pk) in message["text"]
    assert message["customFields"] == {"reference": receipt_reference(row.pk)}


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (400, {"errorCode": "ValidationError", "errorMessage": "수신번호 형식 오류"}, "bounced"),
        (200, {"statusCode": "1020", "statusMessage": "수신번호 오류"}, "bounced"),
        (429, {"errorCode": "TooManyRequests", "errorMessage": "slow down"}, "deferred"),
        (500, {"errorCode": "InternalError", "errorMessage": "?"}, "in_doubt"),
        (200, {"unexpected": True}, "in_doubt"),
    ],
)
def test_solapis_refusals_name_the_person_or_not(solapi, notice, phones, status, body, state):
    solapi.refuse(MINJI, status, body)
    assert sent(solapi, notice, phones).state == state


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"errorCode": "ValidationError", "errorMessage": "등록되지 않은 발신번호"}),
        (402, {"errorCode": "NotEnoughBalance", "errorMessage": "잔액 부족"}),
        (403, {"errorCode": "Forbidden", "errorMessage": "no"}),
    ],
)
def test_a_refusal_of_our_account_pauses_the_notice(solapi, notice, phones, status, body):
    solapi.refuse(MINJI, status, body)
    work(notice)
    notice.refresh_from_db()
    assert notice.state == Notice.State.PAUSED
    assert delivery_to(notice, phones["minji"]).state == State.PENDING


def test_a_wrong_secret_pauses_the_notice(solapi, notice, settings):
    settings.SOLAPI_SECRET = "another"
    work(notice)
    notice.refresh_from_db()
    assert notice.state == Notice.State.PAUSED
    assert not solapi.messages


def test_alimtalk_is_sent_by_its_template_without_a_replacement(solapi, notice, phones, settings):
    settings.SMS_GATEWAY = ALIMTALK
    settings.SOLAPI_PROFILE, settings.SOLAPI_TEMPLATE = "KA01PF01", "KA01TP01"
    assert sent(solapi, notice, phones).state == State.ACCEPTED
    options = {"pfId": "KA01PF01", "templateId": "KA01TP01", "disableSms": True}
    assert solapi.messages[0]["kakaoOptions"] == options


def test_twilio_takes_a_message(twilio, notice, phones):
    row = sent(twilio, notice, phones)
    assert row.state == State.ACCEPTED
    assert row.reply.startswith("201 SM0000")
    (message,) = twilio.messages
    assert (message["To"], message["From"]) == ("+821012345678", "+15005550006")
    reference = receipt_reference(row.pk)
    assert message["StatusCallback"].endswith(f"/sms/receipts/twilio/?reference={reference}")


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [(400, 21211, "bounced"), (400, 21614, "bounced"), (400, 21610, "bounced")]
    + [(429, 20429, "deferred"), (500, 20500, "in_doubt")],
)
def test_twilios_refusals_name_the_person_or_not(twilio, notice, phones, status, code, state):
    twilio.refuse("+821012345678", status, {"code": code, "message": "to +821012345678"})
    row = sent(twilio, notice, phones)
    assert row.state == state
    assert "12345678" not in row.reply


@pytest.mark.parametrize(("status", "code"), [(400, 21660), (401, 20003), (400, 21608)])
def test_twilios_refusal_of_our_account_pauses(twilio, notice, phones, status, code):
    twilio.refuse("+821012345678", status, {"code": code, "message": "no"})
    work(notice)
    notice.refresh_from_db()
    assert notice.state == Notice.State.PAUSED


def test_a_country_that_the_gateway_does_not_allow_stops_alone(
    twilio, version, editor, approver, incident
):
    file = exposure_factory.file_of(incident)
    numbers = [f"+1415555{number:04}" for number in range(100, 105)]
    for number in [*numbers, *(f"010-1234-{number}" for number in range(1000, 1020))]:
        person = exposure_factory.person(incident, name="김민지", phone=number)
        exposure_factory.expose(person, file, "names", "phone-numbers")
    for number in numbers:
        twilio.refuse(number, 403, {"code": 21408, "message": "permissions disabled"})
    notice = draft_notice(version, editor, channel="sms")
    decisions.approve(notice, by=approver)
    notice = work(notice)
    assert (notice.state, notice.accepted) == (Notice.State.SENDING, 20)
    stopped = notice.destinations.get(stopped_at__isnull=False)
    assert (stopped.name, stopped.refused) == ("SMS US", 5)
    assert notice.deliveries.filter(state=State.DEFERRED).count() == 5
    assert guards.let_destination_go_on(notice, "SMS US")
    work_again(notice)
    notice.refresh_from_db()
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 25)
    assert_adds_up(notice)


ACCOUNT = "our account"
SOLAPI_ANSWERS = [
    (400, "ValidationError", '"to" must be a number', Result.BOUNCED),
    (200, "1020", "존재하지 않는 수신번호입니다", Result.BOUNCED),
    (400, "InvalidRecipient", "Invalid recipient", Result.BOUNCED),
    (400, "ValidationError", "failed to parse the request from body", Result.REFUSED),
    (400, "FailedToAddMessage", "unable to register the message", Result.REFUSED),
    (400, "TemplateNotFound", "템플릿을 찾을 수 없습니다", Result.REFUSED),
    (200, "1025", "일일 발송량 초과", Result.REFUSED),
    (200, "1026", "동일 수신번호 반복 발송 제한", Result.DEFERRED),
    (200, "1027", "수신번호 야간 시간 전송 제한", Result.DEFERRED),
    (200, "3001", "수신거부된 번호입니다", Result.BOUNCED),
    (200, "3002", "결번", Result.BOUNCED),
    (200, "1028", "광고 문자의 수신거부 번호 누락", Result.REFUSED),
    (200, "1030", "잔액 부족", ACCOUNT),
    (400, "NotEnoughBalance", "Not enough balance", ACCOUNT),
    (400, "ValidationError", '"from" is required', ACCOUNT),
    (200, "1062", "사전등록되지 않은 발신번호", ACCOUNT),
    (401, "InvalidAPIKey", "no", ACCOUNT),
    (403, "IPNotAllowed", "허용되지 않은 IP", ACCOUNT),
    (429, "TooManyRequests", "slow down", Result.DEFERRED),
    (503, "ServiceUnavailable", "점검 중", Result.IN_DOUBT),
]
TWILIO_ANSWERS = [
    # the recipient's number
    *((400, code, Result.BOUNCED) for code in (21211, 21214, 21217, 21265, 21266, 21268, 21610)),
    *((400, code, Result.BOUNCED) for code in (21614, 21635)),
    # its country, or the way to it from our number
    *((400, code, Result.REFUSED) for code in (21408, 21606, 21612, 21659, 21662, 21668, 21703)),
    *((403, code, Result.REFUSED) for code in (21408, 30450)),
    # the text, or the request
    *((400, code, Result.REFUSED) for code in (20422, 21401, 21407, 21602, 21604, 21605, 21609)),
    *((400, code, Result.REFUSED) for code in (21617, 21618, 21619, 21620, 21623, 21624, 21654)),
    *((400, code, Result.REFUSED) for code in (21657, 21658, 21910, 99999)),
    # our account and our number, to whatever country
    *((400, code, ACCOUNT) for code in (10001, 21212, 21267, 21472, 21601, 21603, 21607, 21608)),
    *((400, code, ACCOUNT) for code in (21660, 21661, 21663, 21701, 21702, 21704, 21705, 63038)),
    *((status, code, ACCOUNT) for status, code in ((401, 20003), (403, 20005), (404, 20404))),
    *((status, code, Result.DEFERRED) for status, code in ((429, 14107), (429, 20429))),
    (400, 21611, Result.DEFERRED),
    *((status, 20500, Result.IN_DOUBT) for status in (500, 503)),
]


def result_of(gateway: SolapiGateway | TwilioGateway) -> Result | str:
    message = OutgoingMessage("bounce+x@portal.example", "+821012345678", b"text", 1)
    try:
        return gateway.send(message).result
    except AccountRefusedError:
        return ACCOUNT


def test_answers_of_solapi_end_a_delivery_only_for_the_recipients_number(solapi):
    gateway = SolapiGateway()
    for status, code, words, result in SOLAPI_ANSWERS:
        name = "statusCode" if status == 200 else "errorCode"
        solapi.refuse(MINJI, status, {name: code, name.replace("Code", "Message"): words})
        assert result_of(gateway) == result, words
    gateway.close()


def test_answers_of_twilio_end_a_delivery_only_for_the_recipients_number(twilio):
    gateway = TwilioGateway()
    for status, code, result in TWILIO_ANSWERS:
        twilio.refuse("+821012345678", status, {"code": code, "message": "no"})
        assert result_of(gateway) == result, code
    gateway.close()


@pytest.mark.parametrize(
    ("receipt", "is_own_fault"),
    [
        *((twilio_receipt_of("undelivered", str(code)), False) for code in (30003, 30005, 30006)),
        *((twilio_receipt_of("failed", str(code)), False) for code in (30004, 30008, 30017)),
        *((twilio_receipt_of("failed", str(code)), True) for code in (30001, 30002, 30007, 30010)),
        *((twilio_receipt_of("undelivered", str(code)), True) for code in (30018, 30023, 30034)),
        *((twilio_receipt_of("undelivered", str(code)), True) for code in (30019, 30024, 30037)),
        *((twilio_receipt_of("failed", str(code)), True) for code in (30038, 30040, 30041, 30042)),
        *((twilio_receipt_of("failed", str(code)), True) for code in (30043, 30044, 30453)),
        *((twilio_receipt_of("failed", str(code)), True) for code in (30450, 21408, 21606, 21611)),
        *((twilio_receipt_of("failed", code), False) for code in ("30036", "30046", "21610", "")),
        *(
            (solapi_receipt_of({"statusCode": "3999", "statusMessage": words}), is_own_fault)
            for words, is_own_fault in (
                *(
                    (words, False)
                    for words in ("결번", "가입자 없음", "단말기 전원 꺼짐", "음영 지역")
                ),
                *((words, False) for words in ("착신 거절", "전송 시간 초과", "서비스 일시 정지")),
                *((words, True) for words in ("미등록 발신번호", "발신번호 변작 방지", "스팸")),
                *((words, True) for words in ("일일 발송 한도 초과", "야간 발송 차단")),
                *(
                    (words, True)
                    for words in ("번호도용문자차단서비스", "잔액 부족", "템플릿 불일치")
                ),
            )
        ),
    ],
)
def test_a_receipt_tells_our_fault_from_the_recipients(receipt, is_own_fault):
    assert receipt.state == Receipt.FAILED
    assert receipt.is_own_fault is is_own_fault


def test_a_failure_of_ours_counts_as_a_refusal_for_the_pause(solapi, notice, phones, client):
    sent(solapi, notice, phones)
    reopen(notice)
    assert post_solapi(client, solapi.report(0, "3062", "미등록 발신번호")) == 204
    [counted] = notice.destinations.all()
    assert (counted.name, counted.bounced, counted.refused) == ("SMS KR", 0, 1)


def test_a_refused_number_is_not_suppressed(solapi, notice, phones):
    words = "존재하지 않는 사용자의 수신번호입니다"
    solapi.refuse(MINJI, 400, {"errorCode": "ValidationError", "errorMessage": words})
    assert sent(solapi, notice, phones).state == State.BOUNCED
    assert not Suppression.objects.exists()


# Several gateways


def test_a_fallback_takes_what_the_first_gateway_did_not_send(
    solapi, twilio, notice, phones, settings
):
    settings.SMS_GATEWAY = f"{SOLAPI}, {TWILIO}"
    settings.SOLAPI_URL = "http://127.0.0.1:9"
    assert sent(twilio, notice, phones).state == State.ACCEPTED
    assert len(twilio.messages) == 1


def test_a_fallback_takes_over_where_the_first_gateway_refuses_our_account(
    solapi, twilio, notice, phones, settings
):
    settings.SMS_GATEWAY = f"{SOLAPI},{TWILIO}"
    settings.SOLAPI_SECRET = "another"
    assert sent(twilio, notice, phones).state == State.ACCEPTED
    assert (len(solapi.messages), len(twilio.messages)) == (0, 1)


def test_a_fallback_takes_a_text_that_the_first_gateway_refuses(
    solapi, twilio, notice, phones, settings
):
    settings.SMS_GATEWAY = f"{SOLAPI},{TWILIO}"
    solapi.refuse(MINJI, 400, {"errorCode": "TextTooLong", "errorMessage": "메시지 길이 초과"})
    assert sent(twilio, notice, phones).state == State.ACCEPTED
    assert len(twilio.messages) == 1


@pytest.mark.parametrize(
    ("ailing", "result"),
    [
        ({}, Result.REFUSED),
        ({"TWILIO_TOKEN": "another"}, Result.REFUSED),
        ({"TWILIO_URL": "http://127.0.0.1:9"}, Result.DEFERRED),
    ],
    ids=["country", "account", "away"],
)
def test_a_number_that_only_an_ailing_gateway_serves_is_not_given_up(
    solapi, twilio, settings, ailing, result
):
    """The fallback serves Korean numbers only."""
    number = "+14155550123"
    twilio.refuse(number, 400, {"code": 21408, "message": "permissions disabled"})
    for name, value in ailing.items():
        setattr(settings, name, value)
    row = GatewayRow([TwilioGateway(), SolapiGateway()])
    reply = row.send(OutgoingMessage("bounce+x@portal.example", number, b"text", 1))
    row.close()
    assert reply.result is result


def test_a_limit_of_the_night_waits_and_is_not_given_to_the_fallback(
    solapi, twilio, notice, phones, settings
):
    settings.SMS_GATEWAY = f"{SOLAPI},{TWILIO}"
    words = "수신번호 야간 시간 전송 제한"
    solapi.refuse(MINJI, 200, {"statusCode": "1027", "statusMessage": words})
    assert sent(solapi, notice, phones).state == State.DEFERRED
    assert not twilio.messages


def test_a_message_in_doubt_is_not_given_to_the_fallback(solapi, twilio, notice, phones, settings):
    settings.SMS_GATEWAY = f"{SOLAPI},{TWILIO}"
    solapi.refuse(MINJI, 500, {})
    assert sent(solapi, notice, phones).state == State.IN_DOUBT
    assert not twilio.messages


def test_settings_of_each_gateway_are_required(solapi, settings):
    settings.SMS_GATEWAY, settings.TWILIO_TOKEN = f"{SOLAPI},{TWILIO}", ""
    assert "TWILIO_TOKEN" in missing_settings()


# Receipts


def test_a_message_is_handed_over_until_a_receipt_says_that_it_is_delivered(
    solapi, notice, phones, client
):
    row = sent(solapi, notice, phones)
    assert not DeliveryReceipt.objects.exists()
    assert post_solapi(client, solapi.report(0, "3000", "이통사 전송 중")) == 204
    assert not DeliveryReceipt.objects.exists()
    assert post_solapi(client, solapi.report(0, "4000", "수신 완료")) == 204
    receipt = DeliveryReceipt.objects.get(pk=row.pk)
    assert (receipt.state, receipt.words) == (Receipt.DELIVERED, "4000 수신 완료")
    row.refresh_from_db()
    assert row.state == State.ACCEPTED
    (proof,) = [one for one in ledger_export.proof(notice, is_opened=False) if one["later"]]
    assert proof["later"].startswith("delivered ")


def test_a_failure_changes_the_delivery_while_the_notice_is_open(solapi, notice, phones, client):
    row = sent(solapi, notice, phones)
    reopen(notice)
    report = solapi.report(0, "3104", "결번 01012345678")
    assert post_solapi(client, report, report) == 204
    row.refresh_from_db()
    assert row.state == State.BOUNCED
    assert "12345678" not in row.reply
    assert not Suppression.objects.exists()


def test_a_failure_after_the_end_reopens_the_escalation(solapi, notice, phones, client, editor):
    row = sent(solapi, notice, phones)
    notice.refresh_from_db()
    assert notice.closed_at
    before = list(ledger_export.not_reached(notice, is_opened=False))
    assert [one["person"] for one in before] == [str(phones["grandmother"].pk)]
    post_solapi(client, solapi.report(0, "3104", "결번"))
    row.refresh_from_db()
    assert row.state == State.ACCEPTED  # the closed ledger is final
    assert LateReport.objects.get(delivery=row).kind == LateReport.Kind.BOUNCE
    after = {one["person"] for one in ledger_export.not_reached(notice, is_opened=False)}
    assert after == {str(one.pk) for one in phones.values()}
    letter = Notice(incident=notice.incident, version=notice.version, audience="unreached")
    letter.follows = notice
    assert audiences.people(letter).count() == 2


def test_a_failure_is_final_and_a_delivery_may_come_after_nothing(solapi, notice, phones, client):
    row = sent(solapi, notice, phones)
    post_solapi(client, solapi.report(0, "3104", "결번"))
    post_solapi(client, solapi.report(0, "4000", "수신 완료"))
    assert DeliveryReceipt.objects.get(pk=row.pk).state == Receipt.FAILED


def test_a_receipt_before_the_acceptance_is_asked_for_again(solapi, notice, phones, client):
    row = sent(solapi, notice, phones)
    Delivery.objects.filter(pk=row.pk).update(state="pending", ended_at=None)
    reopen(notice)
    assert post_solapi(client, solapi.report(0, "4000", "수신 완료")) == 503
    assert not DeliveryReceipt.objects.exists()


@pytest.mark.parametrize("reference", ["", "x", "0" * 12, f"{'0' * 12}-{'0' * 20}"])
def test_a_report_without_a_valid_reference_changes_nothing(
    solapi, notice, phones, client, reference
):
    row = sent(solapi, notice, phones)
    code = message_code(row.pk).replace("-", "").lower()
    for forged in (reference, code, f"{code}-{'0' * 20}"):
        report = solapi.report(0, "3104", "결번") | {"customFields": {"reference": forged}}
        assert post_solapi(client, report) == 204
    row.refresh_from_db()
    assert row.state == State.ACCEPTED
    assert not DeliveryReceipt.objects.exists()


DEEP = "[" * 200_000


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", "[1]", "{}", '[{"customFields": 1}]', "[[]]", DEEP],
    ids=lambda body: body[:20],
)
def test_a_request_that_is_no_report_is_harmless(solapi, client, db, body):
    answer = client.post("/sms/receipts/solapi/", body, "application/json")
    assert answer.status_code == 204


def test_twilios_signed_receipt_is_recorded(twilio, notice, phones, client, settings):
    row = sent(twilio, notice, phones)
    path = twilio.messages[0]["StatusCallback"].removeprefix(settings.PORTAL_URL)
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+821012345678"}
    signature = twilio.signature(settings.PORTAL_URL + path, form)
    answer = client.post(path, form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 204
    assert DeliveryReceipt.objects.get(pk=row.pk).state == Receipt.DELIVERED


@pytest.mark.parametrize("change", ["signature", "field", "reference", "none"])
def test_twilios_receipt_without_a_valid_signature_is_refused(
    twilio, notice, phones, client, settings, change
):
    sent(twilio, notice, phones)
    path = twilio.messages[0]["StatusCallback"].removeprefix(settings.PORTAL_URL)
    form = {"MessageStatus": "undelivered", "ErrorCode": "30003"}
    signature = twilio.signature(settings.PORTAL_URL + path, form)
    if change == "field":
        form["MessageStatus"] = "delivered"
    if change == "reference":
        path += "0"
    headers = {"X-Twilio-Signature": "x" if change == "signature" else signature}
    answer = client.post(path, form, headers={} if change == "none" else headers)
    assert answer.status_code == 403
    assert not DeliveryReceipt.objects.exists()


def test_twilios_documented_example_of_a_signature(settings):
    from notices.engine import twilio as module

    settings.TWILIO_TOKEN = "12345"
    form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234"}
    form |= {"From": "+14158675310", "To": "+18005551212"}
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert module.is_signed(url, form, "L/OH5YylLD5NRKLltdqwSvS0BnU=")
    assert not module.is_signed(url + "3", form, "L/OH5YylLD5NRKLltdqwSvS0BnU=")


def test_a_receipt_of_our_own_protocol_is_signed(solapi, notice, phones, client, settings):
    row = sent(solapi, notice, phones)
    settings.SMS_GATEWAY_TOKEN = "secret"
    body = json.dumps({"receipt_reference": receipt_reference(row.pk), "state": "delivered"})
    mac = hmac.new(b"secret", body.encode(), hashlib.sha256).hexdigest()
    post = {"path": "/sms/receipts/own/", "data": body, "content_type": "application/json"}
    assert client.post(**post, headers={"X-Receipt-Signature": "sha256=0"}).status_code == 403
    assert not DeliveryReceipt.objects.exists()
    headers = {"X-Receipt-Signature": f"sha256={mac}"}
    assert client.post(**post, headers=headers).status_code == 204
    assert DeliveryReceipt.objects.get(pk=row.pk).state == Receipt.DELIVERED


@pytest.mark.django_db
class TestForgedReceipts:
    """A forged request costs little, and no number of them has a genuine one refused."""

    @pytest.fixture(autouse=True)
    def _tokens(self, settings):
        settings.SMS_GATEWAY_TOKEN = settings.TWILIO_TOKEN = "secret"

    @pytest.mark.parametrize("provider", ["twilio", "own"])
    def test_a_large_body_is_not_read(self, client, provider):
        body = {"MessageStatus": "x" * 20_000}
        answer = client.post(
            f"/sms/receipts/{provider}/", body, headers={"X-Twilio-Signature": "x"}
        )
        assert answer.status_code == 413

    @pytest.mark.parametrize("provider", ["twilio", "own"])
    def test_a_wrong_signature_reaches_neither_database_nor_redis(
        self, client, settings, provider, django_assert_num_queries
    ):
        settings.REDIS_URL = "unix:///nonexistent/redis.sock"
        headers = {"X-Twilio-Signature": "x", "X-Receipt-Signature": "x"}
        with django_assert_num_queries(0):
            answer = client.post(
                f"/sms/receipts/{provider}/", {"MessageStatus": "sent"}, headers=headers
            )
        assert answer.status_code == 403

    def test_a_genuine_receipt_is_taken_after_many_forged_ones(
        self, twilio, notice, phones, client, settings
    ):
        row = sent(twilio, notice, phones)
        path = twilio.messages[0]["StatusCallback"].removeprefix(settings.PORTAL_URL)
        form = {"MessageStatus": "delivered"}
        for _request in range(200):
            forged = client.post(path, form, headers={"X-Twilio-Signature": "x"})
            assert forged.status_code == 403
        signature = twilio.signature(settings.PORTAL_URL + path, form)
        answer = client.post(path, form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 204
        assert DeliveryReceipt.objects.get(pk=row.pk).state == Receipt.DELIVERED

    def test_the_references_of_one_request_are_tried_up_to_a_bound(
        self, solapi, notice, phones, client, caplog
    ):
        """A reader of a message knows its code, and the log names each forged one."""
        row = sent(solapi, notice, phones)
        code = message_code(row.pk).replace("-", "").lower()
        genuine = solapi.report(0, "4000", "수신 완료")
        forged = genuine | {"customFields": {"reference": f"{code}-{'0' * 20}"}}
        others = [genuine | {"customFields": {}}] * 500  # of another sender with the same account
        assert post_solapi(client, *[forged] * 5_000, genuine) == 204
        assert len(caplog.records) < 110
        assert not DeliveryReceipt.objects.exists()
        assert post_solapi(client, *others, *[forged] * 90, genuine) == 204
        assert DeliveryReceipt.objects.get(pk=row.pk).state == Receipt.DELIVERED


def test_an_unknown_gateway_has_no_webhook(client, db):
    assert client.post("/sms/receipts/other/").status_code == 404


def test_missing_receipts_are_fetched(solapi, notice, phones, capsys):
    row = sent(solapi, notice, phones)
    call_command("fetch_receipts")
    assert not DeliveryReceipt.objects.exists()
    report = solapi.report(0, "4000", "수신 완료")
    solapi.reports[report["messageId"]] = report
    call_command("fetch_receipts")
    assert DeliveryReceipt.objects.get(pk=row.pk).state == Receipt.DELIVERED
    assert receipts.fetch_receipts([]) == 0


def test_missing_receipts_are_fetched_from_twilio(twilio, notice, phones):
    row = sent(twilio, notice, phones)
    sid = twilio.messages[0]["sid"]
    twilio.reports[sid] = {"sid": sid, "status": "undelivered", "error_code": 30003}
    call_command("fetch_receipts")
    receipt = DeliveryReceipt.objects.get(pk=row.pk)
    assert (receipt.state, receipt.words) == (Receipt.FAILED, "undelivered 30003")


def test_a_gateway_that_is_away_stops_no_fetch(solapi, notice, phones, settings):
    sent(solapi, notice, phones)
    settings.SOLAPI_URL = "http://127.0.0.1:9"
    call_command("fetch_receipts")
    assert not DeliveryReceipt.objects.exists()


# The desk


def test_the_approver_sees_the_cost_and_the_landlines(solapi, draft, client, approver, settings):
    settings.SMS_PRICES = {"sms": 18, "lms": 45, "currency": "KRW"}
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_approve", args=[draft.pk])).content.decode()
    assert "90 KRW" in page or "36 KRW" in page
    assert "landline" in page


def test_the_page_of_a_notice_shows_what_the_gateway_reported(
    solapi, notice, phones, client, approver
):
    sent(solapi, notice, phones)
    post_solapi(client, solapi.report(0, "4000", "수신 완료"))
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).content.decode()
    assert "delivered to the telephone" in page
