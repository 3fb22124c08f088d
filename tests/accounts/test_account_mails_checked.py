"""The message check knows each mail about the account, in each language of customers."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.utils.timezone import now
from django.utils.translation import override

from accounts import code_texts, emails
from accounts.mail_codes import MailKind, account_mail_code
from breachportal.customer_messages import read_catalogue
from scams import mail_source
from scams.message_check import MessageVerdict, answer_for, answer_for_mail

pytestmark = pytest.mark.django_db
LANGUAGES = [code for code, _name in settings.LANGUAGES]
MAILS: dict[str, tuple[MailKind, dict[str, Any]]] = {
    "sign_in_code": (MailKind.SIGN_IN, {"code": "12345678", "minutes": 15}),
    "ticket_answer": (MailKind.ANSWER, {"number": "7QK2-X9ND"}),
    "ticket_extended": (MailKind.ANSWER, {"number": "7QK2-X9ND"}),
    "new_device": (MailKind.NEW_DEVICE, {"device": "Chrome", "at": "18 November 2025, 10:00 KST"}),
    "look_up_key": (MailKind.LOOK_UP_KEY, {"at": "18 November 2025, 10:00 KST", "days": 30}),
    "accounts_joined": (MailKind.JOINED, {"at": "18 November 2025, 10:00 KST"}),
    "address_changed": (
        MailKind.ADDRESS,
        {"at": "18 November 2025, 10:00 KST", "company": "Hanbit"},
    ),
    "address_claimed": (
        MailKind.CLAIM,
        {
            "at": "18 November 2025, 10:00 KST",
            "company": "Hanbit",
            "hours": "72",
            "url": "{portal}/ko/my-data/claims/stop/1:x/",
        },
    ),
    "step_reminder": (MailKind.REMINDER, {"url": "{portal}/ko/my-data/reminder/end/1:x/"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILS)
def test_each_mail_is_known_in_each_language(name, language):
    kind, context = MAILS[name]
    filled = {
        key: value.replace("{portal}", settings.PORTAL_URL) if isinstance(value, str) else value
        for key, value in context.items()
    }
    with override(language):
        emails.send(name, "minji@example.com", filled, kind=kind)
    sent = mail.outbox[-1]
    file = mail_source.read_file(sent.message().as_bytes())
    assert file
    for answer in (answer_for(str(sent.body)), answer_for_mail(file)):
        assert answer.verdict == MessageVerdict.SENT, answer.strange
        assert [one.kind for one in answer.account_mails] == [kind]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("accounts_joined", MailKind.JOINED_TEXT),
        ("address_changed", MailKind.ADDRESS_TEXT),
        ("address_claimed", MailKind.CLAIM_TEXT),
    ],
)
def test_a_text_about_an_account_is_known_in_each_language(language, name, kind):
    with override(language):
        context = {"at": "18 November 2025, 10:00 KST", "company": "Hanbit", "hours": "72"}
        answer = answer_for(
            code_texts.render(name, {**context, "message_code": account_mail_code(kind)})
        )
    assert answer.verdict == MessageVerdict.SENT, answer.strange


@pytest.mark.parametrize("language", settings.DESK_LANGUAGES)
def test_an_invitation_names_the_zone_of_its_time_once(language):
    with override(language):
        emails.send_invitation(
            "jisoo@portal.example", link="https://x.example/", invited_by="A", expires_at=now()
        )
    assert not re.search(r"\b([A-Z]{3,4}) \1\b", str(mail.outbox[-1].body))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_follows_an_address_of_ours(language):
    """A letter after an address becomes part of its host, for the check and for mail programs."""
    place = re.compile(r"%\((portal_url|portal_host|url|page_url)\)s(?=[^\W\d_])")
    forms = [
        form
        for message in read_catalogue(language)
        for form in ([message.string] if isinstance(message.string, str) else message.string or ())
    ]
    assert not [form for form in forms if place.search(form)]
