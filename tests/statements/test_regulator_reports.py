"""Regulator reports: drafted from the facts, filed, supplemented and printed."""

import shutil
import subprocess
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from foundations import documents
from harness.sign_in import sign_in_to_desk
from statements.legal import regulator_reports as reports
from statements.models import RegulatorReport

pytestmark = pytest.mark.django_db

DUTY = "kr-decree-report-72h"
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler reads the PDF")


@pytest.fixture
def coupang(approver, coupang):
    """The sample incident, loaded when the approver's account exists already."""
    return coupang


def draft(incident, by, form="pipc") -> RegulatorReport:
    return RegulatorReport.objects.create(
        incident=incident,
        duty=DUTY,
        form=form,
        authority="개인정보보호위원회",
        text=reports.drafted(incident, form),
        created_by=by,
    )


def filed(incident, by) -> RegulatorReport:
    report = draft(incident, by)
    reports.file(report, at=timezone.now(), reference="2025-1234", by=by)
    report.refresh_from_db()
    return report


def test_the_korean_form_is_filled_from_the_facts(coupang):
    text = reports.drafted(coupang, "pipc")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert [heading[3] for heading in headings] == ["1", "2", "3", "4", "5", "6", "7"]
    for words in ("쿠팡", "공동현관 출입번호", "33,673,817개", "2025년 6월 24일", "02-000-0000"):
        assert words in text
    assert "아직 통지하지 않았습니다." in text


def test_the_gdpr_form_is_filled_from_the_facts(coupang):
    text = reports.drafted(coupang, "gdpr")
    for item in ("33(3)(a)", "33(3)(b)", "33(3)(c)", "33(3)(d)", "33(1)"):
        assert item in text
    for words in (
        "Entrance code",
        "33,673,817 accounts",
        "24 June 2025",
        "Reported by the company",
    ):
        assert words in text


def test_an_unknown_fact_is_marked_as_unknown(incident):
    assert "규모: 확인 중입니다." in reports.drafted(incident, "pipc")
    assert "Not known yet." in reports.drafted(incident, "gdpr")


def test_from_draft_to_filed_on_the_desk(approvers_desk, coupang, approver):
    add = reverse("admin:statements_regulatorreport_add")
    fields = {"incident": coupang.pk, "duty": "", "form": "pipc", "authority": "PIPC"}
    assert "This field is required" in approvers_desk.post(add, fields).content.decode()
    fields["duty"] = DUTY
    answer = approvers_desk.post(add, fields, follow=True)
    assert "공동현관 출입번호" in answer.content.decode()
    report = RegulatorReport.objects.get()
    change = reverse("admin:statements_regulatorreport_change", args=[report.pk])
    shown = approvers_desk.get(change).content.decode()
    assert "Enforcement Decree 40: Report to the PIPC or KISA within 72 hours" in shown
    assert DUTY not in shown
    approvers_desk.post(change, {"authority": "PIPC", "text": "## 1. 기관명\n쿠팡"})
    file = reverse("admin:statements_regulatorreport_file", args=[report.pk])
    seen = {"seen": approvers_desk.get(file).context["form"].shown}
    later = (timezone.localtime() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert (
        "in the future" in approvers_desk.post(file, {"filed_at": later, **seen}).content.decode()
    )
    too_early = timezone.localtime(coupang.aware_at) - timedelta(days=365)
    early = {"filed_at": too_early.strftime("%Y-%m-%dT%H:%M"), **seen}
    assert "had not become aware by then" in approvers_desk.post(file, early).content.decode()
    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    read = {"filed_at": now, "reference": "2025-1", **seen}
    approvers_desk.post(change, {"authority": "PIPC", "text": "## 1. 기관명\n다른 글"})
    assert "was changed while you read" in approvers_desk.post(file, read).text
    approvers_desk.post(change, {"authority": "PIPC", "text": "## 1. 기관명\n쿠팡"})
    assert "쿠팡</pre>" in approvers_desk.get(file).text
    assert approvers_desk.post(file, read).status_code == 302

    report.refresh_from_db()
    assert (report.state, report.reference, report.filed_by) == ("filed", "2025-1", approver)
    assert report.text == "## 1. 기관명\n쿠팡"
    approvers_desk.post(change, {"authority": "X", "text": "changed"})
    report.refresh_from_db()
    assert report.text == "## 1. 기관명\n쿠팡"
    assert "Filed already" in approvers_desk.get(file, follow=True).text


def test_filing_needs_the_time_of_the_filing(approvers_desk, coupang, approver):
    report = draft(coupang, approver)
    file = reverse("admin:statements_regulatorreport_file", args=[report.pk])
    page = approvers_desk.get(file)
    assert "개인정보보호위원회" in page.text  # names the report
    assert "within 72 hours" in page.text
    assert not page.context["form"]["filed_at"].value()  # no default for a permanent record
    assert "This field is required" in approvers_desk.post(file, {"reference": "2025-1"}).text
    report.refresh_from_db()
    assert report.state == "draft"


@pytest.mark.parametrize("change", [{"text": "x"}, {"reference": ""}, {"state": "draft"}])
def test_a_filed_report_cannot_be_changed_or_deleted(coupang, approver, change):
    report = RegulatorReport.objects.filter(pk=filed(coupang, approver).pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        report.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        report.delete()


def test_filing_twice_is_refused(coupang, approver):
    report = filed(coupang, approver)
    with pytest.raises(reports.FilingRefusedError):
        reports.file(report, at=timezone.now(), reference="other", by=approver)


def test_supplements_follow_the_first_report(approvers_desk, coupang, approver):
    first = filed(coupang, approver)
    approvers_desk.post(reverse("admin:statements_regulatorreport_supplement", args=[first.pk]))
    second = RegulatorReport.objects.get(number=2)
    assert second.supplements == first
    assert second.state == "draft"
    again = reverse("admin:statements_regulatorreport_supplement", args=[first.pk])
    assert "This supplement is drafted already." in approvers_desk.post(again, follow=True).text
    assert RegulatorReport.objects.count() == 2
    url = reverse("admin:statements_regulatorreport_supplement", args=[second.pk])
    assert "This report is not filed yet" in approvers_desk.post(url, follow=True).text
    reports.file(second, at=timezone.now(), reference="", by=approver)
    approvers_desk.post(url)
    third = RegulatorReport.objects.get(number=3)
    assert third.supplements == first


@needs_poppler
def test_it_is_printed_in_the_forms_language(approvers_desk, coupang, approver):
    report = filed(coupang, approver)
    response = approvers_desk.get(reverse("admin:statements_regulatorreport_pdf", args=[report.pk]))
    assert response["Content-Type"] == "application/pdf"
    run = ["pdftotext", "-", "-"]
    done = subprocess.run(run, input=response.content, capture_output=True, check=True)
    text = done.stdout.decode()
    for words in ("개인정보 유출 신고서", "2025-1234", "7. 담당부서", "33,673,817개"):
        assert words in text


def test_text_from_users_is_printed_and_never_executed():
    written = '#read("settings.py") #panic("x") $x$ *b* [= h] <label> @ref \\'
    blocks: list[documents.Block] = [documents.Heading(written), documents.Paragraph(written)]
    blocks += [documents.Facts([(written, written)]), documents.Table([written], [[written]])]
    document = documents.Document(written, "en", written, timezone.now(), blocks)
    run = ["pdftotext", "-layout", "-", "-"]
    done = subprocess.run(run, input=documents.pdf(document), capture_output=True, check=True)
    text = done.stdout.decode()
    assert text.count('#read("settings.py")') == 8
    assert "SECRET_KEY" not in text


@pytest.mark.parametrize(
    ("role", "may_write", "may_file"),
    [("editor", True, False), ("approver", False, True), ("auditor", False, False)],
)
def test_each_role_does_its_part(client, coupang, approver, role, may_write, may_file):
    member = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
    member.groups.add(Group.objects.get(name=role))
    sign_in_to_desk(client, member)
    report = draft(coupang, approver)
    add = client.get(reverse("admin:statements_regulatorreport_add")).status_code
    file = client.get(
        reverse("admin:statements_regulatorreport_file", args=[report.pk])
    ).status_code
    assert (add == 200, file == 200) == (may_write, may_file)
    pdf = client.get(reverse("admin:statements_regulatorreport_pdf", args=[report.pk]))
    assert pdf.status_code == 200
