"""docs/how-to/add-a-text-gateway.md: its code is loaded, and SMS are sent with it."""

import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from django.core import checks

from harness import exposure_factory
from notices import decisions
from notices.engine import gateways
from notices.models import Delivery, DoubtCause, Notice
from tests.gateway import HANG_UP, Gateway
from tests.notice_factory import assert_adds_up, delivery_to, draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-text-gateway.md"
MINJI, SEOJUN = "+821012345678", "+821098765432"
State = Delivery.State


@pytest.fixture
def carrier(settings, monkeypatch, tmp_path):
    """The gateway class of the page in a module of its own, and a local carrier that it uses."""
    (block,) = re.findall(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "carriers.py").write_text(dedent(block))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "carriers", raising=False)
    (settings.SMS_GATEWAY,) = set(re.findall(r"`(carriers\.\w+)`", PAGE.read_text()))
    with Gateway(answer="OK 4711") as carrier:
        settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_TOKEN = carrier.url, "key"
        settings.SMS_SENDER = "15881234"
        yield carrier


@pytest.fixture
def phones(incident):
    file = exposure_factory.file_of(incident)
    people = [
        exposure_factory.person(incident, name="김민지", phone="010-1234-5678"),
        exposure_factory.person(incident, name="이서준", phone="010-9876-5432"),
    ]
    for person in people:
        exposure_factory.expose(person, file, "names")
    return people


@pytest.fixture
def draft(version, editor) -> Notice:
    return draft_notice(version, editor, channel="sms")


def test_an_sms_is_sent_through_the_gateway_of_the_page(draft, phones, approver, carrier):
    decisions.approve(draft, by=approver)
    notice = work(draft)
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 2)
    assert sorted(one.body["receiver"][0] for one in carrier.asked) == [MINJI, SEOJUN]
    asked = carrier.asked[0]
    assert "한빛상점" in asked.body["message"][0]
    assert (asked.body["sender"], asked.headers["X-Api-Key"]) == (["15881234"], "key")
    assert delivery_to(notice, phones[0]).reply == "200 OK 4711"
    assert_adds_up(notice)


@pytest.mark.parametrize(
    ("status", "answer", "state", "cause"),
    [
        (200, f"UNKNOWN NUMBER {MINJI}", State.BOUNCED, ""),
        (200, "BUSY", State.DEFERRED, ""),
        (200, "???", State.IN_DOUBT, DoubtCause.UNCLEAR_ANSWER),
        (500, "", State.IN_DOUBT, DoubtCause.UNCLEAR_ANSWER),
        (HANG_UP, "", State.IN_DOUBT, DoubtCause.CONNECTION_LOST),
    ],
)
def test_the_answers_have_the_meaning_that_the_page_describes(
    draft, phones, approver, carrier, status, answer, state, cause
):
    decisions.approve(draft, by=approver)
    carrier.answer_next("1012345678", status, answer)
    notice = work(draft)
    row = delivery_to(notice, phones[0])
    assert (row.state, row.doubt_cause) == (state, cause)
    assert MINJI not in row.reply
    assert_adds_up(notice)


def test_a_carrier_that_refuses_our_account_pauses_the_notice(draft, phones, approver, carrier):
    decisions.approve(draft, by=approver)
    for number in (MINJI, SEOJUN):
        carrier.answer_next(number.removeprefix("+"), 403, "bad key")
    notice = work(draft)
    assert (notice.state, notice.problem) == (Notice.State.PAUSED, "403 bad key")


def test_an_unreachable_carrier_sent_nothing(draft, phones, approver, carrier, settings):
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9/"
    decisions.approve(draft, by=approver)
    notice = work(draft)
    assert set(notice.deliveries.values_list("state", flat=True)) == {State.PENDING}


@pytest.mark.parametrize("name", ["SMS_GATEWAY_URL", "SMS_GATEWAY_TOKEN", "SMS_SENDER"])
def test_nothing_is_approved_without_the_settings_it_needs(
    draft, phones, approver, carrier, settings, name
):
    setattr(settings, name, "")
    with pytest.raises(decisions.ApprovalRefusedError, match=rf"\({name}\)"):
        decisions.approve(draft, by=approver)


# -------------------------------------------------------------------- manage.py check


class WithoutSend:
    required_settings = ()

    def close(self): ...


class WithoutClose:
    required_settings = ()

    def send(self, text): ...


class WithoutSettings:
    def send(self, text): ...

    def close(self): ...


class WithUnknownSettings(WithoutSettings):
    required_settings = ("NO_SUCH_SETTING",)


def test_the_system_check_accepts_the_gateway_of_the_page_and_the_built_in_ones(carrier, settings):
    assert gateways.check_text_gateway() == []
    for name in ("notices.engine.gateways.HttpGateway", "breachportal.demo.sms.MailboxGateway"):
        settings.SMS_GATEWAY = name
        assert gateways.check_text_gateway() == []


@pytest.mark.parametrize(
    ("gateway", "number", "words"),
    [
        ("no.such.Gateway", "E003", "No module named"),
        (f"{__name__}.WithoutSend", "E004", "no method `send`"),
        (f"{__name__}.WithoutClose", "E004", "no method `close`"),
        (f"{__name__}.WithoutSettings", "E005", "no tuple `required_settings`"),
        (f"{__name__}.WithUnknownSettings", "E006", "NO_SUCH_SETTING"),
    ],
)
def test_the_system_check_reports_faults_of_a_gateway(settings, gateway, number, words):
    settings.SMS_GATEWAY = gateway
    (error,) = [one for one in checks.run_checks() if one.id == f"notices.{number}"]
    assert words in error.msg
