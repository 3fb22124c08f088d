"""docs/how-to/add-a-language.md: its steps, followed in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-language.md").read_text(encoding="utf-8")
NAME, FORMATS = re.findall(r"^```python\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
[CATALOGUE] = re.findall(r"^```po\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LEFT_OUT = shutil.ignore_patterns(".*", "var", "staticfiles", "__pycache__", "node_modules")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the repository with steps 1 to 3 done."""
    copy = tmp_path_factory.mktemp("language") / "repository"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    module = copy / "breachportal" / "settings.py"
    text = module.read_text(encoding="utf-8")
    text = text.replace("SHIPPED_LANGUAGES = {\n", f"SHIPPED_LANGUAGES = {{\n{NAME}")
    module.write_text(text, encoding="utf-8")

    formats = copy / "breachportal" / "formats" / "it"
    formats.mkdir()
    (formats / "__init__.py").touch()
    (formats / "formats.py").write_text(FORMATS, encoding="utf-8")

    catalogue = copy / "locale" / "it" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    compiler = [sys.executable, "-m", "babel.messages.frontend", "compile"]
    subprocess.run([*compiler, "-d", "locale", "-D", "django"], cwd=copy, check=True)
    return copy


@pytest.fixture
def run(copy, tmp_path):
    """Runs Python with the code of the copy, on the database of the test."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    server = {key: connection.settings_dict[name] for key, name in names.items()}
    given = {key: value for key, value in server.items() if value}
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "breachportal.settings",
        "BREACHPORTAL_MODE": "development",
        "PORTAL_LANGUAGES": "ko,en,it",
        "BREACHPORTAL_VAR": str(tmp_path),
        "DATABASE_URL": make_conninfo(dbname=connection.settings_dict["NAME"], **given),
        "REDIS_URL": settings.REDIS_URL,
    }

    def run(script: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{script}"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


SHOW = """
from django.test import Client
print(Client().get({path!r}, HTTP_HOST="localhost").content.decode())
"""


def test_a_page_has_the_words_of_the_catalogue(run):
    page = run(SHOW.format(path="/it/account/sign-in/"))
    [heading] = re.findall(r"heading \*(.+?)\*", PAGE)
    assert f"<h1>{heading}</h1>" in page
    assert '<html lang="it">' in page
    assert "Send me a code" in page  # without a translation


def test_every_page_links_to_the_language(run):
    page = run(SHOW.format(path="/ko/account/sign-in/"))
    assert 'value="it" lang="it"' in page
    assert "Italiano" in page
    assert '<html lang="ko">' in page


def test_a_text_without_the_language_appears_in_english(run, coupang):
    page = run(SHOW.format(path=f"/it/incidents/{coupang.slug}/"))
    assert coupang.title.get("en") in page


def test_dates_have_the_format_of_the_language(run):
    script = (
        "from datetime import date\n"
        "from django.utils.formats import date_format\n"
        "from django.utils.translation import override\n"
        "with override('it'): print(date_format(date(2025, 11, 18)))"
    )
    assert run(script) == "18 Novembre 2025\n"


def test_a_version_is_published_in_the_language(run, incident, editor, approver):
    script = f"""
from accounts.models import User
from django.db import transaction
from incidents.models import Incident
from statements import publishing
from statements.models import Statement

with transaction.atomic():
    incident = Incident.objects.get(pk={incident.pk})
    incident.languages = ["it", "en"]
    incident.default_language = "it"
    incident.save()
    apology = Statement.objects.create(incident=incident, kind="apology", slug="apology")
    draft = publishing.draft_next(apology, by=User.objects.get(pk={editor.pk}))
    draft.title = {{"en": "Sorry"}}
    draft.save()
    print([finding.rule for finding in publishing.draft_findings(draft)])
    draft.title |= {{"it": "Ci scusiamo"}}
    draft.save()
    draft.sections.update(body={{"it": "Chiediamo scusa", "en": "We are sorry"}})
    print([finding.rule for finding in publishing.draft_findings(draft)])
    version = publishing.publish(draft, by=User.objects.get(pk={approver.pk}))
    print(version.title.in_language("it"))
    transaction.set_rollback(True)
"""
    missing, complete, title = run(script).splitlines()
    assert "language" in missing
    assert complete == "['no_rules']"
    assert title == "Ci scusiamo"


def test_no_migration_is_needed(run):
    script = "from django.core.management import call_command\n"
    run(script + "call_command('makemigrations', '--check', '--dry-run')")


def test_the_page_names_existing_files():
    for path in re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE):
        assert (ROOT / path).exists(), path
