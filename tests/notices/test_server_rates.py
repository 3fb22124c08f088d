"""A server that limits messages in a time, over all connections, is not asked again and again."""

import asyncio
import json
import re
import time
from typing import Any, cast

import pytest
from django.urls import reverse

from foundations import latency
from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from notices import decisions
from notices.engine import learned_rates
from notices.engine.smtp import limits
from notices.models import Delivery
from tests.notice_factory import affected, assert_adds_up, work, work_again
from tests.smtp_server import SmtpServer

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")
PEOPLE, MOST = 60, 20
RATES = [
    "450 4.7.1 Error: too much mail from 127.0.0.1",  # Postfix
    "421 4.7.0 Too many messages from your address in this minute",
    "451 4.7.1 Hourly limit exceeded, try later",
]


class Refusal(asyncio.Protocol):
    """A connection that the server refuses instead of a greeting."""

    def __init__(self, reply: str) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = cast("asyncio.Transport", transport)
        connection.write(f"{self._reply}\r\n".encode())
        connection.close()


class LimitedServer(SmtpServer):
    """A server that takes `most` messages and answers every later MAIL with `reply`; with
    `is_at_greeting` every later connection, too.
    """

    def __init__(self, *, reply: str, is_at_greeting: bool) -> None:
        super().__init__()
        self.most, self.begun, self.refused, self._reply = MOST, 0, 0, reply
        self._is_at_greeting = is_at_greeting

    def _protocol(self) -> Any:
        if self._is_at_greeting and self.begun >= self.most:
            self.connections += 1
            self.refused += 1
            return Refusal(self._reply)
        return super()._protocol()

    def next_reply(self, step: str, address: str) -> str:
        if step == "sender" and self.begun >= self.most:
            self.refused += 1
            return self._reply
        self.begun += step == "sender"
        return super().next_reply(step, address)


@pytest.fixture(params=[False, True], ids=["mail", "greeting"])
def is_at_greeting(request) -> bool:
    return request.param


@pytest.fixture(params=RATES)
def server(request, settings, is_at_greeting):
    with LimitedServer(reply=request.param, is_at_greeting=is_at_greeting) as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running
    latency.client().delete(learned_rates.KEY, limits.KEY)


@pytest.fixture
def notice(draft, incident, approver, settings):
    settings.NOTICE_CONNECTIONS = 4
    file = exposure_factory.file_of(incident)
    for number in range(PEOPLE):
        affected(file, "사람", f"person{number}@domain{number % 3}.example")
    decisions.approve(draft, by=approver)
    return draft


def test_the_sender_rests_and_shows_the_limit(client, approver, notice, server):
    work(notice)
    # A message that was begun on another connection at the refusal may wait for its turn.
    assert MOST - 3 <= notice.accepted == len(server.taken) <= MOST
    assert not notice.deliveries.filter(is_possible_duplicate=True).exists()
    assert server.refused <= 3 * 4  # each connection once or twice, and not each message
    connections = server.connections
    work_again(notice)
    assert server.connections == connections  # it is not asked while it rests
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    # 18 of 20; fewer if the refusal was read on one connection before the last replies on others.
    assert re.search(rf"Limit of 127\.0\.0\.1:{server.port}: about 1[5-8] messages a minute", page)
    assert f"127.0.0.1:{server.port}" not in limits.connection_limits()


def test_the_rate_holds_for_all_domains_together_after_the_rest(notice, server):
    work(notice)
    server.most = 10_000
    end_rest(f"127.0.0.1:{server.port}", per_second=20.0)
    begun = time.monotonic()
    work_again(notice)
    assert notice.accepted == PEOPLE
    # The bucket holds the messages of one second at first.
    assert time.monotonic() - begun > (PEOPLE - MOST) / 20.0 - 1
    assert not notice.deliveries.exclude(state=Delivery.State.ACCEPTED).exists()
    assert_adds_up(notice)


def end_rest(server: str, *, per_second: float) -> None:
    """Ends the learned rest of a server, and sets its rate."""
    stored = json.loads(cast("bytes", latency.client().hget(learned_rates.KEY, server)))
    stored |= {"rest_until": time.time(), "per_second": per_second}
    latency.client().hset(learned_rates.KEY, server, json.dumps(stored))
