"""Addresses as people type and paste them, and the question about a mistyped domain."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import domain_typos
from accounts.domain_typos import USUAL_DOMAINS, has_known_end, meant_domain, suggested_address
from harness.sign_in import ask_for_code

HIDDEN = "\u200b"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    [
        "mailto:minji@example.com",
        "MAILTO:minji@example.com?subject=x",
        "Kim Minji <minji@example.com>",
        "김민지 <Minji@Example.com>",
        '"김민지" <minji@example.com>',
        "<minji@example.com>",
        "\uff4d\uff49\uff4e\uff4a\uff49\uff20example\uff0ecom",
        f"minji{HIDDEN}@example.com\ufeff",
        "'minji@example.com'",
        "minji@example.com.",
        " minji@example.com, ",
    ],
)
def test_the_address_in_what_was_typed_gets_the_code(typed):
    assert ask_for_code(Client(), typed).status_code == 302
    assert mail.outbox[-1].to == ["minji@example.com"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["minji@example.com, seojun@example.com", "minji kim@example.com"]
)
def test_several_or_unclear_addresses_get_no_code(typed):
    page = ask_for_code(Client(), typed)
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.text
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.co.kr", "gmail.com"),
        ("naver.con", "naver.com"),
        ("naver.cmo", "naver.com"),
        ("navr.com", "naver.com"),
        ("hanmail.ner", "hanmail.net"),
        ("hanmail.com", "hanmail.net"),
        ("daum.ent", "daum.net"),
        ("kakao.cim", "kakao.com"),
    ],
)
def test_typing_mistakes_are_recognised(typed, meant):
    assert suggested_address(f"minji@{typed}") == f"minji@{meant}"


@pytest.mark.parametrize(
    "domain", [*USUAL_DOMAINS, "mail.com", "ymail.com", "example.com", "samsung.com", "korea.ac.kr"]
)
def test_right_domains_are_not_asked_about(domain):
    assert suggested_address(f"minji@{domain}") == ""


@given(st.sampled_from(USUAL_DOMAINS), st.integers(0, 12), st.sampled_from("abcz.-"))
def test_one_letter_more_is_always_recognised(domain, place, letter):
    typed = domain[:place] + letter + domain[place:]
    assert suggested_address(f"a@{typed}") == f"a@{domain}"


@pytest.mark.django_db
def test_a_mistake_is_asked_about_before_any_mail():
    client = Client()
    page = ask_for_code(client, "minji@naver.con", next="/ko/alerts/")
    assert page.status_code == 200
    assert 'value="minji@naver.com"' in page.text
    assert 'value="minji@naver.con"' in page.text
    assert page.text.count('name="next" value="/ko/alerts/"') == 2
    assert mail.outbox == []
    fields = {"email": "minji@naver.con", "is_as_typed": "on"}
    assert client.post(reverse("account_login"), fields)["Location"] == reverse("sign_in_code")
    assert mail.outbox[-1].to == ["minji@naver.con"]


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmail.con", "gmail.com"),
        ("naver.co", "naver.com"),
        ("hanmial.net", "hanmail.net"),
        ("gmial.con", "gmail.com"),
        ("gmail.co.kr", "gmail.com"),
        ("company.con", "company.com"),
        ("company.nte", "company.net"),
    ],
)
def test_a_domain_in_a_file_is_a_typing_mistake(domain, meant):
    assert meant_domain(domain) == meant


@pytest.mark.parametrize(
    "domain",
    [
        *USUAL_DOMAINS,
        *("naver.co.kr", "gmx.de", "web.de", "email.com", "ymail.com", "mail.com", "fmail.com"),
        *("never.com", "gail.com", "nate.co", "date.com", "yahoo.co.jp", "yahoo.co.kr", "live.com"),
        *("hotmail.co.uk", "hotmail.fr", "outlook.kr", "googlemail.com", "me.com", "msn.com"),
        *("daum.com", "company.co", "company.kom", "b.example", "mail.corp", "localhost", "qq.com"),
    ],
)
def test_a_domain_that_others_may_have_is_no_typing_mistake(domain):
    assert meant_domain(domain) == ""


def test_a_slip_is_no_top_level_domain():
    assert not any(has_known_end(f"a.{end}") for end in domain_typos._SLIPS)
    assert has_known_end("a.xn--3e0b707e")
    assert not has_known_end("company.kom")
