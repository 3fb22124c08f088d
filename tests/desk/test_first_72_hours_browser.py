"""The first 72 hours of a new incident in a real Chromium, by the roles of docs/operating.md.

It counts what a person fills in and presses in each step, and compares that with the table of the
page. `pytest -s` prints the counts and the seconds.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from harness.sign_in import sign_in_to_desk, step_up
from incidents import uploads
from incidents.guide.answers import NAMES
from incidents.models import ExposureBatch, Incident, Upload, WriteOff
from notices.models import Notice
from statements.models import RegulatorReport, StatementVersion
from tests import browser
from tests.desk_pages import desk_url
from tests.notice_factory import work
from tickets import correspondence
from tickets.models import Ticket

pytest_plugins = ["tests.notice_fixtures"]
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
CUSTOMERS = """\
member_id,name,email,phone,address,language
1001,김민지,minji@hanbit.example,010-1234-5601,서울특별시 중구 세종대로 110,ko
1002,Seán O'Connor,sean@hanbit.example,010-1234-5602,서울특별시 중구 세종대로 111,en
,정영숙,youngsook@hanbit.example,010-1234-5605,서울특별시 중구 세종대로 114,ko
"""
# The texts of the notice by section: Korean, English.
TEXTS = {
    "data_items": (
        "이름, 이메일 주소, 전화번호, 주소, 배송 메모, 주문 내역",
        "Name, E-mail address, Phone number, Address, Delivery note, Order",
    ),
    "when_and_how": (
        "2026년 1월 4일에 권한 없는 자가 고객 정보에 접근했습니다.",
        "On 4 January 2026 an intruder reached customer data.",
    ),
    "likely_consequences": ("사기 문자가 올 수 있습니다.", "Scam messages may come."),
    "self_protection_steps": ("링크를 누르지 마십시오.", "Do not follow links in messages."),
    "measures_taken": ("접근 경로를 차단했습니다.", "We closed the way in."),
    "response_and_remedy_procedure": ("보호팀에 알려 주십시오.", "Report damage to our team."),
    "rights_and_remedies": ("분쟁 조정을 신청할 수 있습니다.", "You can ask for mediation."),
    "department_and_contact": ("보호팀, help@hanbit.example", "Privacy, help@hanbit.example"),
}


@dataclass
class Step:
    """One step of the work: what is filled in and pressed, and how long the machine takes."""

    fields: int = 0
    presses: int = 0
    seconds: float = 0


@dataclass
class Play:
    """The work of the team, counted by step."""

    pages: dict[str, Page]
    url: str
    steps: dict[str, Step] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Context manager: counts a step."""
        begin, self.steps[name] = time.monotonic(), Step()
        yield self.steps[name]
        self.steps[name].seconds = time.monotonic() - begin

    @property
    def now(self) -> Step:
        """Returns the step that is under way."""
        return list(self.steps.values())[-1]

    def fill(self, role: str, selector: str, value: str) -> None:
        """Fills in a field."""
        self.pages[role].locator(selector).fill(value)
        self.now.fields += 1

    def check(self, role: str, selector: str) -> None:
        """Ticks a box."""
        self.pages[role].locator(selector).check()
        self.now.fields += 1

    def choose(self, role: str, selector: str, value: str) -> None:
        """Chooses an entry of a list."""
        self.pages[role].locator(selector).select_option(value)
        self.now.fields += 1

    def press(self, role: str, selector: str, to: str) -> None:
        """Presses a button or link, and waits for the page that it leads to."""
        page = self.pages[role]
        browser.follow(page.locator(selector).first, f"**{to}")
        expect(page.locator(".errorlist li")).to_have_count(0)
        self.now.presses += 1

    def open(self, role: str, path: str) -> None:
        """Opens a page without counting it, such as the front page of the desk.

        It takes a new tab, because the page that is left may reload itself at this moment.
        """
        before = self.pages[role]
        self.pages[role] = before.context.new_page()
        before.close()
        self.pages[role].goto(self.url + path)

    def press_next(self, role: str, words: str, to: str) -> None:
        """Opens the desk, and presses the task with these words."""
        self.open(role, desk_url("incidents_incident_page", Incident.objects.get().pk))
        self.press(role, f".incident-boards a:has-text('{words}')", to)


@pytest.fixture
def play(live_server, team, monkeypatch) -> Iterator[Play]:
    """A browser window for each role, on the desk in English."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    with browser.chromium() as chromium:
        pages = {role: _window(chromium, live_server.url, user) for role, user in team.items()}
        yield Play(pages, live_server.url)


def _window(chromium: Browser, url: str, user: User) -> Page:
    client = Client()
    sign_in_to_desk(client, user)
    step_up(client, user)
    context = chromium.new_context(java_script_enabled=False)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    for name, value in (
        (settings.SESSION_COOKIE_NAME, session),
        (settings.LANGUAGE_COOKIE_NAME, "en"),
    ):
        context.add_cookies([{"name": name, "value": value, "url": url}])
    return context.new_page()


@pytest.mark.django_db(transaction=True)
def test_the_first_72_hours(play, server):
    with play.step("Record the incident"):
        record(play)
    with play.step("Say which duties apply: 7 conditions"):
        say_which_apply(play)
    with play.step("Load the file"):
        load(play)
    with play.step("Write off what cannot be read"):
        write_off(play)
    with play.step("Close the scope version"):
        close(play)
    with play.step("File the first report"):
        report(play)
    with play.step("Write the notice"):
        write(play)
    with play.step("Publish it, and make the incident public"):
        publish(play)
    with play.step("Send it"):
        first = send(play)
    with play.step("Answer a question, with a look-up"):
        answer(play)
    with play.step("Correct it and tell those who have it"):
        second = correct(play)
    print()
    for name, step in play.steps.items():
        print(f"{name:45}{step.fields:4}{step.presses:4}{step.seconds:8.1f} s")
    assert (first.accepted, second.accepted) == (2, 2)
    assert {name: (step.fields, step.presses) for name, step in play.steps.items()} == in_the_docs()


def in_the_docs() -> dict[str, tuple[int, int]]:
    """Returns {step: (fields, presses)} from the table of docs/operating.md."""
    row = re.compile(r"^\| ([^|]+?) \| \w+[^|]* \| (\d+) \| (\d+) \|", re.MULTILINE)
    return {
        name: (int(fields), int(presses))
        for name, fields, presses in row.findall(OPERATING.read_text(encoding="utf-8"))
    }


def record(play: Play) -> None:
    aware = timezone.localtime() - timedelta(hours=1)  # in time: no clock is overdue
    answers = {
        "template": [("check", "[name=template][value=retail]", "")],
        "company": [("fill", "#id_company_ko", "한빛서점"), ("fill", "#id_company_en", "Hanbit")],
        "aware": [("fill", "#id_aware_at", f"{aware:%Y-%m-%dT%H:%M}")],
        "laws": [("check", "[value=KR]", ""), ("check", "[value=EU]", "")],
        "people": [("fill", "#id_reported_count", "3")],
        "contact": [
            ("fill", "#id_department_ko", "보호팀"),
            ("fill", "#id_department_en", "Privacy team"),
            ("fill", "#id_contact_email", "help@hanbit.example"),
        ],
    }
    play.open("importer", desk_url("index"))
    play.press("importer", "a:has-text('Record an incident')", guide(NAMES[0]))
    for name, following in zip(NAMES, [*NAMES[1:], "answers"], strict=True):
        for act, selector, value in answers.get(name, []):
            if act == "fill":
                play.fill("importer", selector, value)
            else:
                play.check("importer", selector)
        play.press("importer", "input[name=next]", guide(following))
    play.press("importer", "input[name=record]", "/page/")


def guide(name: str) -> str:
    return desk_url("incidents_incident_guide", name)


def say_which_apply(play: Play) -> None:
    """Answers each condition that the portal cannot know: it does not hold here."""
    play.press_next("approver", "Say which duties apply", "/conditions/")
    play.fill("approver", "#id_evidence", "Counsel, memo 1.")
    answers = play.pages["approver"].locator("[type=radio][value=not_applicable]")
    for name in [each.get_attribute("name") for each in answers.all()]:
        play.check("approver", f"[name='{name}'][value=not_applicable]")
    play.press("approver", "input.default", "/dutyconfirmation/incident/*/")
    expect(play.pages["approver"].locator("a[href$='/conditions/']")).to_have_count(0)


def load(play: Play) -> None:
    play.press_next("importer", "Load a file", "/upload/add/*")
    play.pages["importer"].locator("input[type=file]").set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": CUSTOMERS.encode()}
    )
    play.now.fields += 1
    play.press("importer", "[name=_save]", "/change/")
    as_a_worker(play)
    play.press("importer", "a:has-text('Choose the columns')", "/columns/")
    play.press("importer", "[type=submit][value='Check the file']", "/change/")
    as_a_worker(play)
    play.press("importer", "a:has-text('Import it')", "/import/")
    play.press("importer", "[type=submit][value='Import it']", "/change/")
    as_a_worker(play)
    assert Upload.objects.get().state == Upload.State.IMPORTED


def as_a_worker(play: Play) -> None:
    """Does what a worker does with the upload, and opens its page again."""
    upload = Upload.objects.get()
    uploads.run_upload(str(upload.pk))
    play.open("importer", desk_url("incidents_upload_change", upload.pk))


def write_off(play: Play) -> None:
    play.press_next("importer", "Settle what could not be read", "/exposurebatch/*/change/")
    play.press("importer", "a:has-text('rite them off')", "/writeoff/add/*")
    play.fill("importer", "#id_reason", "The row has no member id; there is no better copy.")
    play.press("importer", "[name=_save]", "/writeoff/*/change/")
    play.press_next("approver", "Confirm the write-off", "/writeoff/*/change/")
    play.press("approver", "[type=submit][value='Confirm the write-off']", "/writeoff/*/change/")
    expect(play.pages["approver"].locator(".messagelist")).to_be_visible()
    assert WriteOff.objects.get().confirmed_by_id


def close(play: Play) -> None:
    play.press_next("importer", "Close scope version", "/close/")
    play.check("importer", "[name=is_complete]")
    play.press("importer", "[type=submit][value='Close this scope version']", "/change/")
    assert ExposureBatch.objects.get().state == ExposureBatch.State.CLOSED


def report(play: Play) -> None:
    play.press_next("editor", "Draft the report", "/regulatorreport/add/*")
    play.choose("editor", "#id_form", "pipc")
    play.fill("editor", "#id_authority", "개인정보보호위원회")
    play.press("editor", "[name=_save]", "/regulatorreport/*/change/")
    play.press("editor", "[name=_save]", "/incident/*/page/")
    play.press_next("approver", "File the report", "/file/")
    play.fill("approver", "#id_filed_at", f"{timezone.localtime():%Y-%m-%dT%H:%M}")
    play.fill("approver", "#id_reference", "2026-1234")
    play.press("approver", "input.default", "/regulatorreport/*/change/")
    assert RegulatorReport.objects.get().is_filed


def write(play: Play) -> None:
    play.press_next("editor", "Write the notice", "/statement/add/*")
    play.press("editor", "[name=_save]", "/statementversion/*/change/")
    editor = play.pages["editor"]
    for number, code in enumerate(("ko", "en")):
        play.fill(
            "editor", f"#id_title_{code}", ("유출을 알려드립니다", "Your data leaked")[number]
        )
        for index in range(len(TEXTS)):
            key = editor.locator(f"[name=sections-{index}-key]").input_value()
            play.fill("editor", f"[name=sections-{index}-body_{code}]", TEXTS[key][number])
    play.press("editor", "[name=_continue]", "/statementversion/*/change/")
    expect(editor.locator("#content")).to_contain_text("no objection that blocks publishing")


def publish(play: Play) -> None:
    play.press_next("approver", "Read and publish", "/publish/")
    play.press("approver", "[type=submit][value='Publish for good']", "/change/")
    play.press_next("editor", "Make the incident public", "/incident/*/change/#id_is_public")
    play.check("editor", "#id_is_public")
    play.press("editor", "[name=_save]", "/incident/**")
    assert Incident.objects.get().is_public


def send(play: Play) -> Notice:
    play.press_next("editor", "Draft the notice to all", "/notice/add/*")
    play.press("editor", "[name=_save]", "/notice/*/change/")
    return approve(play)


def approve(play: Play) -> Notice:
    """Approves the notice that waits, and sends it as a worker does. Returns it."""
    play.press_next("approver", "Read and approve", "/approve/")
    approver = play.pages["approver"]
    people = approver.get_by_role("row", name="People", exact=False).first.inner_text()
    play.fill("approver", "input[name=people]", re.sub(r"\D", "", people))
    play.press("approver", "[type=submit][value='Approve and send']", "/notice/*/change/")
    return work(Notice.objects.latest("pk"))


def answer(play: Play) -> None:
    asking = User.objects.create_user("minji@hanbit.example", language="ko")
    correspondence.ask(
        asking,
        Incident.objects.get(),
        kind="question",
        text="언제 유출되었습니까?",
        language="ko",
        key=uuid4(),
    )
    play.press_next("support", "Answer the customers", "/ticket/*")
    play.press("support", ".results tbody a", "/ticket/*/")
    play.press("support", "[value='Look this customer up']", "/affectedperson/")
    play.press("support", ".results tbody a", "/affectedperson/*/")
    play.open("support", desk_url("tickets_ticket_change", Ticket.objects.get().pk))
    play.now.presses += 1
    play.fill("support", "#id_text", "2026년 1월 4일입니다.")
    play.press("support", "#answer input[type=submit]", "/ticket/*/")
    expect(play.pages["support"].locator(".messagelist .success")).to_be_visible()
    assert Ticket.objects.get().state == "answered"


def correct(play: Play) -> Notice:
    play.open("editor", desk_url("statements_statement_changelist"))
    play.press("editor", "#result_list tbody th a", "/statement/*/change/")
    play.press("editor", "[type=submit][value='Draft next version']", "/statementversion/*/change/")
    for code, reason, text in (
        ("ko", "신고한 기관을 더했습니다.", "접근 경로를 차단하고 신고했습니다."),
        ("en", "We added the authority.", "We closed the way in and reported it."),
    ):
        play.fill("editor", f"[name=change_reason_{code}]", reason)
        play.fill("editor", f"[name=sections-4-body_{code}]", text)
    play.press("editor", "[name=_save]", "/incident/*/page/")
    play.press_next("approver", "Read and publish", "/publish/")
    play.press("approver", "[type=submit][value='Publish for good']", "/change/")
    play.press_next("editor", "Tell those who received an earlier", "/statementversion/*/change/")
    tell = "[type=submit][value='Tell those who received an earlier version']"
    play.press("editor", tell, "/notice/*/change/")
    assert StatementVersion.objects.filter(state="published").count() == 2
    return approve(play)
