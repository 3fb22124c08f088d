"""The page "Messages that we sent you": each message of the portal to the reader, and no other."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import new_devices, sent_mails
from accounts.models import User, VerifiedPhone
from accounts.sent_mail import SentMail
from foundations.unbroken import unbroken
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in, step_up
from incidents import reminders
from incidents.models import ExposureFile, Incident, PersonMark
from notices import decisions
from notices.message_codes import message_code
from notices.models import Delivery, Letter, Notice
from scams.message_check import MessageVerdict, answer_for
from tests.gateway import Gateway
from tests.notice_factory import delivery_to, draft_notice, scam_alert, work
from tickets import answer_mails, correspondence
from tickets.models import Ticket

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
PAGE = "/en/my-data/messages/"
TEXT = re.compile(r'<p class="as-written"[^>]*>(.*?)</p>', re.DOTALL)
UNBROKEN = re.compile(r'<span class="whole">(.*?)</span>')


@pytest.fixture
def gateway(settings) -> Iterator[Gateway]:
    with Gateway() as gateway:
        settings.SMS_GATEWAY = "notices.engine.gateways.HttpGateway"
        settings.SMS_GATEWAY_URL = gateway.url
        settings.SMS_GATEWAY_TOKEN = "token"
        settings.SMS_SENDER = "029302266"
        yield gateway


@pytest.fixture
def minjis(minji) -> Client:
    return browser_of(minji)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(client: Client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.text


def texts_on(page: str) -> list[str]:
    texts = [UNBROKEN.sub(r"\1", text) for text in TEXT.findall(page)]
    return [unescape(text).strip().replace("\r\n", "\n") for text in texts]


def text_of(message) -> str:
    """Returns the plain text of a mail that a server took."""
    return message.get_body(("plain",)).get_content().strip().replace("\r\n", "\n")


def approved(draft: Notice, approver: User) -> Notice:
    decisions.approve(draft, by=approver)
    return work(draft)


def test_a_visitor_signs_in_first(client, db):
    response = client.get(PAGE)
    assert response.status_code == 302
    assert "/account/sign-in/" in response["Location"]


def test_my_data_and_the_account_lead_to_it(minjis, notice):
    for path in ("my-data", "account"):
        assert 'href="/en/my-data/messages/"' in minjis.get(f"/en/{path}/").text


def test_nothing_sent_is_said(minjis, incident):
    assert "We have sent nothing to them yet." in page_of(minjis)


def test_a_notice_has_its_code_and_its_text_with_the_name_masked(minjis, notice, people, server):
    work(notice)
    page = page_of(minjis)
    assert message_code(delivery_to(notice, people["minji"]).pk) in page
    (sent,) = [one for one in server.taken if one.to == "minji@example.com"]
    (shown,) = texts_on(page)
    assert shown != text_of(sent.message)
    assert shown.replace("김***지", "김민지").replace("김*지", "김민지") == text_of(sent.message)
    assert "김민지" not in page
    assert str(sent.message["Subject"]) in unescape(page)


def test_the_text_is_that_of_the_mail_while_my_data_shows_everything(
    minjis, minji, notice, people, server
):
    work(notice)
    step_up(minjis, minji)
    minjis.post("/en/my-data/reveal/")
    (sent,) = [one for one in server.taken if one.to == "minji@example.com"]
    page = page_of(minjis)
    assert texts_on(page) == [text_of(sent.message)]
    assert answer_for(texts_on(page)[0]).verdict == MessageVerdict.SENT


def test_an_alert_has_its_text(minjis, minji, version, editor, approver, server):
    approved(scam_alert(version, editor, minji), approver)
    (sent,) = server.taken
    assert texts_on(page_of(minjis)) == [text_of(sent.message)]


def test_a_text_message_to_a_proven_number_has_its_text(
    version, editor, approver, incident, gateway
):
    row = person(incident, name="최하늘", phone="010-4141-2002")
    expose(row, file_of(incident), "names", "phone-numbers")
    approved(draft_notice(version, editor, channel="sms"), approver)
    user = User.objects.create(language="ko")
    VerifiedPhone.objects.create(user=user, number="+821041412002")
    page = page_of(browser_of(user))
    assert texts_on(page) == gateway.texts_to("+821041412002")
    assert "최하늘" not in page


def test_a_message_to_a_contact_that_is_not_proven_is_not_listed(
    version, editor, approver, incident, server
):
    row = person(incident, name="김민지", email="minji@example.com", phone="010-4141-2002")
    expose(row, file_of(incident), "names", "email-addresses", "phone-numbers")
    approved(draft_notice(version, editor), approver)
    user = User.objects.create(language="ko")
    VerifiedPhone.objects.create(user=user, number="+821041412002")
    page = page_of(browser_of(user))
    assert texts_on(page) == []
    assert message_code(Delivery.objects.get().pk) not in page


def test_a_stranger_sees_no_message_of_others(seojun, minji, notice, people, server):
    work(notice)
    minjis_code = message_code(delivery_to(notice, people["minji"]).pk)
    page = page_of(browser_of(seojun))
    assert minjis_code not in page
    assert "Seojun Lee" not in page
    assert len(texts_on(page)) == 1


def test_a_contact_of_several_people_opens_no_message(
    version, minjis, editor, approver, incident, server
):
    file = file_of(incident)
    for name in ("김민지", "김서준"):
        row = person(incident, name=name, email="minji@example.com")
        expose(row, file, "names", "email-addresses")
    approved(draft_notice(version, editor), approver)
    assert len(server.taken) == 2
    page = page_of(minjis)
    assert texts_on(page) == []
    assert not [key for key in Delivery.objects.values_list("pk") if message_code(*key) in page]


def test_a_row_that_support_closed_shows_no_message(minjis, notice, people, server, editor):
    work(notice)
    row = people["minji"]
    fields = {"incident": row.incident, "person": row, "reason": "x", "marked_by": editor}
    PersonMark.objects.create(kind=PersonMark.Kind.RESTRICTED, **fields)
    assert texts_on(page_of(minjis)) == []


def test_a_text_that_may_have_differed_is_not_shown(minjis, notice, people, server):
    """A file that was loaded after the message may have changed the name or the address."""
    work(notice)
    later = file_of(people["minji"].incident, number=2)
    expose(people["minji"], later, values=[("entrance-codes", "7585#")])
    ExposureFile.objects.filter(pk=later.pk).update(finished_at=timezone.now())
    page = page_of(minjis)
    assert texts_on(page) == []
    assert "we cannot show its exact text" in page
    assert message_code(delivery_to(notice, people["minji"]).pk) in page


def test_a_message_that_came_back_says_so(minjis, notice, people, server):
    work(notice)
    Delivery.objects.filter(recipient=people["minji"].pk).update(state="bounced")
    page = page_of(minjis)
    assert "It came back to us" in page
    assert len(texts_on(page)) == 1


def test_a_message_that_nobody_took_is_not_listed(minjis, notice, people, server):
    server.reply_next("recipient", "minji@example.com", "550 5.1.1 no such user")
    work(notice)
    assert delivery_to(notice, people["minji"]).state == "bounced"
    page = page_of(minjis)
    assert message_code(delivery_to(notice, people["minji"]).pk) not in page


def test_a_posted_letter_is_listed(minjis, notice, people, server):
    work(notice)
    delivery = delivery_to(notice, people["minji"])
    fields = {"delivery": delivery, "notice": notice, "exported_at": timezone.now()}
    letter = Letter.objects.create(**fields)
    assert "letter by post" not in page_of(minjis)
    letter.posted_on = timezone.localdate()
    letter.save()
    assert "letter by post" in page_of(minjis)


def test_account_mails_are_listed_as_they_were_sent(minji, incident: Incident, editor):
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file_of(incident), values=[("entrance-codes", "7585#")])
    sign_in(Client(), minji.email)
    phone = Client(headers={"user-agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile"})
    sign_in(phone, minji.email)
    before = len(mail.outbox)
    new_devices.send_due()
    reminders.ask(minji, incident)
    minji.step_reminders.update(due_at=timezone.now())
    reminders.send_due()
    correspondence.answer(ticket_of(minji, incident), text="We have two.", by=editor)
    answer_mails.send_due()
    sent = mail.outbox[before:]
    assert len(sent) == 3
    page = page_of(phone)
    assert sorted(texts_on(page)) == sorted(str(one.body).strip() for one in sent)
    for kept in SentMail.objects.all():
        assert kept.code in page
        assert answer_for(kept.code).verdict == MessageVerdict.SENT
        assert kept.code in kept.text
    codes = re.findall(
        r"^ +(\d{8})$", "\n".join(str(one.body) for one in mail.outbox), re.MULTILINE
    )
    assert len(codes) == 2
    assert not [code for code in codes if code in page]
    seojun = User.objects.create_user("seojun@example.com")
    assert texts_on(page_of(browser_of(seojun))) == []


def ticket_of(user: User, incident: Incident) -> Ticket:
    client = browser_of(user)
    client.post(reverse("ask", args=[incident.slug]), {"kind": "access", "text": "Which?"})
    return Ticket.objects.get(user=user)


def test_a_mail_that_was_not_sent_is_not_kept(minji, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.CODE_MAIL_SERVER = {**settings.CODE_MAIL_SERVER, "host": "127.0.0.1", "port": 1}
    minji.new_devices.create(browser="Chrome", system="Android")
    new_devices.send_due()
    assert not SentMail.objects.exists()


def test_account_mails_are_deleted_after_their_time(minji):
    minji.new_devices.create(browser="Chrome", system="Android")
    new_devices.send_due()
    sent_mails.purge()
    assert SentMail.objects.count() == 1
    SentMail.objects.update(sent_at=timezone.now() - sent_mails.KEPT_FOR - timedelta(hours=1))
    sent_mails.purge()
    assert not SentMail.objects.exists()


def test_an_incident_that_is_shredded_hides_no_other(minjis, notice, people, server):
    work(notice)
    other = Incident(slug="other", company={"en": "B"}, title={"en": "B"}, is_public=True)
    other.aware_at, other.shredded_at = timezone.now(), timezone.now()
    other.save()
    assert len(texts_on(page_of(minjis))) == 1


def test_a_particle_stands_on_the_line_of_its_code():
    shown = unbroken("코드는 7QK2-X9ND-4HTB입니다.")
    assert shown == '코드는 <span class="whole">7QK2-X9ND-4HTB입니다</span>.'
