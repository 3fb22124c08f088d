"""Japanese and Chinese pages: no blank after a full-width mark, no narrow comma in a list.

The colon between a label and its value is that of the language.
"""

import re

import pytest
from django.conf import settings as real_settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils.translation import override

from foundations.punctuation import close_up, colon
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from tests.languages.test_shipped_languages import PERSONAL, PUBLIC, pages_of
from tests.sample_pages import PAGES

WIDE = ["ja", "zh-hans", "zh-hant"]
_CJK = "\u3040-\u30ff\u4e00-\u9fff"
# A blank after a mark; a narrow mark after a character; a narrow comma before one.
FAULT = re.compile(
    rf"[。！？：；，、」』）][ \n]+(?=[^\s<])|[{_CJK}][,;:!?(]|[{_CJK}], ?(?=[{_CJK}])"
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


# A label and its value that a template joins, outside a message.
JOINED = re.compile(r"(?:\}\}|translate \"[^\"]*\" %\}|</a>): (?=\{\{|</|<bdi>)")
MESSAGE = re.compile(r"\{% blocktranslate.*?endblocktranslate %\}", re.DOTALL)
NOT_TRANSLATED = {"admin", "demo", "desk", "easy"}


def test_no_template_of_customers_writes_the_colon_after_a_label():
    found = [
        (path.name, place)
        for path in sorted((real_settings.BASE_DIR / "templates").rglob("*.*"))
        if not NOT_TRANSLATED & set(path.parts)
        for place in JOINED.findall(MESSAGE.sub("", path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(("language", "text"), [("fr", "\u00a0: "), ("ja", "："), ("de", ": ")])
def test_the_colon_after_a_label(language, text):
    with override(language):
        assert colon() == text


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "value"), [("ko", "keep-all"), ("ja", "normal")])
def test_only_the_words_of_korean_are_kept_whole_in_a_mail(coupang, language, value):
    with override(language):
        Client().post(f"/{language}/account/sign-in/", {"email": "a@b.example"})
    [sent] = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    [(html, _type)] = sent.alternatives
    assert f"word-break: {value}" in str(html)
