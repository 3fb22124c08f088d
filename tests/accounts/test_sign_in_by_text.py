"""Signing in with a mobile number and a code by text message, through a real provider."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts import code_limits, code_queue, code_texts
from accounts.models import NUMBER_STAYS_FOR, User, VerifiedPhone
from accounts.typed_contacts import read_contact
from harness.sign_in import ask_for_code, enter_code, give_app, sign_in, wrong
from notices.sms import KOREAN_SHORT_BYTES, sms_size
from scams.message_check import MessageVerdict
from tests.text_sign_in import HALMONI, SOLAPI, browser, newest_text_code, sign_in_by_text

pytest_plugins = ["tests.text_sign_in"]
pytestmark = pytest.mark.django_db
SIGN_IN, CODE = "/en/account/sign-in/", "/en/account/sign-in/code/"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# The way in


def test_a_person_with_a_number_only_signs_in(client, solapi):
    assert sign_in_by_text(client, solapi).status_code == 302
    user = User.objects.get()
    assert (user.email, user.verified_phones(), user.verified_emails()) == (None, [HALMONI], [])
    assert client.session["_auth_user_id"] == str(user.pk)
    assert mail.outbox == []
    sign_in_by_text(Client(), solapi)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "01041412002",
            " 010 4141 2002 ",
            "010.4141.2002",
            "+82 10-4141-2002",
            "+82-010-4141-2002",
        ),
        *("０１０－４１４１－２００２", "(010) 4141-2002", "tel:+821041412002", "00821041412002"),
        *("휴대폰 010-4141-2002", "\u200b010–4141–2002\u200b", "0082 10 4141 2002"),
    ],
)
def test_a_number_is_understood_as_people_type_it(typed):
    assert read_contact(typed, takes_numbers=True) == HALMONI


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("02-345-6789", "landline or a service number"),
        ("070-4141-2002", "landline or a service number"),
        ("1588-1234", "landline or a service number"),
        ("050-4141-20021", "landline or a service number"),
        ("060-700-1234", "landline or a service number"),
        ("080-123-4567", "landline or a service number"),
        ("+82 60-700-1234", "landline or a service number"),
        ("10-4141-2002", "Begin the number with 0"),
        ("010-4141-200", "whole mobile number"),
        ("010-4141-2002, 010-4141-2003", "one number only"),
        ("+1 809-555-0132", "+82 only"),
        ("+44 7797 712345", "+82 only"),  # Jersey
        ("+44 7400 123456", "+82 only"),
        ("+44 70 1234 5678", "landline or a service number"),  # a personal number
        ("+881 6 1234 5678", "+82 only"),  # a satellite phone
        ("+870 773 123 456", "+82 only"),
        ("+1 900 555 0132", "mobile number"),
        ("minji", "whole mobile number"),
        ("minji@", "whole mobile number"),
        ("minji19900101", "whole mobile number"),
        ("minji1990", "Enter a whole e\u2011mail address"),  # the part before the @
        ("a12345", "Enter a whole e\u2011mail address"),
    ],
)
def test_a_number_that_gets_no_text_is_refused_in_words(client, solapi, typed, said):
    page = client.post(SIGN_IN, {"email": typed})
    assert page.status_code == 200
    assert said in page.context["form"].errors["email"][0]
    assert f'value="{typed}"' in page.text
    assert (solapi.messages, mail.outbox) == ([], [])


def test_regions_by_setting_decide_which_numbers_are_served(settings):
    settings.CODE_TEXT_REGIONS = ["GB", "KR"]
    assert read_contact("07400 123456", takes_numbers=True) == "+447400123456"
    assert read_contact("010-4141-2002", takes_numbers=True) == HALMONI
    with pytest.raises(Exception, match="\\+44, \\+82"):
        read_contact("+44 7797 712345", takes_numbers=True)  # Jersey has +44, too


def test_a_number_that_is_valid_in_two_regions_is_asked_about(client, solapi, settings, coupang):
    settings.CODE_TEXT_REGIONS = ["KR", "DE"]
    page = client.post(SIGN_IN, {"email": "0160 2800221"})
    assert "Which number is yours?" in page.text
    assert "+82 16-0280-0221" in page.text
    assert "+49 160 2800221" in page.text
    assert solapi.messages == []
    client.post(SIGN_IN, {"email": "+821602800221"})
    assert [message["to"] for message in solapi.messages] == ["01602800221"]


def test_the_regions_of_public_incidents_count_too(client, solapi, coupang):
    typed = {"email": "0160 2800221"}
    assert client.post(SIGN_IN, typed).status_code == 302
    coupang.phone_region = "DE"
    coupang.save()
    assert "Which number is yours?" in browser().post(SIGN_IN, typed).text
    # A German number gets no text from this portal, which is said in words.
    chosen = browser().post(SIGN_IN, {"email": "+491602800221"})
    assert "We send text messages to numbers with +82 only" in chosen.text
    assert len(solapi.messages) == 1


def test_a_new_contact_is_asked_about_as_at_the_sign_in(client, solapi, settings, minji):
    settings.CODE_TEXT_REGIONS = ["KR", "DE"]
    sign_in(client, "minji@example.com")
    new = "/en/account/contacts/new/"
    asked = client.post(new, {"email": "0160 2800221"}).text
    assert "Which number is yours?" in asked
    assert f'action="{new}"' in asked
    asked = client.post(new, {"email": "minji@gmial.com"}).text
    assert "Is this address right?" in asked
    assert f'action="{new}"' in asked
    assert solapi.messages == []


def test_an_address_still_gets_a_mail(client, solapi, minji):
    sign_in(client, "Minji <minji@example.com>")
    assert client.session["_auth_user_id"] == str(minji.pk)
    assert solapi.messages == []


def test_without_a_gateway_the_form_takes_addresses_only(client):
    page = client.get(SIGN_IN).text
    assert 'type="email"' in page
    assert "mobile number" not in page
    refused = client.post(SIGN_IN, {"email": "010-4141-2002"})
    assert "Enter a whole e\u2011mail address, such as" in refused.text
    assert "mobile number" not in refused.text


def test_with_a_gateway_the_forms_name_both(client, solapi, coupang):
    for path in (SIGN_IN, "/en/"):
        page = client.get(path).text
        assert "Your e\u2011mail address or mobile number" in page
        assert 'type="email"' not in page
        assert 'name="email"' in page


def test_a_gateway_for_approved_templates_gets_no_codes(client, solapi, settings):
    settings.SMS_GATEWAY = "notices.engine.solapi.SolapiAlimtalkGateway"
    assert not code_texts.are_offered()
    settings.SMS_GATEWAY += f", {SOLAPI}"
    sign_in_by_text(client, solapi)
    assert "kakaoOptions" not in solapi.messages[0]


def test_a_budget_of_nothing_offers_no_texts(solapi, settings):
    settings.CODE_TEXTS_PER_DAY = 0
    assert not code_texts.are_offered()


# The text message


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_text_is_short_names_the_portal_and_binds_the_code_to_its_host(settings, language):
    settings.PORTAL_HOST = "notice.coupang.com"
    settings.PORTAL_NAME = {"ko": "쿠팡", "en": "Coupang"}
    with translation.override(language):
        text = code_texts.text_of("12345678")
    first, code, last = text.splitlines()
    assert settings.PORTAL_NAME[language] in first
    assert "12345678" in first
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$", code)
    assert last == "@notice.coupang.com #12345678"
    size = sms_size(text)
    assert (size.segments <= 1) if language == "en" else (size.korean_bytes <= KOREAN_SHORT_BYTES)


def test_the_check_page_knows_the_text(client, solapi, settings, coupang):
    settings.PORTAL_HOST = "notice.coupang.example"
    client.post(SIGN_IN, {"email": "010-4141-2002"}, headers={"accept-language": "en"})
    text = solapi.messages[0]["text"]
    page = client.post("/en/check/answer/", {"text": text})
    assert page.context["answer"].verdict == MessageVerdict.SENT
    assert "A text message with a code to sign in" in page.text
    assert "ignore the message" in page.text
    other = text.replace(settings.PORTAL_HOST, "notice-coupang.example")
    altered = client.post("/en/check/answer/", {"text": other})
    assert altered.context["answer"].verdict == MessageVerdict.ALTERED


def test_the_text_is_in_the_language_of_the_page(client, solapi):
    client.post("/ko/account/sign-in/", {"email": "010-4141-2002"})
    assert "인증번호" in solapi.messages[0]["text"]


# The same answer


def test_a_known_number_gets_the_same_answer_as_an_unknown_one(client, solapi):
    sign_in_by_text(client, solapi)
    pages = []
    for number in ("010-4141-2002", "010-4141-2003"):
        visitor = browser("198.51.100.1" if number.endswith("3") else "198.51.101.1")
        with CaptureQueriesContext(connection) as queries:
            answer = visitor.post(SIGN_IN, {"email": number})
            enter = visitor.post(CODE, {"code": wrong(newest_text_code(solapi))})
        tables = " ".join(query["sql"] for query in queries)
        assert "accounts_user" not in tables
        assert "accounts_verifiedphone" not in tables
        page = "\n".join(line for line in enter.text.splitlines() if "csrf" not in line)
        digits = number.replace("-", "")[1:]
        page = re.sub(r'value="\d{8}"', "", page.replace(number, "…").replace(digits, "…"))
        pages.append((answer.status_code, answer["Location"], len(queries), page))
    assert pages[0] == pages[1]
    assert "newest text message. You have 4 tries left" in pages[0][3]


def test_the_page_of_the_code_says_what_to_do_if_no_text_comes(solapi):
    visitor = browser()
    visitor.post(SIGN_IN, {"email": "010-4141-2002"})
    page = visitor.get(CODE).text
    assert "We have sent a text message with eight digits to" in page
    assert "010-4141-2002" in page
    assert "No text message after a minute?" in page
    assert "Naver" not in page


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"errorCode": "ValidationError", "errorMessage": "수신번호 오류"}),
        (402, {"errorCode": "NotEnoughBalance", "errorMessage": "잔액 부족"}),
        (429, {"errorCode": "TooMany", "errorMessage": "slow"}),
    ],
)
def test_a_refused_text_is_shown_and_its_number_is_not_logged(solapi, status, body, caplog):
    visitor = browser()
    solapi.refuse("01041412002", status, body)
    refused = visitor.post(SIGN_IN, {"email": "010-4141-2002"})
    assert refused.status_code == 503
    assert "Our text message did not go out" in refused.text
    assert "41412002" not in caplog.text
    assert visitor.post(SIGN_IN, {"email": "010-4141-2002"}).status_code == 302


def test_texts_leave_outside_the_request_in_a_queue_of_their_own(
    solapi, settings, monkeypatch, caplog
):
    settings.CODE_TEXT_CONNECTIONS = 2
    monkeypatch.setattr(code_queue, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(code_texts, "_queue", code_texts.new_queue())
    visitor = browser()
    solapi.refuse("01041412002", 402, {"errorCode": "NotEnoughBalance", "errorMessage": "잔액"})
    assert visitor.post(SIGN_IN, {"email": "010-4141-2002"}).status_code == 302
    code_texts._queue.finish()
    page = visitor.get(CODE)
    assert page.status_code == 503
    assert "a code text was not sent" in caplog.text
    visitor.post(SIGN_IN, {"email": "010-4141-2002"})
    code_texts._queue.finish()
    visitor.post(CODE, {"code": newest_text_code(solapi)})
    assert is_signed_in(visitor)


# Whose account it is


def age(number: str, by: timedelta) -> None:
    VerifiedPhone.objects.filter(number=number).update(verified_at=timezone.now() - by)


def test_a_number_signs_in_to_the_account_that_proved_it_lately(solapi, minji):
    VerifiedPhone.objects.create(user=minji, number=HALMONI)
    age(HALMONI, NUMBER_STAYS_FOR - timedelta(hours=1))
    visitor = Client()
    sign_in_by_text(visitor, solapi)
    assert visitor.session["_auth_user_id"] == str(minji.pk)
    age_now = timezone.now() - minji.phones.get().verified_at
    assert age_now < timedelta(minutes=1)


def test_a_number_that_may_have_a_new_owner_opens_no_earlier_account(solapi, minji):
    VerifiedPhone.objects.create(user=minji, number=HALMONI)
    age(HALMONI, NUMBER_STAYS_FOR)
    visitor = Client()
    sign_in_by_text(visitor, solapi)
    assert visitor.session["_auth_user_id"] != str(minji.pk)
    assert minji.verified_phones() == []
    assert minji.verified_emails() == ["minji@example.com"]


def test_a_code_by_text_is_no_fresh_code_of_an_account_with_an_address(solapi, minji, coupang):
    VerifiedPhone.objects.create(user=minji, number=HALMONI)
    visitor = browser()
    sign_in_by_text(visitor, solapi)
    refused = visitor.post(reverse("my_data_reveal"))
    assert reverse("step_up") in refused["Location"]
    visitor.post(reverse("step_up_send"))
    assert len(solapi.messages) == 1
    assert mail.outbox[-1].to == ["minji@example.com"]


def test_step_up_of_an_account_without_address_goes_by_text(solapi, coupang):
    visitor = browser()
    sign_in_by_text(visitor, solapi)
    visitor.get("/en/account/close/")
    sent = visitor.post("/en/account/confirm/send/", {"next": "/en/account/close/"})
    assert sent["Location"] == "/en/account/confirm/"
    page = visitor.get("/en/account/confirm/").text
    assert "We have sent a text message" in page
    done = visitor.post("/en/account/confirm/", {"code": newest_text_code(solapi)})
    assert done["Location"] == "/en/account/close/"
    page = visitor.get("/en/account/close/").text
    assert "sign in with your mobile number" in page
    visitor.post("/en/account/close/", {"sure": "on"})
    assert not User.objects.filter(email=None).exists()
    assert not VerifiedPhone.objects.exists()


def test_a_deactivated_account_stays_closed_however_old_the_proof_is(solapi, minji):
    VerifiedPhone.objects.create(user=minji, number=HALMONI)
    age(HALMONI, 2 * NUMBER_STAYS_FOR)
    User.objects.filter(pk=minji.pk).update(is_active=False)
    visitor = Client()
    assert sign_in_by_text(visitor, solapi).status_code == 403
    assert not is_signed_in(visitor)
    assert User.objects.count() == 1


def test_a_second_factor_still_asks(solapi, minji):
    VerifiedPhone.objects.create(user=minji, number=HALMONI)
    give_app(minji)
    visitor = Client()
    assert sign_in_by_text(visitor, solapi)["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(visitor)


def test_a_number_opens_no_account_of_the_response_team(solapi, editor):
    VerifiedPhone.objects.create(user=editor, number=HALMONI)
    visitor = browser()
    refused = sign_in_by_text(visitor, solapi)
    assert refused.status_code == 403
    assert not is_signed_in(visitor)
    assert editor.verified_phones() == [HALMONI]
    assert User.objects.count() == 1


def test_staff_need_an_address(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(is_staff=True, password="!")


def test_two_browsers_that_prove_a_new_number_get_one_user(solapi):
    first, second = Client(REMOTE_ADDR="198.51.100.1"), Client(REMOTE_ADDR="198.51.101.1")
    ask_for_code(first, "010-4141-2002")
    one = newest_text_code(solapi)
    ask_for_code(second, "010-4141-2002")
    two = newest_text_code(solapi)
    enter_code(first, one)
    enter_code(second, two)
    assert User.objects.count() == 1


def test_an_account_page_shows_the_number(solapi):
    visitor = browser()
    sign_in_by_text(visitor, solapi)
    page = visitor.get("/en/account/").text
    assert "Mobile number" in page
    assert 'You are signed in with <span class="whole">010-4141-2002</span>.' in page
    assert "None" not in page


# What it costs


def limit(settings: Any, **rates: str) -> None:
    settings.CODE_RATES = settings.CODE_RATES | rates


def test_one_number_gets_few_texts_from_many_networks(solapi):
    for number in range(30):
        browser(f"198.51.{number}.1").post(SIGN_IN, {"email": "010-4141-2002"})
    assert len(solapi.messages) <= 6
    owner = browser("192.0.2.1")
    owner.post(SIGN_IN, {"email": "010-4141-2002"})
    page = owner.get(CODE).text
    assert "We have sent no new text message now" in page
    owner.post(CODE, {"code": newest_text_code(solapi)})
    assert is_signed_in(owner)


def test_a_network_that_asks_for_many_numbers_shares_a_tenth_of_the_budget(solapi, settings):
    settings.CODE_TEXTS_PER_DAY = 100
    statuses = [
        browser().post(SIGN_IN, {"email": f"010-4141-{number:04d}"}).status_code
        for number in range(60)
    ]
    assert len(solapi.messages) == 20  # the hour's part of the budget
    settings.CODE_TEXTS_PER_DAY = 1_000
    for number in range(60, 160):
        browser().post(SIGN_IN, {"email": f"010-4141-{number:04d}"})
    assert len(solapi.messages) == 20 + 20 + 10 or len(solapi.messages) <= 70
    assert 429 in statuses


def test_the_budget_refuses_alarms_the_desk_and_leaves_mails(solapi, settings, editors_desk, minji):
    settings.CODE_TEXTS_PER_DAY = 10
    limit(settings, text_network="1000/d/ip")
    statuses = []
    for number in range(4):
        visitor = browser(f"198.51.{number}.1")
        answer = visitor.post(SIGN_IN, {"email": f"010-4141-{number:04d}"})
        statuses.append(answer.status_code)
    assert statuses == [302, 302, 429, 429]  # a fifth of the day in an hour
    assert "Use your e\u2011mail address if the company knows it." in answer.text
    assert 'value="010-4141-0003"' in answer.text
    assert (
        "Sign-in codes by text message are being refused"
        in editors_desk.get(reverse("admin:index")).text
    )
    ask_for_code(browser(), minji.email)
    assert mail.outbox[-1].to == [minji.email]


def test_the_desk_is_warned_before_the_budget_is_used_up(
    solapi, settings, editors_desk, monkeypatch
):
    monkeypatch.setattr(code_texts, "HOURS_OF_BUDGET", 1)
    settings.CODE_TEXTS_PER_DAY = 5
    for number in range(5):
        browser(f"198.51.{number}.1").post(SIGN_IN, {"email": f"010-4141-{number:04d}"})
    assert len(solapi.messages) == 5
    assert "Four fifths" in str(code_limits.text_alarm())


def test_the_budget_in_money_counts_the_dearest_text(solapi, settings):
    settings.SMS_PRICES = {"sms": 20, "lms": 50, "currency": "KRW"}
    settings.PORTAL_NAME = {"ko": "쿠팡", "en": "Coupang"}
    settings.PORTAL_HOST = "notice.coupang.com"
    settings.CODE_TEXT_COST_PER_DAY = 1_000
    assert code_texts.texts_a_day() == 1_000 // int(code_texts.price() or 0)
    settings.CODE_TEXTS_PER_DAY = 3
    assert code_texts.texts_a_day() == 3
    settings.SMS_PRICES = {"sms": 2_000, "lms": 2_000}
    assert not code_texts.are_offered()


def test_a_known_device_counts_for_the_budget(solapi, settings):
    settings.CODE_TEXTS_PER_DAY = 15
    visitor = browser()
    sign_in_by_text(visitor, solapi)
    visitor.post(reverse("account_logout"))
    statuses = [visitor.post(SIGN_IN, {"email": HALMONI}).status_code for _time in range(4)]
    assert statuses[:2] == [302, 302]
    assert statuses[-1] == 429


def test_no_number_is_in_redis_or_the_log(solapi, caplog):
    caplog.set_level(logging.INFO)
    visitor = browser()
    visitor.post(SIGN_IN, {"email": "010-4141-2002"})
    client: Any = cache._cache.get_client(None)  # type: ignore[attr-defined]
    keys = b" ".join(client.keys("*")).decode()
    assert "41412002" not in keys
    assert "41412002" not in caplog.text
