"""The address that counts for a visitor, behind proxies of the operator."""

import http.client
import logging
import time
from itertools import product

import pytest
from allauth.account.adapter import get_adapter
from django.test import Client

from foundations.rate_limits import network_of, site_of
from foundations.visitor_address import plain_address
from harness.sign_in import ask_for_code
from tests.web_processes import web_processes

REAL, FORGED, PROXY = "198.51.100.7", "203.0.113.66", "10.0.0.3"


@pytest.fixture
def own_header(settings):
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "Visitoraddress"


def counted(rf, **headers: str) -> str:
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return network_of(rf.get("/", REMOTE_ADDR=PROXY, **named))


@pytest.mark.usefixtures("own_header")
def test_the_own_header_counts_and_no_other(rf, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert counted(rf, visitoraddress=REAL, x_forwarded_for=FORGED) == REAL


@pytest.mark.usefixtures("own_header")
def test_without_the_own_header_the_connection_counts(rf, caplog):
    with caplog.at_level(logging.ERROR):
        assert counted(rf, x_forwarded_for=FORGED) == PROXY
    assert "did not come through the proxies" in caplog.text


def test_a_header_with_too_few_entries_is_not_trusted(rf, settings, caplog):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert counted(rf, x_forwarded_for=f"{FORGED}, {REAL}, {PROXY}") == REAL
    with caplog.at_level(logging.ERROR):
        assert counted(rf, x_forwarded_for=FORGED) == PROXY
    assert "did not come through the proxies" in caplog.text


ADDRESSES = [REAL, f" {REAL} ", f"{REAL}:8080", "010.0.0.1", "1.2.3", "256.1.1.1", "١.2.3.4", "x"]
ADDRESSES += ["2001:db8::1", "[2001:db8::1]:80", "::ffff:198.51.100.7", f"{REAL}, {PROXY}", ""]


@pytest.mark.parametrize("header", ["", "Visitoraddress"])
def test_a_plain_address_is_the_one_that_allauth_reads(rf, settings, header):
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = header
    for address, count in product(ADDRESSES, range(3)):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = count
        named = {"HTTP_X_FORWARDED_FOR": address, "HTTP_VISITORADDRESS": address}
        plain = plain_address(request := rf.get("/", REMOTE_ADDR=PROXY, **named))
        assert plain in ("", get_adapter().get_client_ip(request) if plain else "")


def test_an_ipv4_network_is_cut_at_octets(rf):
    request = rf.get("/", REMOTE_ADDR=REAL)
    assert (network_of(request), site_of(request)) == (REAL, "198.51.100.0")


@pytest.mark.django_db
def test_a_wrong_number_of_proxies_answers_no_page_with_500(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 3
    client.defaults["HTTP_X_FORWARDED_FOR"] = FORGED
    assert ask_for_code(client, "minji@example.com").status_code == 302


@pytest.fixture(autouse=True)
def _the_rest_of_the_portal_works(monkeypatch):
    """No worker and no scheduler runs beside these tests, of which the first page would warn."""
    monkeypatch.setattr("breachportal.desk_health.fault_count", lambda: 0)


def warning(desk: Client, **headers: str) -> str:
    page = desk.get("/admin/", headers={name.replace("_", "-"): v for name, v in headers.items()})
    return " ".join(str(message) for message in page.context["messages"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("set_to", "forwarded", "words"),
    [
        (0, "", ""),
        (1, REAL, ""),
        (2, f"{REAL}, {PROXY}", ""),
        (0, REAL, "TRUSTED_PROXY_COUNT is 0, but X-Forwarded-For of your request has 1 entries"),
        (1, f"{REAL}, {PROXY}", "TRUSTED_PROXY_COUNT is 1, but"),
        (2, REAL, "TRUSTED_PROXY_COUNT is 2, but"),
        (1, "", "has 0 entries"),
    ],
)
def test_the_desk_warns_of_a_wrong_number_of_proxies(
    editors_desk, settings, set_to, forwarded, words
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = set_to
    shown = warning(editors_desk, **({"x_forwarded_for": forwarded} if forwarded else {}))
    assert (words in shown) if words else (shown == "")


@pytest.mark.django_db
@pytest.mark.usefixtures("own_header")
def test_the_desk_warns_if_the_own_header_is_missing(editors_desk):
    assert "came without this header" in warning(editors_desk, x_forwarded_for=REAL)
    assert warning(editors_desk, visitoraddress=REAL) == ""


def connected(port: int) -> http.client.HTTPConnection:
    """Returns a connection, as soon as the web process listens."""
    for _ in range(300):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise TimeoutError


def statuses(port: int, times: int, *headers: tuple[str, str]) -> list[int]:
    found = []
    for number in range(times):
        connection = connected(port)
        connection.putrequest("GET", "/en/certificates/00000000000000000000/")
        for name, value in headers:
            connection.putheader(name, value.format(number=number))
        connection.endheaders()
        found.append(connection.getresponse().status)
        connection.close()
    return found


@pytest.mark.django_db(transaction=True)
def test_no_spelling_of_a_header_changes_the_address_that_a_web_process_counts():
    """The application server itself merges X_Forwarded_For into X-Forwarded-For."""
    with web_processes("--workers 1", TRUSTED_ADDRESS_HEADER="Visitoraddress") as port:
        forged = [
            ("X-Forwarded-For", "203.0.113.{number}"),
            ("X_Forwarded_For", "203.0.113.{number}"),
            ("Visitor_Address", "203.0.113.{number}"),
            ("Visitor-Address", "203.0.113.{number}"),
        ]
        found = statuses(port, 32, ("Visitoraddress", REAL), *forged)
    assert found == [404] * 30 + [429] * 2


@pytest.mark.django_db(transaction=True)
def test_x_forwarded_for_can_be_forged_and_production_therefore_refuses_to_trust_it():
    """Fails if the server keeps the two spellings apart one day; see decision 0026."""
    with web_processes("--workers 1", TRUSTED_PROXY_COUNT="1") as port:
        forged = ("X_Forwarded_For", "203.0.113.{number}")
        found = statuses(port, 32, ("X-Forwarded-For", REAL), forged)
    assert found == [404] * 32
