"""A visitor reports a suspicious message; an editor turns it into a published warning."""

import logging
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents import reencryption
from notices.engine import audiences
from notices.models import AlertSubscription, Notice
from scams import scam_reports
from scams.models import ScamReport
from statements import markdown, publishing, sample
from statements.models import Advisory, StatementVersion
from tests.desk_pages import desk_url

REPORT = "/en/check/report/"
REPORTED = {
    "text": "[Hanbit] Your refund is ready: http://hanbit-refund.example.net/a?id=1",
    "channel": "sms",
    "sender": "010-5555-6666",
    "contact": "jimin@example.com",
}


def fields(values: dict[str, str]) -> dict[str, str]:
    return {f"report-{name}": value for name, value in values.items()}


def send_report(client: Client, **changes: str):
    return client.post(REPORT, fields(REPORTED | changes))


@pytest.fixture
def report(incident, client) -> ScamReport:
    send_report(client)
    return ScamReport.objects.get()


# Reporting


def test_a_report_is_stored_encrypted(client, incident):
    response = send_report(client)
    assert response.headers["Location"] == "/en/check/reported/"
    report = ScamReport.objects.get()
    decrypted = report.decrypt_report()
    assert (decrypted.text, decrypted.sender, decrypted.contact) == (
        REPORTED["text"],
        REPORTED["sender"],
        REPORTED["contact"],
    )
    row = str(ScamReport.objects.values().get())
    for secret in ("refund", "5555", "jimin"):
        assert secret not in row
        assert secret.encode() not in bytes(report.ciphertext)


def test_only_text_and_channel_of_a_report_are_required(client, incident):
    assert send_report(client, sender="", contact="").status_code == 302
    assert send_report(client, text="").status_code == 200
    assert ScamReport.objects.count() == 1


def test_a_wrong_contact_is_reported_next_to_the_field(client, incident):
    response = send_report(client, contact="jimin@")
    assert "Enter a whole e\u2011mail address" in response.content.decode()
    assert not ScamReport.objects.exists()


def test_reports_of_the_same_link_or_number_are_grouped(client, incident):
    send_report(client)
    send_report(client, text="Other words, hxxps://hanbit-refund[.]example[.]net/b", sender="")
    send_report(client, text="We are calling from 070-1111-2222", sender="")
    send_report(client, text="They only talked", sender="")
    send_report(client, text="They talked again", sender="")
    same = list(ScamReport.objects.order_by("reported_at").values_list("same", flat=True))
    assert same[0] == same[1]
    assert same[2] not in (None, same[0])
    assert same[3:] == [None, None]
    first, *_rest = ScamReport.objects.order_by("reported_at")
    assert ScamReport.objects.like(first).count() == 2


def test_a_spam_program_gets_the_same_thanks(client, incident):
    person, program = send_report(client), send_report(client, website="http://spam.example")
    assert person.headers["Location"] == program.headers["Location"]
    assert ScamReport.objects.count() == 1


def test_reports_of_one_network_are_limited(client, incident, settings):
    settings.PROOF_RATES = {"scam_report": "2/10m/ip"}
    assert [send_report(client).status_code for _turn in range(3)] == [302, 302, 429]
    assert ScamReport.objects.count() == 2


def test_reports_of_all_networks_together_are_limited(client, incident, settings):
    settings.SCAM_REPORTS_PER_HOUR = 2
    assert [send_report(client).status_code for _turn in range(3)] == [302, 302, 429]


@pytest.mark.parametrize("limit", ["of a network", "of all"])
def test_a_report_that_comes_too_early_is_kept_for_another_try(client, incident, settings, limit):
    settings.SCAM_REPORTS_PER_HOUR = 0 if limit == "of all" else 2000
    settings.PROOF_RATES = {"scam_report": "0/10m/ip" if limit == "of a network" else "9/10m/ip"}
    refused = send_report(client, text="Call <us>", sender="010-5555-7777")
    assert (refused.status_code, bool(refused["Retry-After"])) == (429, True)
    for name, value in (("text", "Call &lt;us&gt;"), ("sender", "010-5555-7777")):
        assert f'name="report-{name}" value="{value}"' in refused.text


def test_another_site_cannot_make_a_browser_report(client, incident, settings):
    settings.PROOF_RATES = {"scam_report": "1/10m/ip"}
    for _turn in range(2):
        response = client.post(REPORT, fields(REPORTED), headers={"sec-fetch-site": "cross-site"})
        assert response.status_code == 403
    assert not ScamReport.objects.exists()


def test_files_are_not_taken(client, incident):
    send_report(client)
    content = b"MZ, a program"  # two octets alone stand in a ciphertext by chance
    client.post(REPORT, fields(REPORTED) | {"file": SimpleUploadedFile("evil.exe", content)})
    assert all(content not in bytes(one.ciphertext) for one in ScamReport.objects.all())


def test_a_report_never_redirects_to_another_site(client, incident):
    for name in ("next", "redirect", "url"):
        response = client.post(
            f"{REPORT}?{name}=//evil.example", fields(REPORTED) | {name: "//evil.example"}
        )
        assert response.headers["Location"] == "/en/check/reported/"


def test_nothing_of_a_report_is_logged(client, incident, caplog):
    with caplog.at_level(logging.DEBUG):
        send_report(client, text="secret-words\r\n2026-01-01 INFO forged")
    lines = [r.getMessage() for r in caplog.records if not r.name.startswith("django.db")]
    assert not any("secret-words" in line or "jimin" in line for line in lines)


def test_no_cookie_is_set_or_needed(incident):
    client = Client(enforce_csrf_checks=True)
    response = send_report(client)
    assert response.status_code == 302
    assert not response.cookies


def test_after_shredding_no_report_is_taken_or_read(client, report, incident, editors_desk):
    incident.refresh_from_db()
    incident.shred()
    send_report(client)
    assert ScamReport.objects.count() == 1
    response = editors_desk.get(desk_url("scams_scamreport_change", report.pk))
    assert response.status_code == 200
    assert "refund" not in response.content.decode()
    assert "Write a report" not in Client().get("/en/check/").content.decode()


def test_reports_are_deleted_after_their_time(report, settings, capsys):
    call_command("delete_scam_reports")
    assert ScamReport.objects.exists()
    old = timezone.now() - timedelta(days=settings.SCAM_REPORT_DAYS, minutes=1)
    ScamReport.objects.update(reported_at=old)
    call_command("delete_scam_reports")
    assert not ScamReport.objects.exists()
    assert "deleted 1 scam reports" in capsys.readouterr().out


def test_a_report_is_readable_after_re_encryption(report, incident):
    before = bytes(report.ciphertext)
    reencryption.reencrypt_incident(incident)
    report = ScamReport.objects.select_related("incident").get()
    assert bytes(report.ciphertext) != before
    assert report.decrypt_report().sender == REPORTED["sender"]


# The desk


def test_the_queue_shows_how_many_reports_share_a_trace(client, report, editors_desk):
    send_report(Client(), text="again http://hanbit-refund.example.net")
    send_report(Client(), text="another http://other.example.net")
    url = reverse("admin:scams_scamreport_changelist")
    html = editors_desk.get(url).content.decode()
    link = f"{url}?same__exact={report.same}"
    assert html.count(f'<a href="{link}">2</a>') == 2
    assert len(editors_desk.get(link).context["cl"].result_list) == 2


def test_opening_a_report_shows_it_as_text_and_leaves_a_record(
    report, editors_desk, client, caplog
):
    evil = '<script>alert(1)</script> <img src=x onerror=1> {{ 7 }} =HYPERLINK("http://x")'
    send_report(Client(), text=evil, sender='"><b>x</b>')
    newest = ScamReport.objects.order_by("-reported_at")[0]
    with caplog.at_level(logging.INFO):
        html = editors_desk.get(desk_url("scams_scamreport_change", newest.pk)).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "<b>x</b>" not in html
    newest.refresh_from_db()
    assert newest.state == "seen"
    assert str(newest.pk) in caplog.text
    assert "HYPERLINK" not in caplog.text


def test_the_list_shows_no_text_of_a_report(report, editors_desk):
    html = editors_desk.get(reverse("admin:scams_scamreport_changelist")).content.decode()
    assert "refund" not in html
    assert "jimin" not in html


def test_users_without_permission_cannot_read_reports(report, client, minji, incident):
    url = desk_url("scams_scamreport_change", report.pk)
    client.force_login(minji)
    assert client.get(url).status_code == 404
    auditor = User.objects.create_user("auditor@breachportal.example", is_staff=True)
    sign_in_to_desk(client, auditor)
    assert client.get(url).status_code == 403
    auditor.user_permissions.add(Permission.objects.get(codename="view_scamreport"))
    assert client.get(url).status_code == 200
    report.refresh_from_db()
    assert report.state == "new"  # reading a report does not change its state
    for step in ("warn", "dismiss"):
        assert client.post(desk_url(f"scams_scamreport_{step}", report.pk)).status_code == 403


def test_dismissing_a_report_dismisses_reports_of_the_same_trace(report, editors_desk):
    send_report(Client(), text="again http://hanbit-refund.example.net")
    send_report(Client(), text="another http://other.example.net")
    editors_desk.post(desk_url("scams_scamreport_dismiss", report.pk))
    states = sorted(ScamReport.objects.values_list("state", flat=True))
    assert states == ["dismissed", "dismissed", "new"]


@pytest.mark.parametrize("step", ["warn", "dismiss"])
def test_a_link_changes_nothing(report, editors_desk, step):
    assert editors_desk.get(desk_url(f"scams_scamreport_{step}", report.pk)).status_code == 405


# The warning


def test_a_warning_is_drafted_in_one_step_and_published_by_a_second_person(
    report, editors_desk, editor, approver, client
):
    response = editors_desk.post(desk_url("scams_scamreport_warn", report.pk))
    draft = StatementVersion.objects.get()
    assert response.headers["Location"] == desk_url("statements_statementversion_change", draft.pk)
    assert "hanbit-refund[.]example[.]net" in markdown.plain(
        draft.sections.get(key="body").body.get("en")
    )
    blocking = [
        finding for finding in publishing.publishing_findings(draft, by=approver) if finding.blocks
    ]
    assert blocking == []
    with pytest.raises(publishing.PublishingRefusedError):
        publishing.publish(draft, by=editor)
    assert "Scam warning" not in Client().get("/en/check/").content.decode()

    publishing.publish(draft, by=approver)

    for path in ("/en/check/", "/en/incidents/hanbit-2025/"):
        html = Client().get(path).content.decode()
        assert "Scam warning: messages in the name of Hanbit Store" in html
        assert "<span>Hanbit Store</span>, " in html
    assert "한빛상점" in Client().get("/ko/check/").content.decode()
    report.refresh_from_db()
    assert report.state == "warned"
    assert report.warning == draft.statement


def test_publishing_the_warning_offers_an_alert_to_those_who_chose_it(
    report, editor, approver, minji, incident, client
):
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    draft = scam_reports.draft_warning(report, by=editor)
    sign_in_to_desk(client, approver)
    url = desk_url("statements_statementversion_publish", draft.pk)
    seen = client.get(url).context["form"].shown
    html = client.post(url, {"seen": seen}, follow=True).content.decode()
    assert "kind=alert&amp;topic=scams" in html
    alert = Notice(incident=incident, version=draft, kind="alert", topic="scams")
    assert [one.user for one in audiences.subscribers(alert)] == [minji]


def test_a_report_makes_one_warning_however_often_it_is_asked(report, editor):
    first = scam_reports.draft_warning(report, by=editor)
    assert scam_reports.draft_warning(report, by=editor) == first
    assert Advisory.objects.count() == 1


def test_a_report_cannot_bring_markup_or_a_link_into_the_warning(client, incident, editor):
    evil = (
        "# Title\n[click](https://evil.example.com)\n<script>x</script>\n![a](https://e.com/b)\n"
        "> quoted\n- item\n1. item\n`c` www.evil.example.com"
    )
    send_report(client, text=evil)
    draft = scam_reports.draft_warning(ScamReport.objects.get(), by=editor)
    for section in draft.sections.all():
        for language in ("ko", "en"):
            with translation.override(language):
                html = str(section.html)
            assert "<a " not in html
            assert "<script" not in html
            assert "<h3" not in html
            assert "<code" not in html
            assert not re.search(r"evil\.example\.com", html)


def test_the_advice_on_the_first_page_stays_that_of_the_advisory(client, editor, approver):
    incident = sample.load_sample_incident()
    steps = client.get("/en/").context["steps"]
    send_report(client)
    report = ScamReport.objects.get(incident=incident)
    publishing.publish(scam_reports.draft_warning(report, by=editor), by=approver)
    after = client.get("/en/")
    assert "Scam warning" in after.content.decode()
    assert after.context["steps"] == steps
    assert len(steps) > 2
