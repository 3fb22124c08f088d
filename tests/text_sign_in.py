"""Signs people in with a number: the gateway as a fixture, and the steps through the pages."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from harness.sign_in import ask_for_code, enter_code
from tests.carriers import SolapiServer

HALMONI = "+821041412002"
SOLAPI = "notices.engine.solapi.SolapiGateway"


@pytest.fixture
def solapi(settings) -> Iterator[SolapiServer]:
    """A local server that speaks Solapi's protocol, to which text messages go."""
    with SolapiServer() as server:
        settings.SMS_GATEWAY, settings.SOLAPI_URL = SOLAPI, server.url
        settings.SOLAPI_KEY, settings.SOLAPI_SECRET = server.key, server.secret
        settings.SMS_SENDER = "029302266"
        yield server


def newest_text_code(server: SolapiServer) -> str:
    """Returns the sign-in code in the newest text message."""
    found = re.search(r"#(\d{8})$", server.messages[-1]["text"])
    assert found, server.messages[-1]
    return found[1]


def sign_in_by_text(client: Client, server: SolapiServer, typed: str = "010-4141-2002"):
    """Signs in through the pages, with the code from the text message. Returns the response."""
    ask_for_code(client, typed)
    return enter_code(client, newest_text_code(server))


def browser(address: str = "203.0.113.7") -> Client:
    """Returns a client at an address, whose browser prefers English."""
    return Client(REMOTE_ADDR=address, headers={"accept-language": "en"})
