"""docs/how-to/add-a-desk-page.md: its code is added as a desk page, and a role opens it."""

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import path, reverse

from accounts.models import User
from foundations import page_extensions
from harness.sign_in import sign_in_to_desk

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-desk-page.md").read_text(encoding="utf-8")
LINK = ">Request a notice</a>"


def files() -> dict[str, str]:
    """Returns {file that the first line names: content} of the code blocks."""
    blocks = re.findall(r"```\w+\n(?:#|\{#) (\S+)(?: #\})?\n?(.*?)```", PAGE, re.DOTALL)
    return dict(blocks)


@pytest.fixture
def _page(monkeypatch, settings, tmp_path):
    """The desk page, added to this process and not to the repository."""
    registry, before = admin.site._registry, dict(admin.site._registry)
    registered = {point: [*names] for point, names in page_extensions.extensions().items()}
    monkeypatch.setattr(page_extensions, "_templates", registered)
    for name, content in files().items():
        if name.startswith("templates/"):
            template = tmp_path / name
            template.parent.mkdir(parents=True, exist_ok=True)
            template.write_text(content, encoding="utf-8")
        elif name == "notices/apps.py":
            exec(content, {"page_extensions": page_extensions})  # noqa: S102
        else:
            module = ModuleType(name.removesuffix(".py").replace("/", "."))
            monkeypatch.setitem(sys.modules, module.__name__, module)
            exec(content, vars(module))  # noqa: S102
    first = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**first, "DIRS": [*first["DIRS"], tmp_path / "templates"]}]
    urls = ModuleType("urls_with_the_page")
    portal = import_module(settings.ROOT_URLCONF).urlpatterns
    vars(urls)["urlpatterns"] = [path("admin/", admin.site.urls), *portal]
    monkeypatch.setitem(sys.modules, urls.__name__, urls)
    settings.ROOT_URLCONF = urls.__name__
    yield
    registry.clear()
    registry.update(before)


@pytest.fixture
def desk(client):
    """A function that signs a staff user with the given role in; returns the client."""

    def open_desk(role: str):
        user = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        sign_in_to_desk(client, user)
        return client

    return open_desk


def test_the_page_names_every_file_that_it_adds():
    assert set(files()) == {
        "notices/forms/requests.py",
        "notices/admin/incidents.py",
        "templates/admin/notices/incident/request.html",
        "templates/notices/extensions/request_tool.html",
        "notices/apps.py",
    }


@pytest.mark.usefixtures("_page")
def test_a_role_with_the_right_finds_the_page_and_leaves_an_audit_entry(desk, incident):
    browser = desk("editor")
    change = reverse("admin:incidents_incident_change", args=[incident.pk])
    address = reverse("admin:incidents_incident_request_notice", args=[incident.pk])
    html = browser.get(change).content.decode()
    assert LINK in html
    assert address in html
    assert 'name="reason"' in browser.get(address).content.decode()

    response = browser.post(address, {"reason": "The address of the call centre changed."})
    assert response.status_code == 302
    assert response["Location"] == change
    entry = LogEntry.objects.get(object_id=str(incident.pk))
    assert entry.user.email == "editor@hanbit.example"
    assert "The address of the call centre changed." in entry.change_message


@pytest.mark.usefixtures("_page")
def test_a_role_without_the_right_is_refused_and_reads_who_has_it(desk, incident):
    browser = desk("support")
    change = reverse("admin:incidents_incident_change", args=[incident.pk])
    address = reverse("admin:incidents_incident_request_notice", args=[incident.pk])
    assert LINK not in browser.get(change).content.decode()
    for response in (browser.get(address), browser.post(address, {"reason": "None."})):
        assert response.status_code == 403
        assert "editor" in response.content.decode()
    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("_page")
def test_a_customer_gets_no_page_at_all(client, minji, incident):
    client.force_login(minji)
    address = reverse("admin:incidents_incident_request_notice", args=[incident.pk])
    assert client.get(address).status_code == 404
