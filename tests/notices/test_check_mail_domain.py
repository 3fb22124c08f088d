"""`manage.py check_mail_domain` compares the published records with what mails need."""

import json
from collections.abc import Iterator
from io import StringIO
from socketserver import BaseRequestHandler, ThreadingUDPServer

import dns.flags
import dns.message
import dns.rcode
import dns.reversename
import dns.rrset
import pytest
from django.core.management import CommandError, call_command

from foundations.dkim import DkimSigner
from tests.local_server import serving
from tests.notices.test_dkim import KEYS, SIGNERS


def reverse(address: str) -> str:
    """Returns the name at which an address has its PTR record."""
    return dns.reversename.from_address(address).to_text()


RECORD = SIGNERS["rsa"].record()
OTHER = DkimSigner(domain="a.example", selector="a", private_key=KEYS["ed25519"]).record()
GOOD = {
    ("hanbit.example.", "TXT"): ["site-verification=1", "v=spf1 ip4:192.0.2.1 -all"],
    ("mail2026._domainkey.hanbit.example.", "TXT"): [RECORD],
    ("_dmarc.hanbit.example.", "TXT"): ["v=DMARC1; p=reject; rua=mailto:dmarc@hanbit.example"],
    ("bounce.hanbit.example.", "MX"): ["10 mx.hanbit.example."],
    ("hanbit.example.", "MX"): ["10 mx.hanbit.example."],  # code mails are returned there
    ("bounce.hanbit.example.", "TXT"): ["v=spf1 ip4:192.0.2.1 -all"],
    ("mx.hanbit.example.", "A"): ["203.0.114.9"],
    ("smtp.hanbit.example.", "A"): ["203.0.114.25"],
    ("smtp.hanbit.example.", "AAAA"): ["2a00:1450:4001::19"],
    (reverse("203.0.114.25"), "PTR"): ["smtp.hanbit.example."],
    (reverse("2a00:1450:4001::19"), "PTR"): ["other.hanbit.example.", "smtp.hanbit.example."],
}


class NameServer(ThreadingUDPServer):
    """A name server on a free port with the records `zone`; `is_failing` answers SERVFAIL."""

    def __init__(self) -> None:
        self.zone = dict(GOOD)
        self.is_failing = False
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseRequestHandler):
    """Answers one question."""

    server: NameServer

    def handle(self) -> None:
        octets, sock = self.request
        question = dns.message.from_wire(octets)
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        asked = question.question[0]
        kind = dns.rdatatype.to_text(asked.rdtype)
        values = self.server.zone.get((asked.name.to_text(), kind), [])
        if kind == "TXT":
            values = [
                " ".join(f'"{v[at : at + 255]}"' for at in range(0, len(v), 255)) for v in values
            ]
        if values:
            reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
        if self.server.is_failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        sock.sendto(reply.to_wire(), self.client_address)


def quoted(text: str) -> str:
    """Returns a TXT record as strings of at most 255 octets, as a zone file has them."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


@pytest.fixture
def server(settings, monkeypatch) -> Iterator[NameServer]:
    settings.DEFAULT_FROM_EMAIL = "Hanbit <notice@hanbit.example>"
    settings.MAIL_DOMAIN = "bounce.hanbit.example"
    settings.EMAIL_HOST = "smtp.hanbit.example"
    settings.DKIM_SIGNERS = (SIGNERS["rsa"],)
    monkeypatch.setattr("notices.dns_records.LOOKUP_SECONDS", 6.0)
    with NameServer() as running, serving(running):
        yield running


def run(server: NameServer, *more: str) -> tuple[str, int]:
    """Returns the output and the exit code."""
    out, port = StringIO(), str(server.server_address[1])
    try:
        arguments = ["--nameserver", "127.0.0.1", "--port", port, *more]
        call_command("check_mail_domain", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def check(server: NameServer, *more: str) -> dict[str, str]:
    """Returns {check: its line, or a fault of it}; a line of a fault begins with FAULT."""
    output, code = run(server, *more)
    lines = output.splitlines()
    assert ("FAULT" in output) == bool(code)
    found = {line.split()[1]: line for line in lines}
    return found | {line.split()[1]: line for line in lines if line.startswith("FAULT")}


def test_complete_records_are_no_fault(server):
    lines = check(server)
    assert list(lines) == ["SPF", "DKIM", "DMARC", "MX", "PATH", "PTR"]
    assert not any(line.startswith("FAULT") for line in lines.values())


SPF, DKIM = ("bounce.hanbit.example.", "TXT"), ("mail2026._domainkey.hanbit.example.", "TXT")
DMARC, MX = ("_dmarc.hanbit.example.", "TXT"), ("bounce.hanbit.example.", "MX")
PTR, HOST = (reverse("203.0.114.25"), "PTR"), ("smtp.hanbit.example.", "A")


@pytest.mark.parametrize(
    ("key", "values", "check_name", "words"),
    [
        (SPF, [], "SPF", "publish TXT: v=spf1 a:smtp.hanbit.example -all"),
        (SPF, ["v=spf10 -all"], "SPF", "no record"),
        (SPF, ["v=spf1 -all", "v=spf1 a -all"], "SPF", "2 records"),
        (SPF, ["v=spf1 a +all"], "SPF", "every server"),
        (DKIM, [], "DKIM", f"publish TXT: {RECORD}"),
        (DKIM, [OTHER], "DKIM", "another key"),
        (DKIM, ["v=DKIM1; p="], "DKIM", "another key"),
        (DKIM, [RECORD, RECORD.replace("v=", "n=1; v=")], "DKIM", "2 records"),
        (DKIM, [f"{RECORD}; t=y:s"], "DKIM", "testing"),
        (DMARC, [], "DMARC", "no record"),
        (DMARC, ["v=DMARC1; p=rejct"], "DMARC", "no usable p="),
        (DMARC, ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "DMARC", "2 records"),
        (MX, [], "MX", "no mail server"),
        (MX, ["0 ."], "MX", "no mail server"),
        (MX, ["10 lost.hanbit.example."], "MX", "lost.hanbit.example has no address"),
        (PTR, [], "PTR", "203.0.114.25 has no name"),
        (PTR, ["mx.hanbit.example."], "PTR", "publish A: 203.0.114.25"),
        (HOST, ["203.0.114.26", "203.0.114.25"], "PTR", "203.0.114.26 has no name"),
    ],
)
def test_each_fault_is_named(server, key, values, check_name, words):
    server.zone[key] = values
    lines = check(server)
    assert [name for name, line in lines.items() if line.startswith("FAULT")] == [check_name]
    assert words in lines[check_name]


def test_a_key_without_its_kind_is_rsa(server):
    server.zone[DKIM] = [RECORD.replace("k=rsa; ", "").replace("p=", "p= ")]
    assert check(server)["DKIM"].startswith("ok")


def test_the_policy_of_the_domain_above_applies(server, settings):
    settings.DEFAULT_FROM_EMAIL = "notice@mail.hanbit.example"
    assert "_dmarc.hanbit.example:" in check(server)["DMARC"]
    server.zone[DMARC] = ["v=DMARC1; p=reject; adkim=s"]
    assert "needs DKIM_DOMAIN mail.hanbit.example" in check(server)["DMARC"]


def test_without_a_key_the_record_is_not_checked(server, settings):
    settings.DKIM_SIGNERS = ()
    server.zone[DKIM] = []
    assert "not checked" in check(server)["DKIM"]


def test_a_silent_dns_is_a_fault_and_no_missing_record(server):
    server.is_failing = True
    lines = check(server).values()
    assert all(line.startswith("FAULT") and "does not answer" in line for line in lines)


def test_a_name_server_is_given_by_its_address():
    with pytest.raises(CommandError):
        call_command("check_mail_domain", "--nameserver", "no.address")


def test_the_sending_addresses_of_a_relay_are_given(server, settings):
    settings.EMAIL_HOST = "127.0.0.1"
    assert "not public; name the sending addresses" in check(server)["PTR"]
    server.zone[SPF] = server.zone["hanbit.example.", "TXT"] = ["v=spf1 ip4:203.0.114.25 -all"]
    assert check(server, "--sender", "203.0.114.25")["PTR"].startswith("ok")
    assert run(server, "--sender", "203.0.114.25")[1] == 0
    lines = check(server, "--sender", "203.0.114.25", "--sender", "2a00:1450:4001::20")
    assert "2a00:1450:4001::20 has no name" in lines["PTR"]


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:203.0.114.0/24 -all", ""),
        ("v=spf1 ip4:203.0.114.25 -all", ""),
        ("v=spf1 ip4:203.0.115.0/24 -all", "fail"),
        ("v=spf1 ip4:203.0.115.0/24 ~all", "softfail"),
        ("v=spf1 ip4:203.0.115.0/24", "neutral"),
        ("v=spf1 -ip4:203.0.114.25 +ip4:203.0.114.0/24 -all", "fail"),
        ("v=spf1 a:smtp.hanbit.example -all", ""),
        ("v=spf1 a:mx.hanbit.example/24 -all", ""),
        ("v=spf1 mx -all", "fail"),
        ("v=spf1 mx/24 -all", ""),
        ("v=spf1 include:relay.example -all", ""),
        ("v=spf1 include:hanbit.example -all", "fail"),
        ("v=spf1 include:missing.example -all", "permerror"),
        ("v=spf1 include:loop.example -all", "permerror"),
        ("v=spf1 redirect=relay.example", ""),
        ("v=spf1 REDIRECT=hanbit.example", "fail"),
        ("v=spf1 exists:%{i}.relay.example -all", ""),
        ("v=spf1 ip4:203.0.114.0/99 -all", "permerror"),
        ("v=spf1 ipv4:203.0.114.25 -all", "permerror"),
        ("v=spf1 ip6:2a00:1450:4001::/48 -all", "fail"),
    ],
)
def test_spf_is_evaluated_for_a_sending_address(server, record, result):
    server.zone[SPF] = [record]
    server.zone["relay.example.", "TXT"] = ["v=spf1 ip4:203.0.114.16/28 ~all"]
    server.zone["loop.example.", "TXT"] = ["v=spf1 include:loop.example -all"]
    server.zone["hanbit.example.", "TXT"] = ["v=spf1 ip4:192.0.2.1 -all"]
    line = next(
        one
        for one in run(server, "--sender", "203.0.114.25")[0].splitlines()
        if " SPF " in one and "bounce.hanbit.example" in one
    )
    assert line.startswith("FAULT" if result else "ok")
    assert f"bounce.hanbit.example: {result}" in line
    if result:
        wanted = f"publish TXT: v=spf1 ip4:203.0.114.25{record.removeprefix('v=spf1')}"
        assert line.endswith(wanted)


def test_the_return_path_is_aligned_with_the_sender(server, settings):
    settings.DKIM_SIGNERS = ()
    assert check(server)["PATH"].startswith("ok")
    server.zone[DMARC] = ["v=DMARC1; p=reject; aspf=s"]
    assert "not aligned with hanbit.example" in check(server)["PATH"]
    settings.DKIM_SIGNERS = (SIGNERS["rsa"],)
    assert check(server)["PATH"].startswith("ok")


def test_a_return_path_of_another_company_is_not_aligned(server, settings):
    settings.DKIM_SIGNERS = ()
    settings.MAIL_DOMAIN = "bounce.relay.example"
    server.zone |= {
        ("bounce.relay.example.", kind): server.zone["bounce.hanbit.example.", kind]
        for kind in ("TXT", "MX")
    }
    lines = check(server)
    assert lines["PATH"].startswith("FAULT")
    assert "bounce.relay.example is not aligned" in lines["PATH"]


def test_the_domains_of_code_mails_are_checked(server, settings):
    settings.CODE_MAIL_FROM = "Hanbit <code@login.hanbit.example>"
    settings.CODE_MAIL_RETURN_PATH = "back@codes.hanbit.example"
    lines = check(server)
    assert "codes.hanbit.example has no record" in lines["SPF"]
    assert "codes.hanbit.example has no mail server" in lines["MX"]
    assert lines["PATH"].startswith("ok")


def test_both_keys_are_checked(server, settings):
    second = DkimSigner(domain="hanbit.example", selector="next", private_key=KEYS["ed25519"])
    settings.DKIM_SIGNERS = (SIGNERS["rsa"], second)
    assert (
        f"next._domainkey.hanbit.example has no record; publish TXT: {second.record()}"
        in (check(server)["DKIM"])
    )
    server.zone["next._domainkey.hanbit.example.", "TXT"] = [second.record()]
    assert run(server)[1] == 0


def test_programs_read_json_and_the_exit_code(server):
    output, code = run(server, "--json")
    assert (json.loads(output)["faults"], code) == (0, 0)
    server.zone[SPF] = []
    output, code = run(server, "--json")
    found = [one for one in json.loads(output)["findings"] if one["is_fault"]]
    wanted = {
        "name": "bounce.hanbit.example",
        "type": "TXT",
        "value": "v=spf1 a:smtp.hanbit.example -all",
    }
    assert ([one["wanted"] for one in found], code) == ([wanted], 1)
    server.is_failing = True
    output, code = run(server, "--json")
    assert not any(one["is_answered"] for one in json.loads(output)["findings"])
    assert code == 2
