"""The log says when a notice starts and ends, with times that have an offset."""

import logging
import re

import pytest
from django.test import Client
from django.utils.log import configure_logging

from foundations.logs import Line
from notices import decisions
from tests.notice_factory import work

pytest_plugins = ["tests.notice_fixtures"]


def test_approval_and_end_of_a_notice_are_logged(draft, people, approver, server, caplog):
    caplog.set_level(logging.INFO)
    decisions.approve(draft, by=approver)
    work(draft)
    lines = [line for line in caplog.messages if line.startswith(f"notice {draft.pk}: ")]
    assert lines[0].endswith(f"user {approver.pk} approved it, and its sending starts")
    assert lines[-1].endswith("every recipient has an end state")


def test_a_time_has_an_offset(settings):
    line = settings.LOGGING["formatters"]["line"]
    formatter = Line(line["format"], line["datefmt"])
    record = logging.LogRecord("portal", logging.INFO, "", 1, "started", None, None)
    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} INFO portal", formatter.format(record)
    )


@pytest.mark.django_db
def test_a_host_that_a_stranger_chose_fills_no_log(capfd, settings):
    configure_logging("logging.config.dictConfig", settings.LOGGING)
    assert Client().get("/en/", headers={"host": "evil.example"}).status_code == 400
    assert "evil.example" not in capfd.readouterr().err
