"""A code mail that was encoded once for many recipients is the same mail as one made for each."""

import re
from email import message_from_bytes, policy

import pytest
from django.core import mail
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from accounts import emails
from accounts.typed_codes import DIGITS

_DIFFERENT = re.compile(
    rb"(?m)(?<====)\d+(?:==)|(?<=^Message-ID: <)[^@]*|(?<=^Date: ).*?(?=\r)|(?<=t=)\d+"
)


def _bytes_of(message):
    return bytes(message.message().as_bytes(linesep="\r\n"))


def _sent(email, code):
    mail.outbox.clear()
    emails.send_sign_in_code(email, code)
    return mail.outbox[0]


def _made_for_one(monkeypatch, email, code):
    with monkeypatch.context() as patch:
        patch.setattr(emails, "is_plain_address", lambda _address: False)
        return _sent(email, code)


@pytest.mark.parametrize("language", ["ko", "en", "ja", "zh-hans", "vi", "de", "fr", "es"])
def test_kept_mail_equals_the_mail_that_is_made_for_one_recipient(language, monkeypatch):
    monkeypatch.setattr(emails, "account_mail_code", lambda _kind: "7QK2-X9ND-4HTB")
    with override(language):
        for code in ("12345678", "00000000"):
            kept = _sent("minji@example.com", code)
            assert isinstance(kept, emails.FilledMail)
            made = _made_for_one(monkeypatch, "minji@example.com", code)
            assert not isinstance(made, emails.FilledMail)
            assert _DIFFERENT.sub(b"*", _bytes_of(kept)) == _DIFFERENT.sub(b"*", _bytes_of(made))
            assert (kept.subject, kept.body) == (made.subject, made.body)
            assert [part[0] for part in kept.alternatives] == [
                part[0] for part in made.alternatives
            ]


def test_each_mail_has_its_own_recipient_code_id_and_date():
    first = _sent("minji@example.com", "12345678")
    second = _sent("seojun@example.com", "87654321")
    read = [message_from_bytes(_bytes_of(one), policy=policy.default) for one in (first, second)]
    assert [one["To"] for one in read] == ["minji@example.com", "seojun@example.com"]
    assert len({one["Message-ID"] for one in read}) == 2
    assert all(one["Date"].datetime for one in read)
    for one, other, code in ((first, "87654321", "12345678"), (second, "12345678", "87654321")):
        data = _bytes_of(one)
        assert data.count(code.encode()) == 2
        assert other.encode() not in data
    assert b"seojun" not in _bytes_of(first)
    assert b"minji" not in _bytes_of(second)


@given(
    email=st.from_regex(r"\A[a-z!#$%&'*+/=?^_`{|}~.-]{1,40}@[a-z0-9-]{1,20}\.example\Z"),
    code=st.from_regex(rf"\A[0-9]{{{DIGITS}}}\Z"),
)
def test_any_address_and_code_are_in_the_mail_as_they_are(email, code):
    data = _bytes_of(_sent(email, code))
    read = message_from_bytes(data, policy=policy.default)
    assert data.count(f"\r\nTo: {email}\r\n".encode()) == 1
    for kind in ("plain", "html"):
        body = read.get_body((kind,))
        assert body is not None
        assert code in body.get_content()
    assert b"kept.invalid" not in data


@pytest.mark.parametrize("email", ["민지@example.com", f"{'a' * 60}@{'b' * 60}.example.com"])
def test_address_that_a_header_cannot_hold_as_it_is_gets_a_mail_of_its_own(email):
    assert not isinstance(_sent(email, "12345678"), emails.FilledMail)


def test_kept_mail_follows_the_settings(settings, monkeypatch):
    monkeypatch.setattr(emails, "account_mail_code", lambda _kind: "AQKA-XAND-AHTB")
    assert b"Reply-To" not in _bytes_of(_sent("minji@example.com", "12345678"))
    settings.MAIL_REPLY_TO = "help@example.com"
    settings.SIGN_IN_CODE_MINUTES = 7
    with override("en"):
        sent = _sent("minji@example.com", "12345678")
    assert b"\r\nReply-To: help@example.com\r\n" in _bytes_of(sent)
    assert " 7 minutes" in sent.body
