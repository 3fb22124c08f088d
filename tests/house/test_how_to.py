"""The pages of docs/how-to: each test follows a page with the page's own examples."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import GRANT_JOINS_FOR
from harness.product import ROOT
from harness.sign_in import sign_in_to_desk
from incidents.importing import loading
from incidents.models import DataClass, IncidentDataClass, IncidentJurisdiction
from statements import publishing
from statements.legal import laws
from statements.models import Statement

pytestmark = pytest.mark.django_db

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def page(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def input_names(form) -> Iterator[str]:
    """Yields the names of a form's inputs; a text has one for each language."""
    for name, field in form.fields.items():
        languages = getattr(field.widget, "languages", None)
        yield from [f"{name}_{code}" for code in languages] if languages else [name]


def block(text: str, language: str) -> str:
    """Returns the only code block of the page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def test_every_page_is_short_and_tested():
    tests = "".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    for path in PAGES.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 70, path.name
        assert f'"{path.name}"' in tests, path.name


def test_a_data_class_is_added_at_the_desk_and_shown_masked(
    client, editor, minji, incident, tmp_path
):
    text = page("add-a-data-class.md")
    fields = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    fields = {name: "" if value == "(empty)" else value for name, value in fields.items()}
    sign_in_to_desk(client, editor)
    form = client.get("/admin/incidents/dataclass/add/").context["adminform"].form
    assert fields.keys() == set(input_names(form)) - {"is_one_each"}
    response = client.post("/admin/incidents/dataclass/add/", fields)
    assert response.status_code == 302, response.context["adminform"].form.errors
    added = DataClass.objects.get(slug=fields["slug"])

    dump = tmp_path / "cards.csv"
    dump.write_text(block(text, "csv"), encoding="utf-8")
    loading.import_file(dump, incident=incident, mapping_text=block(text, "toml"))
    IncidentDataClass.objects.create(
        incident=incident, data_class=added, state="involved", basis="company"
    )

    customer = Client()
    customer.force_login(minji)
    with override("en"):
        shown = customer.get(reverse("my_data")).content.decode()
    assert f"1\u00a0{fields['unit_en']}" in shown
    assert fields["actions_en"] in shown
    (masked,) = re.findall(r"masked: `(.*?)` for the row above", text)
    assert masked in shown
    assert "9410 2288" not in shown


@pytest.fixture
def _laws_of_its_own(tmp_path, monkeypatch):
    """Uses a copy of the folder of laws, so that the test can add a file."""
    for path in laws.LEGAL.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(laws, "LEGAL", tmp_path)


@pytest.mark.usefixtures("_laws_of_its_own")
def test_a_law_is_added_as_a_file_and_blocks_publishing(incident, editor, approver):
    text = page("add-a-law.md")
    (name,) = re.findall(r"such as `statements/legal/(.*?\.toml)`", text)
    (laws.LEGAL / name).write_text(block(text, "toml"), encoding="utf-8")
    with pytest.raises(SystemCheckError, match=r"do not name the same: XX"):
        call_command("check")

    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="XX")
    names = DataClass.objects.get(slug="names")
    IncidentDataClass.objects.create(
        incident=incident, data_class=names, state="involved", basis="company"
    )
    notice = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    draft = publishing.draft_next(notice, by=editor)
    draft.title = {"ko": "유출 통지", "en": "Notice of a leak"}
    draft.save()
    draft.sections.update(body={"ko": "이름이 유출되었습니다.", "en": "Names leaked."})
    section = draft.sections.get(
        key="likely_consequences"
    )  # a new draft has it, because the law requires it

    draft.sections.filter(pk=section.pk).delete()
    with override("en"), pytest.raises(publishing.PublishingRefusedError) as refusal:
        publishing.publish(draft, by=approver)
    assert [one.rule for one in refusal.value.findings] == ["xx-likely-consequences"]
    assert "Section 12(3)" in str(refusal.value.findings[0].why)

    section.save(force_insert=True)
    assert publishing.publish(draft, by=approver).is_published


def test_the_page_about_the_team_states_the_times_that_hold():
    text = page("look-after-the-team.md")
    assert f"for {settings.INVITATION_HOURS} hours" in text
    assert f"without work ({settings.DESK_IDLE_MINUTES})" in text
    hours = GRANT_JOINS_FOR // timedelta(hours=1)
    assert f"count as one person for {hours} hours" in text
