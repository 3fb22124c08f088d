"""An importer saves the meanings of columns under a name, and chooses them for another file."""

# ruff: noqa: F811  the fixtures of another module are parameters

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import AuditEntry
from incidents import saved_mappings
from incidents.importing import mapping
from incidents.models import Incident, SavedMapping, Upload
from incidents.purging import run as purge
from tests.desk_pages import page_text
from tests.importing.test_choose_columns import (  # noqa: F401  fixtures
    LANGUAGES,
    MEMBERS,
    desk,
    form_of,
    importer,
    places,
    uploaded,
    url,
    worked,
)

pytestmark = pytest.mark.django_db
HEADER, OTHER_HEADER = "회원번호,이름,메일,휴대폰,주소,등급", "회원 번호,이름,메일,연락처,주소,메모"
OTHER = MEMBERS.replace(HEADER.encode(), OTHER_HEADER.encode())


def saved(desk, incident: Incident, **choices: Any) -> SavedMapping:
    """Saves the choices of an upload under the name "members", with some changes."""
    upload = uploaded(desk, incident)
    data = form_of(desk, upload) | {"name": "members"} | choices
    assert desk.post(url("columns", upload), data).status_code == 302
    return SavedMapping.objects.get()


def chosen(desk, upload: Upload, one: SavedMapping) -> Any:
    """Returns the page of the columns with the choices of a saved mapping."""
    return desk.get(url("columns", upload), {"saved": one.pk})


def words(response: Any) -> str:
    """Returns the text of a page without its elements."""
    return " ".join(strip_tags(page_text(response)).split())


def columns(response: Any) -> list[str]:
    form = response.context["form"]
    return [form[name].value() for name in form.fields if name.startswith("column-")]


def test_a_file_with_the_same_columns_is_chosen_as_in_the_saved_mapping(desk, incident, importer):
    one = saved(
        desk, incident, **{"column-4": "class:delivery-notes", "leaked": ["email"], "region": "JP"}
    )
    assert one.by == importer
    upload = uploaded(desk, incident, MEMBERS + b"\n")
    assert columns(desk.get(url("columns", upload)))[4] == "class:physical-addresses"  # the guess

    page = chosen(desk, upload, one)
    assert columns(page)[4] == "class:delivery-notes"
    assert "It has the same columns as this file." in page_text(page)
    data = {b.html_name: b.value() for b in page.context["form"] if b.value() not in (None, False)}
    address = f"{url('columns', upload)}?saved={one.pk}"
    assert desk.post(address, data).status_code == 302
    upload.refresh_from_db()
    found = mapping.parse(upload.mapping, name="mapping")
    assert (set(found.person.contact_leaked), found.region) == ({"email"}, "JP")
    assert [leak.data_class for leak in found.leaked] == ["delivery-notes"]


def test_columns_that_lack_and_further_ones_are_named_and_guessed(desk, incident):
    one = saved(desk, incident, **{"column-1": ""})
    upload = uploaded(desk, incident, OTHER)
    page = chosen(desk, upload, one)
    assert "This file lacks columns of the mapping: 휴대폰" in words(page)
    assert "what is chosen for them is a guess: 연락처, 메모" in words(page)
    assert "columns: 3 fit, 1 lacking, 2 more" in words(page)
    # 회원 번호 is the 회원번호 of the mapping, as an import compares names.
    assert columns(page) == ["reference", "", "email", "phone", "class:physical-addresses", ""]
    upload.refresh_from_db()
    assert upload.mapping == ""  # nothing is chosen before the form is sent


def test_a_meaning_that_does_not_exist_any_more_is_named_and_not_chosen(desk, incident):
    one = saved(desk, incident)
    stored = json.loads(one.choices)
    stored["roles"]["주소"], stored["roles"]["등급"] = "class:of-old", "date of:purchases"
    SavedMapping.objects.update(choices=json.dumps(stored))
    upload = uploaded(desk, incident, MEMBERS + b"\n")
    page = chosen(desk, upload, one)
    assert "so nothing is chosen: 주소, 등급" in words(page)
    assert columns(page)[4:] == ["", ""]


def test_a_name_is_replaced_only_with_a_tick(desk, incident):
    one = saved(desk, incident)
    upload = uploaded(desk, incident, MEMBERS + b"\n")
    data = form_of(desk, upload) | {"name": "Members", "column-4": ""}
    page = page_text(desk.post(url("columns", upload), data))
    assert "A mapping of this name exists." in page
    upload.refresh_from_db()
    assert (upload.state, upload.mapping) == (Upload.State.TO_MAP, "")
    assert desk.post(url("columns", upload), data | {"replaces": "on"}).status_code == 302
    again = SavedMapping.objects.get()
    assert (again.pk, again.name) == (one.pk, "members")
    assert "주소" not in saved_mappings.columns_of(again)


def test_nothing_is_saved_of_columns_that_are_refused(desk, incident):
    upload = uploaded(desk, incident)
    data = form_of(desk, upload) | {"name": "members", "column-5": "reference"}
    assert desk.post(url("columns", upload), data).status_code == 200
    Upload.objects.update(state=Upload.State.CHECKING)
    desk.post(url("columns", upload), form_of_nothing() | {"name": "members"})
    assert not SavedMapping.objects.exists()


def form_of_nothing() -> dict[str, Any]:
    return {"relation": "member", "column-0": "reference", "column-2": "email"}


def test_no_value_of_a_cell_is_kept(desk, incident):
    upload = uploaded(desk, incident, LANGUAGES)
    data = form_of(desk, upload) | {"column-3": "language", "language-3-0": "en"}
    assert desk.post(url("columns", upload), data | {"name": "languages"}).status_code == 302
    one = SavedMapping.objects.get()
    assert saved_mappings.choices_of(one).languages == {}
    for value in ("김민지", "minji", "example.com", '"fr"'):
        assert value not in one.choices
    page = chosen(desk, worked(upload), one)
    assert "decide" in page_text(page)  # each file asks


def test_it_is_renamed_and_deleted_with_a_confirmation_and_both_are_in_the_trail(desk, incident):
    one = saved(desk, incident)
    change = reverse("admin:incidents_savedmapping_change", args=[one.pk])
    assert 'reference = "회원번호"' in page_text(desk.get(change))
    assert desk.post(change, {"name": "members of 2026"}).status_code == 302
    one.refresh_from_db()
    assert one.name == "members of 2026"
    delete = reverse("admin:incidents_savedmapping_delete", args=[one.pk])
    assert "members of 2026" in page_text(desk.get(delete))
    assert SavedMapping.objects.exists()
    desk.post(delete, {"post": "yes"})
    assert not SavedMapping.objects.exists()
    trail = AuditEntry.objects.filter(object_type="incidents_savedmapping", object_id=str(one.pk))
    kinds = [entry.kind for entry in trail.order_by("pk") if "name" in entry.details]
    assert kinds == ["added", "changed", "deleted"]

    upload = uploaded(desk, incident, MEMBERS + b"\n")
    page = chosen(desk, upload, one)
    assert "does not exist any more" in page_text(page)
    assert columns(page)[4] == "class:physical-addresses"


def test_another_mapping_of_the_same_name_is_refused(desk, incident, importer):
    one = saved(desk, incident)
    saved_mappings.save("orders", saved_mappings.choices_of(one), by=importer, replaces=False)
    change = reverse("admin:incidents_savedmapping_change", args=[one.pk])
    assert "Another mapping has this name." in page_text(desk.post(change, {"name": "ORDERS"}))


def test_the_command_reads_its_file(desk, incident, tmp_path, capsys):
    one = saved(desk, incident)
    answer = desk.get(reverse("admin:incidents_savedmapping_file", args=[one.pk]))
    assert 'filename="members.toml"' in answer["Content-Disposition"]
    (tmp_path / "members.toml").write_bytes(answer.content)
    (tmp_path / "members.csv").write_bytes(MEMBERS)
    words = ["--incident", incident.slug, "--mapping", str(tmp_path / "members.toml"), "--check"]
    call_command("import_exposures", str(tmp_path / "members.csv"), *words)
    assert "can be taken 20" in capsys.readouterr().out


def test_it_stays_when_the_incident_is_purged(desk, incident):
    one = saved(desk, incident)
    incident.shred()
    purge(incident)
    assert SavedMapping.objects.get() == one


def test_who_may_not_save_mappings_is_not_asked_for_a_name(desk, incident, importer):
    rights = importer.groups.get().permissions
    rights.remove(*rights.filter(codename__endswith="savedmapping"))
    upload = uploaded(desk, incident)
    page = desk.get(url("columns", upload))
    assert "name" not in page.context["form"].fields
    data = form_of(desk, upload) | {"name": "members"}
    assert desk.post(url("columns", upload), data).status_code == 302
    assert not SavedMapping.objects.exists()
