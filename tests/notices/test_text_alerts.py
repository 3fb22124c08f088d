"""Alerts by text message: to a number that the user has proven and chosen, and one tap out."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import joining
from accounts.further_contacts import add_contact
from accounts.models import User, VerifiedPhone
from accounts.typed_contacts import takes_texts
from notices import decisions, joined_accounts
from notices.engine import planning
from notices.forms.alerts import end_all, undo_end
from notices.forms.notices import ApproveForm, DeliveryLookUpForm
from notices.message_codes import message_code
from notices.message_samples import sample_mail, sample_sms_size
from notices.models import (
    AlertNumber,
    AlertSubscription,
    Delivery,
    DeliveryReceipt,
    Notice,
    Suppression,
)
from notices.own_messages import own_messages
from notices.returned_mail import suppression_list
from notices.returned_mail.receipts import Receipt, record_receipt
from scams.message_check import MessageVerdict, answer_for
from tests.notice_factory import assert_adds_up, draft_notice, scam_alert, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
MINJI, HALMONI = "+821012345678", "+821055556666"
PAGE = "/ko/alerts/"


@pytest.fixture
def halmoni() -> User:
    """A customer who signs in with a number only."""
    return User.objects.for_proven_phone(HALMONI, language="ko")


def choose(user: User, number: str = "") -> AlertNumber:
    """Makes the user's number, or a new `number`, that of their alerts."""
    if number:
        VerifiedPhone.objects.create(user=user, number=number)
    phone = user.phones.latest("pk")
    return AlertNumber.objects.create(user=user, phone=phone)


def sent(notice: Notice, approver: User) -> Notice:
    decisions.approve(notice, by=approver)
    return work(notice)


@pytest.fixture
def alert(version, editor, minji, halmoni) -> Notice:
    """An alert on scams by text message, for which Minji and Halmoni chose their numbers."""
    choose(minji, MINJI)
    choose(halmoni)
    scam_alert(version, editor, minji, halmoni)
    return draft_notice(version, editor, kind="alert", topic="scams", channel="sms")


def draft_like(alert: Notice) -> Notice:
    """Returns another draft of the same alert."""
    fields = {"kind": "alert", "topic": "scams", "channel": "sms"}
    return draft_notice(alert.version, alert.created_by, **fields)


def stop_address(alert: Notice, user: User) -> str:
    row = Delivery.objects.get(notice=alert, subscription__user=user)
    return reverse("stop_texts", args=[message_code(row.pk)])


def test_a_person_with_a_number_only_chooses_it_on_the_page_and_gets_the_text(
    client, incident, halmoni, version, editor, approver, gateway
):
    client.force_login(halmoni)
    page = client.get(PAGE).text
    (proposed,) = halmoni.phones.all()
    assert "010-5555-6666" in page
    assert "how_often" not in page  # no e-mail comes to this person
    posted = {incident.slug: ["scams"], "number_for_alerts": proposed.pk}
    page = client.post(PAGE, posted, follow=True).text
    assert '문자 메시지를 받을 번호: <span class="whole">010-5555-6666</span>' in page

    alert = draft_notice(version, editor, kind="alert", topic="scams", channel="sms")
    assert planning.count_now(alert).people == 1
    sent(alert, approver)
    (text,) = gateway.texts_to(HALMONI)
    row = Delivery.objects.get(notice=alert)
    code = message_code(row.pk)
    host = django_settings.PORTAL_HOST
    assert text.splitlines() == [
        "[한빛상점] 개인정보 유출 안내",
        f"전문: {host} 직접 입력",
        f"그만 받기: {host}/stop/{code}",
    ]
    assert (alert.state, alert.accepted) == (Notice.State.CLOSED, 1)
    assert_adds_up(alert)
    (own,) = own_messages(halmoni, str)
    assert (own.code, own.text, own.channel) == (code, text, "문자 메시지")
    assert answer_for(text).verdict == MessageVerdict.SENT
    assert answer_for(text.replace(host, "han-bit.example")).verdict != MessageVerdict.SENT
    assert answer_for(code).verdict == MessageVerdict.SENT


def test_the_page_keeps_what_a_browser_did_not_send(client, incident, halmoni, gateway):
    client.force_login(halmoni)
    choose(halmoni)
    client.post(PAGE, {incident.slug: ["scams"]})
    assert halmoni.alert_number
    client.post(PAGE, {incident.slug: ["scams"], "number_for_alerts": "no"})
    assert not AlertNumber.objects.exists()


@pytest.mark.parametrize("number", ["+82212345678", "+14155550123", "+827012345678"])
def test_landlines_and_foreign_numbers_are_never_offered_nor_sent_to(
    client, incident, version, editor, approver, minji, gateway, number
):
    assert not takes_texts(number)
    choose(minji, number)
    scam_alert(version, editor, minji)
    alert = sent(
        draft_notice(version, editor, kind="alert", topic="scams", channel="sms"), approver
    )
    assert (alert.unreachable, gateway.asked) == (1, [])
    AlertNumber.objects.all().delete()
    client.force_login(minji)
    assert 'name="number_for_alerts"' not in client.get(PAGE).text


def test_no_texts_are_offered_without_a_gateway_or_with_none_allowed(
    client, incident, halmoni, settings, gateway
):
    client.force_login(halmoni)
    assert 'name="number_for_alerts"' in client.get(PAGE).text
    settings.ALERT_TEXTS = 0
    assert 'name="number_for_alerts"' not in client.get(PAGE).text
    settings.ALERT_TEXTS = 10
    settings.SMS_GATEWAY = "notices.engine.solapi.SolapiAlimtalkGateway"
    assert 'name="number_for_alerts"' not in client.get(PAGE).text
    choose(halmoni)  # can still end it
    assert 'name="number_for_alerts"' in client.get(PAGE).text


def end_subscription(user: User) -> None:
    user.subscriptions.update(unsubscribed_at=timezone.now())


def lose_number(user: User) -> None:
    """Lets another person prove the number: a carrier gave it away."""
    VerifiedPhone.objects.update(verified_at=timezone.now() - timedelta(days=60))
    assert User.objects.for_proven_phone(HALMONI, language="ko") != user


def suppress(user: User) -> None:
    incident = AlertSubscription.objects.get(user=user).incident
    index = suppression_list.index_in("sms", HALMONI, incident)
    Suppression.objects.create(index=index, incident=incident, channel="sms", source="request")


@pytest.mark.parametrize(
    "change", [end_subscription, lose_number, suppress, lambda user: user.phones.all().delete()]
)
def test_who_ended_it_or_lost_the_number_on_the_way_gets_none(
    alert, halmoni, approver, gateway, change
):
    decisions.approve(alert, by=approver)
    planning.plan_ledger(alert.pk)
    change(halmoni)
    work(alert)
    assert gateway.texts_to(HALMONI) == []
    assert len(gateway.texts_to(MINJI)) == 1
    assert alert.suppressed == 1
    assert_adds_up(alert)


def test_a_number_that_comes_back_is_not_that_of_the_alerts_again(minji, halmoni):
    choose(halmoni)
    for user in (minji, halmoni):
        add_contact(user, HALMONI, leaves_account=True)
    assert halmoni.phones.get().number == HALMONI
    assert not AlertNumber.objects.exists()


# ---------------------------------------------------------------- before the approval


def test_the_approver_reads_the_cost_and_the_mail_says_who_wants_texts(
    alert, approvers_desk, editor, version, settings, gateway, english
):
    settings.SMS_PRICES = {"sms": 18, "lms": 45, "currency": "KRW"}
    page = approvers_desk.get(reverse("admin:notices_notice_approve", args=[alert.pk])).text
    assert "90 KRW (long messages, LMS: 2)" in page
    settings.SMS_PRICES = {"segment": "0.07", "currency": "EUR"}
    page = approvers_desk.get(reverse("admin:notices_notice_approve", args=[alert.pk])).text
    assert "0.28 EUR (segments: 4)" in page
    assert "/stop/" in page
    by_mail = draft_notice(version, editor, kind="alert", topic="scams")
    run = planning.count_now(by_mail)
    assert (run.people, run.reachable, run.no_address, run.by_text) == (2, 1, 1, 2)
    page = approvers_desk.get(reverse("admin:notices_notice_approve", args=[by_mail.pk])).text
    label = "Subscribers who want it by text message, too: draft that alert"
    assert f'<th scope="row">{label}</th><td>2</td>' in page


def test_more_texts_than_allowed_are_refused(alert, approver, approvers_desk, settings, gateway):
    settings.ALERT_TEXTS = 1
    with pytest.raises(decisions.ApprovalRefusedError, match="ALERT_TEXTS"):
        decisions.approve(alert, by=approver)
    page = approvers_desk.get(reverse("admin:notices_notice_approve", args=[alert.pk])).text
    assert "ALERT_TEXTS" in page
    settings.ALERT_TEXTS = 2
    decisions.approve(alert, by=approver)


def test_an_alert_that_was_not_counted_is_counted_before_it_starts(
    alert, approver, settings, gateway
):
    settings.ALERT_TEXTS = settings.NOTICE_RAMP_FROM_PEOPLE = 1
    posted = {"people": str(alert.pk), "seen": "x"}
    shown = ApproveForm(posted, notice=alert, by=approver, people=None).shown
    form = ApproveForm({**posted, "seen": shown}, notice=alert, by=approver, people=None)
    assert not form.approve()
    assert "ALERT_TEXTS" in str(form.errors)
    settings.ALERT_TEXTS = 2
    form = ApproveForm({**posted, "seen": shown}, notice=alert, by=approver, people=None)
    assert form.approve()


def test_more_texts_than_allowed_at_the_start_pause_an_alert_that_waited(
    alert, approver, settings, gateway
):
    Notice.objects.filter(pk=alert.pk).update(begins_at=timezone.now() + timedelta(days=1))
    decisions.approve(alert, by=approver, people=2)
    settings.ALERT_TEXTS = 1
    Notice.objects.filter(pk=alert.pk).update(begins_at=timezone.now())
    assert (work(alert).paused_for, gateway.asked) == ("more", [])
    assert alert.problem == "2 text messages now, and ALERT_TEXTS allows 1"
    settings.ALERT_TEXTS = 2
    decisions.resume(alert)
    assert work(alert).accepted == 2


def test_no_page_of_a_ledger_brings_an_alert_above_the_texts_that_are_allowed(
    alert, approver, settings, gateway
):
    settings.ALERT_TEXTS = 2
    decisions.approve(alert, by=approver, people=2)
    settings.ALERT_TEXTS = 1
    assert (work(alert).paused_for, alert.planned) == ("more", 0)
    assert alert.problem == "2 text messages now, and ALERT_TEXTS allows 1"
    assert alert.confirmed_people == 2
    settings.ALERT_TEXTS = 2
    decisions.resume(alert)
    assert work(alert).accepted == 2


def test_the_desk_finds_the_texts_of_a_number(alert, approver, halmoni, gateway):
    sent(alert, approver)
    form = DeliveryLookUpForm({"asked": "010-5555-6666", "reason": "The customer asks."})
    assert form.is_valid()
    (found,) = form.cleaned_data["deliveries"]
    assert found.subscription.user == halmoni


def test_an_alert_needs_a_gateway_that_takes_any_text(alert, approver, settings, gateway):
    settings.SMS_GATEWAY = "notices.engine.solapi.SolapiAlimtalkGateway"
    with pytest.raises(decisions.ApprovalRefusedError, match="SMS_GATEWAY"):
        decisions.approve(alert, by=approver)
    settings.SMS_GATEWAY += ",notices.engine.gateways.HttpGateway"
    work(sent(alert, approver))
    assert len(gateway.asked) == 2


def test_texts_wait_when_no_gateway_takes_them_any_more(alert, approver, settings, gateway):
    decisions.approve(alert, by=approver)
    settings.SMS_GATEWAY = "notices.engine.solapi.SolapiAlimtalkGateway"
    work(alert)
    assert (alert.in_doubt, alert.problem) == (0, "no gateway takes this text message")
    assert Delivery.objects.filter(notice=alert).waiting().count() == 2


@pytest.mark.parametrize("language", [code for code, _name in django_settings.LANGUAGES])
def test_the_text_is_one_message_to_a_korean_phone_and_at_most_two_elsewhere(
    alert, settings, language
):
    settings.PORTAL_HOST = "breach.hanbit.example"
    size = sample_sms_size(alert, language)
    assert size.korean_bytes <= settings.SMS_MAX_BYTES
    assert size.segments <= 2
    assert "slot" not in sample_mail(alert, language).data.decode()


# ---------------------------------------------------------------- one tap out


def test_the_address_in_the_text_ends_the_texts_and_nothing_else(
    alert, approver, minji, halmoni, gateway
):
    sent(alert, approver)
    reader, address = Client(enforce_csrf_checks=True), stop_address(alert, halmoni)
    assert "<button" in reader.get(address).text
    assert AlertNumber.objects.count() == 2
    typed = "/stop/" + address.split("/")[-2]
    assert reader.get(typed, follow=True, headers={"accept-language": "ko"}).status_code == 200
    ended = reader.post(address)
    assert not ended.cookies
    assert list(AlertNumber.objects.values_list("user", flat=True)) == [minji.pk]
    assert halmoni.subscriptions.live().count() == 1
    assert reader.post(address).text == ended.text
    assert reader.get(address).text == ended.text


@pytest.mark.parametrize("number", [MINJI, "+821077778888"])
def test_an_old_text_ends_the_texts_that_were_chosen_after_it(
    alert, approver, minji, gateway, number
):
    sent(alert, approver)
    AlertNumber.objects.filter(user=minji).delete()
    choose(minji, "" if number == MINJI else number)
    AlertNumber.objects.update(chosen_at=timezone.now() + timedelta(days=2))
    assert "<button" in Client().get(stop_address(alert, minji)).text
    assert "<button" not in Client().post(stop_address(alert, minji)).text
    assert not AlertNumber.objects.filter(user=minji).exists()


def test_only_the_code_of_such_a_text_opens_the_page(
    alert, approver, version, editor, minji, gateway, server
):
    mail = sent(draft_notice(version, editor, kind="alert", topic="scams"), approver)
    pages = {
        Client().post(reverse("stop_texts", args=[code])).text.replace(code, "")
        for code in (
            *("nonsense", "7QK2-X9ND-4HTB"),
            *(message_code(row.pk) for row in Delivery.objects.filter(notice=mail)),
        )
    }
    assert all("<form method" not in page for page in pages)
    assert AlertNumber.objects.count() == 2


def test_a_joined_account_keeps_the_number(minji, halmoni):
    choose(halmoni)
    halmoni.phones.update(user=minji)
    joined_accounts.move_rows(halmoni, minji)
    assert AlertNumber.objects.live().get().user == minji


def test_a_text_that_waits_while_accounts_are_joined_is_sent_once(
    alert, approver, minji, halmoni, gateway
):
    AlertNumber.objects.filter(user=minji).delete()
    sent(draft_like(alert), approver)
    decisions.approve(alert, by=approver)
    planning.plan_ledger(alert.pk)
    joining.join(minji, halmoni)
    work(alert)
    assert len(gateway.texts_to(HALMONI)) == 2
    assert alert.suppressed == 0
    assert_adds_up(alert)
    assert len(own_messages(minji, str)) == 2
    row = Delivery.objects.get(notice=alert)
    page = Client().post(reverse("stop_texts", args=[message_code(row.pk)])).text
    assert "<button" not in page
    assert not AlertNumber.objects.exists()


def test_who_waits_for_a_text_in_both_accounts_gets_one(alert, approver, minji, halmoni, gateway):
    decisions.approve(alert, by=approver)
    planning.plan_ledger(alert.pk)
    joining.join(minji, halmoni)
    work(alert)
    assert len(gateway.asked) == 1
    assert alert.suppressed == 1
    assert_adds_up(alert)


def test_the_account_page_leads_to_the_alerts(client, minji):
    client.force_login(minji)
    assert f'<li><a href="{PAGE}">알림 <span' in client.get("/ko/account/").text


# ---------------------------------------------------------------- receipts


def test_a_receipt_that_it_failed_counts_for_text_messages(alert, approver, minji, gateway):
    decisions.approve(alert, by=approver)
    planning.plan_ledger(alert.pk)
    gateway.answer_next(HALMONI, 429)  # so that the notice stays open
    work(alert)
    row = Delivery.objects.get(notice=alert, subscription__user=minji)
    assert record_receipt(row.pk, Receipt(DeliveryReceipt.State.FAILED, "switched off"))
    row.refresh_from_db()
    assert row.state == Delivery.State.BOUNCED
    assert list(alert.destinations.filter(bounced=1).values_list("name", flat=True)) == ["SMS KR"]
    assert_adds_up(alert)


# ---------------------------------------------------------------- all at once


def test_one_button_ends_all_alerts_and_one_undoes_it(client, incident, minji):
    client.force_login(minji)
    client.post(PAGE, {incident.slug: ["updates", "scams"]})
    keys = set(minji.subscriptions.values_list("pk", flat=True))
    page = client.post(reverse("end_alerts"), follow=True).text
    assert not minji.subscriptions.live().exists()
    assert reverse("undo_end_alerts") in page
    page = client.post(reverse("undo_end_alerts"), follow=True).text
    assert set(minji.subscriptions.live().values_list("pk", flat=True)) == keys
    assert reverse("undo_end_alerts") not in page
    assert "이전대로 되돌렸습니다" in page


def test_undo_takes_back_only_own_subscriptions_and_none_twice(incident, minji, seojun):
    theirs = AlertSubscription.objects.create(user=seojun, incident=incident, topic="scams")
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    ended = [*end_all(minji), *end_all(seojun)]
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    undo_end(minji, ended)
    theirs.refresh_from_db()
    assert theirs.unsubscribed_at
    assert minji.subscriptions.live().count() == 1
