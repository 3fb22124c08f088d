"""The summary of a notice as PDF: who approved it, for how many people, and the end states."""

import shutil
import subprocess

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from notices.models import LedgerDigest, Notice
from notices.proof import ledger_digest
from statements.legal import deadlines
from tests.notice_factory import work

pytest_plugins = ["tests.notice_fixtures"]
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler reads the PDF")


def summary_of(notice: Notice, staff: User):
    client = Client()
    sign_in_to_desk(client, staff)
    return client.get(reverse("admin:notices_notice_summary", args=[notice.pk]))


def text_of(pdf: bytes) -> str:
    run = ["pdftotext", "-layout", "-", "-"]
    done = subprocess.run(run, input=pdf, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


@needs_poppler
def test_the_summary_counts_the_end_states(notice, people, server, approver):
    work(notice)
    response = summary_of(notice, approver)
    assert response["Content-Type"] == "application/pdf"
    text = text_of(response.content)
    assert "accepted by the mail server 2" in text
    assert "not reachable over this channel 1" in text
    assert "3 people were planned; the end states add up to 3. Nobody is missing." in text
    assert "editor@breachportal.example" in text
    assert "approver@breachportal.example" in text
    assert notice.version.hash[:20] in text.replace(" ", "")


@needs_poppler
def test_the_ledger_digest_is_in_the_summary(notice, people, server, approver):
    work(notice)
    ledger_digest.compute_ledger_digest(notice.pk)
    digest = LedgerDigest.objects.get(notice=notice).digest
    assert digest in text_of(summary_of(notice, approver).content).replace(" ", "")
    clock = next(each for each in deadlines.clocks_of(notice.incident) if each.duty.by_notice)
    assert digest[:16] in clock.evidence[0].words


@needs_poppler
def test_it_names_no_customer(notice, people, server, approver):
    work(notice)
    text = text_of(summary_of(notice, approver).content)
    for private in ("minji", "seojun", "김민지"):
        assert private not in text


@needs_poppler
def test_the_summary_of_an_unfinished_send_says_how_many_have_an_end_state(
    notice, people, approver
):
    Notice.objects.filter(pk=notice.pk).update(planned=3, accepted=1, state="sending")
    text = text_of(summary_of(notice, approver).content)
    assert "1 of 3 people have an end state." in text


def test_a_draft_has_no_summary_and_other_users_get_none(draft, notice, approver, client, minji):
    Notice.objects.filter(pk=notice.pk).update(state="draft")
    page = reverse("admin:notices_notice_change", args=[notice.pk])
    assert summary_of(notice, approver).url == page
    client.force_login(minji)
    url = reverse("admin:notices_notice_summary", args=[notice.pk])
    assert client.get(url).status_code == 404
