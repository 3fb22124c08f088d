"""Japanese and Chinese pages: no blank after a full-width mark, no narrow comma in a list."""

import re

import pytest
from django.conf import settings as real_settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils.translation import override

from foundations.punctuation import close_up
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from tests.sample_pages import PAGES
from tests.test_shipped_languages import PERSONAL, PUBLIC, pages_of

WIDE = ["ja", "zh-hans", "zh-hant"]
_CJK = "\u3040-\u30ff\u4e00-\u9fff"
# A blank after a mark; a narrow mark after a character; a narrow comma before one.
FAULT = re.compile(
    rf"[。！？：；，、」』）][ \n]+(?=[^\s<])|[{_CJK}][,;!?(]|[{_CJK}], ?(?=[{_CJK}])"
)
NOT_SHOWN = re.compile(r"<(head|script|style|textarea)\b.*?</\1>", re.DOTALL)


@pytest.fixture(autouse=True)
def all_languages(settings) -> None:
    settings.LANGUAGES = list(real_settings.SHIPPED_LANGUAGES.items())


def faults_of(pages: dict[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, page in pages.items():
        text = NOT_SHOWN.sub("", page)
        places = [text[max(0, at.start() - 20) : at.end() + 20] for at in FAULT.finditer(text)]
        if places:
            found[name] = places
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("language", WIDE)
def test_pages(coupang, minji, language):
    row = person(coupang, name="Minji Kim", email=minji.email, phone="010-1234-5678")
    file = file_of(coupang)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    expose(row, file, values=[("physical-addresses", "7 Example Street")])
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    personal = [*PERSONAL, f"questions/ask/{coupang.slug}/", "account/sign-out/"]
    visitor = Client()
    pages = pages_of(visitor, language, [*PAGES, *PUBLIC])
    pages |= pages_of(client, language, personal)
    fields = {"email": "a@b.example"}
    pages["code"] = visitor.post(f"/{language}/account/sign-in/", fields, follow=True).text
    pages["answer"] = Client().post(f"/{language}/check/answer/", {"text": "1577-7011"}).text
    assert faults_of(pages) == {}


def test_what_is_closed_up():
    assert close_up("一。 二：\n三") == "一。二：三"
    assert close_up("One. Two: 3, 4") == "One. Two: 3, 4"


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "value"), [("ko", "keep-all"), ("ja", "normal")])
def test_only_the_words_of_korean_are_kept_whole_in_a_mail(coupang, language, value):
    with override(language):
        Client().post(f"/{language}/account/sign-in/", {"email": "a@b.example"})
    [sent] = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    [(html, _type)] = sent.alternatives
    assert f"word-break: {value}" in str(html)
