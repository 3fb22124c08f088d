"""Mails are signed with DKIM; dkimpy verifies them as a receiver would."""

import re
import textwrap
from email import message_from_bytes
from pathlib import Path

import dkim as verifier  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import example, given
from hypothesis import strategies as st

from foundations import dkim
from foundations.dkim import DkimError, DkimSigner
from harness.sign_in import ask_for_code
from notices.engine.smtp import SmtpTransport
from notices.engine.transport import Outcome, Result
from notices.message_filling import OutgoingMessage, as_seven_bit
from tests.running.test_settings import COMPLETE, start
from tests.smtp_server import SmtpServer

DOMAIN, SELECTOR = "hanbit.example", "mail2026"


def pem(key, password: bytes | None = None) -> str:
    protection = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()


KEYS = {
    "rsa": pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
}
SIGNERS = {
    name: DkimSigner(domain=DOMAIN, selector=SELECTOR, private_key=key)
    for name, key in KEYS.items()
}
MAIL = textwrap.dedent("""\
    From: =?utf-8?b?7ZWc67mb?=
     <notice@hanbit.example>
    Subject: =?utf-8?b?7JWI64K0?=
    To: minji@example.com
    Message-ID: <1.2@hanbit.example>
    Date: Sun, 29 Nov 2026 02:00:00 +0000
    List-Unsubscribe: <https://hanbit.example/u/1>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    Content-Type: multipart/alternative; boundary="limit"
    Content-Language: ko

    --limit
    Content-Type: text/plain; charset="utf-8"
    Content-Transfer-Encoding: 8bit

    안녕하세요.  김민지 님\t
    .hidden \t
    --limit
    Content-Type: text/html; charset="utf-8"
    Content-Transfer-Encoding: 8bit

    <p>안녕하세요.</p>
    --limit--

    """).replace("\n", "\r\n")
BODIES = st.lists(
    st.sampled_from([b"\r\n", b" ", b"\t", b"a", b".", "한".encode(), b"\r\n\r\n"]),
    max_size=40,
).map(b"".join)
VALUES = st.text(st.sampled_from("aB1 \t:;=<>@\r"), max_size=30).map(
    lambda text: re.sub(r"[\r]", "\r\n ", text)
)


def is_valid(mail: bytes, *signers: DkimSigner) -> bool:
    """Returns whether the independent verifier accepts one signature of each signer, in order."""

    def is_valid_by(signer: DkimSigner, at: int) -> bool:
        def record(name: bytes, timeout: int = 5) -> bytes:
            assert name.decode() == f"{signer.record_name}."
            return signer.record().encode()

        try:
            return verifier.DKIM(mail).verify(idx=at, dnsfunc=record)
        except verifier.DKIMException:
            return False

    return all(is_valid_by(signer, at) for at, signer in enumerate(signers))


@pytest.fixture(params=SIGNERS)
def signer(request, settings) -> DkimSigner:
    settings.DKIM_SIGNERS = (SIGNERS[request.param],)
    return SIGNERS[request.param]


def test_a_receiver_verifies_the_mail(signer):
    assert is_valid(signer.signed(MAIL.encode()), signer)


def test_a_mail_with_two_signatures_verifies_by_each():
    """RSA and Ed25519 (RFC 8463, 3), or the old and the new key while one replaces the other."""
    second = DkimSigner(domain=DOMAIN, selector="second", private_key=KEYS["ed25519"])
    mail = dkim.signed(MAIL.encode(), [SIGNERS["rsa"], second])
    assert is_valid(mail, SIGNERS["rsa"], second)
    changed = mail.replace("김민지".encode(), "김민준".encode())
    assert not is_valid(changed, SIGNERS["rsa"], second)


@pytest.mark.parametrize("name", SIGNERS)
@given(body=BODIES, value=VALUES)
@example(body=b"", value="")
@example(body=b"\r\n\r\n", value=" \r\n x")
@example(body=b"no line end \t", value="\t")
@example(body=b" \r\n \r\n\r\n", value="a")
def test_every_mail_verifies(name, body, value):
    mail = f"From: <a@{DOMAIN}>\r\nSubject:{value}\r\nX-Other: 1\r\n\r\n".encode() + body
    # SMTP ends every line of a mail with CRLF, and allows neither CR nor LF alone.
    mail = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
    assert is_valid(SIGNERS[name].signed(mail), SIGNERS[name])


def test_white_space_and_folding_may_change_on_the_way(signer):
    changed = signer.signed(MAIL.encode()).replace(b"Auto-Submitted: ", b"AUTO-SUBMITTED:\r\n\t ")
    changed = changed.replace("님\t\r\n".encode(), "님\r\n".encode()) + b"\r\n\r\n"
    assert is_valid(changed, signer)


@pytest.mark.parametrize("header", dkim.SIGNED_HEADERS)
def test_a_changed_header_does_not_verify(signer, header):
    name = next(
        line for line in MAIL.split("\r\n") if line.lower().startswith(f"{header.decode()}:")
    )
    changed = signer.signed(MAIL.encode()).replace(name.encode(), name.encode() + b"x", 1)
    assert not is_valid(changed, signer)


def test_a_changed_body_and_a_second_sender_do_not_verify(signer):
    signed = signer.signed(MAIL.encode())
    assert not is_valid(signed.replace("김민지".encode(), "김민준".encode()), signer)
    assert not is_valid(b"From: other@thief.example\r\n" + signed, signer)


def test_lines_of_the_signature_are_short_and_ascii(signer):
    lines = signer.signed(MAIL.encode()).partition(b"From:")[0].split(b"\r\n")
    assert all(len(line) <= 78 and line.isascii() for line in lines)


@pytest.mark.parametrize("eight_bit", [True, False])
def test_a_notice_arrives_with_a_valid_signature(signer, settings, eight_bit):
    """Without 8BITMIME the mail is converted, and the converted bytes are signed."""
    settings.EMAIL_HOST, settings.EMAIL_SECURITY = "127.0.0.1", "none"
    mail = OutgoingMessage("bounce@hanbit.example", "minji@example.com", MAIL.encode(), 1)
    with SmtpServer(eight_bit=eight_bit) as server:
        settings.EMAIL_PORT = server.port
        assert send(mail) == [Result.ACCEPTED]
    data = server.taken[0].data
    assert is_valid(data, signer)
    sent = MAIL.encode() if eight_bit else as_seven_bit(MAIL.encode())
    assert data.rstrip().endswith(sent.rstrip())


def test_without_a_key_the_mail_server_signs(settings):
    settings.EMAIL_HOST, settings.EMAIL_SECURITY = "127.0.0.1", "none"
    mail = OutgoingMessage("bounce@hanbit.example", "minji@example.com", MAIL.encode(), 1)
    with SmtpServer() as server:
        settings.EMAIL_PORT = server.port
        send(mail)
    assert b"DKIM-Signature" not in server.taken[0].data


def send(mail: OutgoingMessage) -> list[Result]:
    with SmtpTransport() as transport:
        transport.submit(mail)
        outcomes: list[Outcome] = []
        while not outcomes:
            transport.wait(0.05)
            transport.start(transport.ready())
            outcomes = transport.outcomes()
    return [outcome.reply.result for outcome in outcomes]


@pytest.mark.django_db
def test_a_code_mail_arrives_with_a_valid_signature(signer, settings, client):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "127.0.0.1", False, False
    with SmtpServer() as server:
        settings.EMAIL_PORT = server.port
        ask_for_code(client, "minji@example.com")
    [taken] = server.taken
    assert is_valid(taken.data, signer)
    header = str(message_from_bytes(taken.data)["DKIM-Signature"])
    names = {b"list-unsubscribe", b"list-unsubscribe-post"}
    assert all(name.decode() in header for name in dkim.SIGNED_HEADERS if name not in names)


WEAK = pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505
CURVE = pem(ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"private_key": "secret"}, "not a private key"),
        ({"private_key": pem(ed25519.Ed25519PrivateKey.generate(), b"word")}, "password"),
        ({"private_key": WEAK}, "1024 bits"),
        ({"private_key": CURVE}, "neither RSA nor Ed25519"),
        ({"domain": "hanbit"}, "domain"),
        ({"domain": "한빛.example"}, "domain"),
        ({"domain": "hanbit.example; x=1"}, "domain"),
        ({"selector": "mail\r\n2026"}, "selector"),
        ({"selector": ""}, "selector"),
    ],
)
def test_what_cannot_sign_is_refused(change, words):
    usual = {"domain": DOMAIN, "selector": SELECTOR, "private_key": KEYS["rsa"]}
    with pytest.raises(DkimError, match=words) as error:
        DkimSigner(**{**usual, **change})
    assert "secret" not in str(error.value)


def settings_with(tmp_path: Path, **changes: str):
    path = tmp_path / "dkim.pem"
    path.write_text(KEYS["rsa"], encoding="utf-8")
    usual = {
        "DKIM_DOMAIN": DOMAIN,
        "DKIM_SELECTOR": SELECTOR,
        "DKIM_PRIVATE_KEY_FILE": str(path),
    }
    return start(
        tmp_path,
        "[signer.record_name for signer in settings.DKIM_SIGNERS]",
        **COMPLETE,
        **{**usual, **changes},
    )


def test_the_key_is_read_at_the_start(tmp_path):
    done = settings_with(tmp_path)
    assert done.stdout.strip() == "['mail2026._domainkey.hanbit.example']", done.stderr


def test_a_second_key_is_read_at_the_start(tmp_path):
    second = {"DKIM_SECOND_SELECTOR": "next", "DKIM_SECOND_PRIVATE_KEY": KEYS["ed25519"]}
    done = settings_with(tmp_path, **second)
    assert "next._domainkey.hanbit.example" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DKIM_SECOND_SELECTOR": "next"}, "DKIM_SECOND_PRIVATE_KEY is missing"),
        ({"DKIM_SECOND_PRIVATE_KEY": KEYS["rsa"]}, "DKIM_SECOND_SELECTOR is missing"),
        (
            {"DKIM_SECOND_SELECTOR": "Mail2026", "DKIM_SECOND_PRIVATE_KEY": KEYS["rsa"]},
            "DKIM_SECOND_SELECTOR",
        ),
        ({"DKIM_DOMAIN": ""}, "DKIM_DOMAIN"),
        ({"DKIM_SELECTOR": ""}, "DKIM_SELECTOR"),
        ({"DKIM_PRIVATE_KEY_FILE": ""}, "DKIM_PRIVATE_KEY"),
        ({"DKIM_PRIVATE_KEY": "secret"}, "not a private key"),
        ({"DKIM_DOMAIN": "other.example"}, "DEFAULT_FROM_EMAIL"),
        ({"CODE_MAIL_FROM": "code@nothanbit.example"}, "CODE_MAIL_FROM"),
    ],
)
def test_no_process_starts_with_a_wrong_key(tmp_path, changes, words):
    done = settings_with(tmp_path, **changes)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert words in last
    assert "secret" not in last
