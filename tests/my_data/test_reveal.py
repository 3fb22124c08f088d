"""A user sees their own values in full after a fresh code."""

import html
import logging
import re
import time

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import newest_code, sign_in, step_up
from incidents.models import Reveal
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db

ADDRESS = "서울특별시 강남구 테헤란로 558"


@pytest.fixture
def file(incident):
    return file_of(incident)


@pytest.fixture
def leaked_minji(minji, incident, file):
    row = person(incident, name="김민지", email=minji.email)
    expose(
        row, file, "names", values=[("physical-addresses", ADDRESS), ("entrance-codes", "7585#")]
    )
    return row


@pytest.fixture
def url():
    with override("en"):
        return reverse("my_data_reveal")


@pytest.fixture
def signed_in(client, minji):
    client.force_login(minji)
    return client


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_anonymous_user_is_sent_to_sign_in(client, leaked_minji, url, method):
    response = getattr(client, method)(url)
    assert response.status_code == 302
    with override("en"):
        assert response["Location"].startswith(reverse("account_login"))
    assert not Reveal.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_fresh_code_is_asked_for_first_and_leads_back(
    signed_in, minji, leaked_minji, url, method
):
    response = getattr(signed_in, method)(url)
    assert response.status_code == 302
    with override("en"):
        assert response["Location"] == f"{reverse('step_up')}?next={url}"
    assert not Reveal.objects.exists()


def test_coming_back_shows_nothing_before_one_more_press(signed_in, minji, leaked_minji, url):
    step_up(signed_in, minji)
    page = page_text(signed_in.get(url))
    assert "Show in full" in page
    assert ADDRESS not in page
    assert not Reveal.objects.exists()


def test_the_button_shows_all_values_and_is_recorded(signed_in, minji, leaked_minji, url, caplog):
    step_up(signed_in, minji)
    with caplog.at_level(logging.INFO):
        response = signed_in.post(url, follow=True)
    page = page_text(response)
    for value in ("김민지", ADDRESS, "7585#"):
        assert value in page
    assert "***" not in page
    assert "no-store" in response["Cache-Control"]

    reveal = Reveal.objects.get()
    assert (reveal.user, reveal.person) == (minji, leaked_minji)
    assert f"user {minji.pk} revealed the data of person {leaked_minji.pk}" in caplog.text
    for private in ("김민지", "minji@", "7585"):
        assert private not in caplog.text


def test_an_old_code_is_not_enough(signed_in, minji, leaked_minji, url):
    step_up(signed_in, minji, seconds_ago=settings.STEP_UP_MINUTES * 60 + 1)
    assert signed_in.post(url).status_code == 302
    assert not Reveal.objects.exists()


def test_another_customer_sees_and_records_nothing(client, seojun, leaked_minji, url):
    client.force_login(seojun)
    step_up(client, seojun)
    page = page_text(client.post(url, follow=True))
    assert "김민지" not in page
    assert ADDRESS not in page
    assert not Reveal.objects.exists()


def test_html_is_shown_as_typed_in_full_too(signed_in, minji, incident, file, url):
    typed = "<img src=x onerror=alert(1)>"
    expose(person(incident, name=typed, email=minji.email), file, "names")
    step_up(signed_in, minji)
    source = signed_in.post(url, follow=True).content.decode()
    assert typed not in source
    assert typed in html.unescape(source)


def test_a_row_that_cannot_be_decrypted_is_not_recorded_as_seen(
    signed_in, minji, leaked_minji, url
):
    leaked_minji.exposures.update(ciphertext=b"another row's")
    step_up(signed_in, minji)
    response = signed_in.post(url, follow=True)
    assert response.status_code == 503
    assert "We cannot show this right now" in response.content.decode()
    assert not Reveal.objects.exists()


def test_the_code_from_the_mail_leads_back_to_the_values(signed_in, leaked_minji, url):
    confirm = signed_in.post(url)["Location"]
    with override("en"):
        signed_in.post(reverse("step_up_send"), {"next": url})
    back = signed_in.post(confirm, {"code": newest_code()})
    assert back["Location"] == url
    assert "Show in full" in page_text(signed_in.get(url))
    assert ADDRESS in page_text(signed_in.post(url, follow=True))
    assert Reveal.objects.count() == 1


def test_a_phone_number_is_shown_as_people_write_it(signed_in, minji, incident, file, url):
    row = person(incident, name="김민지", email=minji.email, phone="+821012345678")
    expose(row, file, "phone-numbers")
    step_up(signed_in, minji)
    assert "010-1234-5678" in page_text(signed_in.post(url, follow=True))


def test_back_and_reload_show_the_values_and_are_one_look(signed_in, minji, leaked_minji, url):
    step_up(signed_in, minji)
    assert signed_in.post(url).url == url
    for _ in range(2):
        assert ADDRESS in page_text(signed_in.get(url))
    assert Reveal.objects.count() == 1


def test_a_row_that_is_imported_meanwhile_is_recorded_too(
    signed_in, minji, incident, file, leaked_minji, url
):
    step_up(signed_in, minji)
    signed_in.post(url, follow=True)
    second = User.objects.get(pk=minji.pk)
    EmailAddress.objects.create(user=second, email="second@example.com", verified=True)
    expose(person(incident, name="박둘", email="second@example.com"), file, "names")
    assert "박둘" in page_text(signed_in.get(url))
    assert Reveal.objects.count() == 2


def test_the_values_hide_themselves_after_five_minutes(
    signed_in, minji, leaked_minji, url, monkeypatch
):
    step_up(signed_in, minji)
    shown = signed_in.post(url, follow=True)
    seconds, target = shown["Refresh"].split("; url=")
    assert 295 <= int(seconds) <= 300
    assert "***" in page_text(signed_in.get(target))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 301)
    assert signed_in.get(url).status_code == 302


def test_hiding_the_values_hides_them_from_back_as_well(signed_in, minji, leaked_minji, url):
    step_up(signed_in, minji)
    signed_in.post(url, follow=True)
    with override("en"):
        signed_in.post(reverse("my_data_hide"))
    assert ADDRESS not in page_text(signed_in.get(url))
    assert Reveal.objects.count() == 1


def test_a_sign_in_just_now_needs_no_second_code(client, minji, leaked_minji, url, monkeypatch):
    sign_in(client, minji.email)
    assert ADDRESS in page_text(client.post(url, follow=True))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + settings.STEP_UP_MINUTES * 60 + 1)
    with override("en"):
        assert client.post(url).url.startswith(reverse("step_up"))


def test_the_revealed_page_begins_with_the_values(signed_in, minji, leaked_minji, url):
    step_up(signed_in, minji)
    page = page_text(signed_in.post(url, follow=True))
    assert "shown in full until" in page
    assert page.index(ADDRESS) < page.index("What to do now")


def test_the_page_lists_when_the_user_looked(signed_in, minji, seojun, leaked_minji, url):
    with override("en"):
        masked = reverse("my_data")
    heading = "When you looked at the full values"
    assert heading not in page_text(signed_in.get(masked))
    step_up(signed_in, minji)
    signed_in.post(url)
    signed_in.get(url)
    Reveal.objects.create(user=seojun, person=leaked_minji)

    text = page_text(signed_in.get(masked))

    [look] = Reveal.objects.filter(user=minji)
    assert heading in text
    shown = text[text.index(heading) :]
    assert f"{localtime(look.at):%H:%M}" in shown
    assert shown.count(f"{localtime(look.at).year}, ") == 1
    assert "sign out the other devices" in shown


def test_a_step_on_the_masked_page_does_not_show_the_values(signed_in, minji, leaked_minji, url):
    """The masked page is open again, by Back or by its link, while the values may be shown."""
    step_up(signed_in, minji)
    signed_in.post(url)
    with override("en"):
        masked = reverse("my_data")
    after = _mark_first_step(signed_in, signed_in.get(masked))
    assert ADDRESS not in page_text(after)
    assert not Reveal.objects.exists()


def test_a_step_on_the_page_in_full_keeps_the_values_shown(signed_in, minji, leaked_minji, url):
    step_up(signed_in, minji)
    after = _mark_first_step(signed_in, signed_in.post(url, follow=True))
    assert ADDRESS in page_text(after)


def _mark_first_step(client, page):
    """Sends the form of the first step with the fields that the page gives it."""
    forms = r'<form [^>]*action="([^"]*/step/[^"]*)">(.*?)</form>'
    action, inputs = re.findall(forms, page.text, re.DOTALL)[0]
    fields = dict(re.findall(r'name="(\w+)" value="(\w*)"', inputs))
    return client.post(action, fields, follow=True)
