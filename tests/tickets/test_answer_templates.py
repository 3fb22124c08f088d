"""The answer templates that ship: in each language, stored once, and never sent as they are."""

import json
from io import StringIO
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command

from harness.sign_in import sign_in_to_desk
from statements.wording import lint
from tests.desk_pages import desk_url, page_text
from tickets import correspondence
from tickets.models import AnswerTemplate
from tickets.shipped_templates import PLACEHOLDER, shipped_templates

pytestmark = pytest.mark.django_db
LANGUAGES = [code for code, _name in settings.SHIPPED_LANGUAGES.items()]


def load(*words: str) -> str:
    out = StringIO()
    call_command("load_answer_templates", *words, stdout=out)
    return out.getvalue()


def test_each_template_has_a_name_for_the_team_and_a_text_in_each_language():
    for template in shipped_templates():
        assert template.name.missing(settings.DESK_LANGUAGES) == []
        assert template.text.missing(LANGUAGES) == []
        places = {template.text.get(code).count(PLACEHOLDER) for code in LANGUAGES}
        assert len(places) == 1, template.name


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_texts_pass_the_wording_check(language):
    for template in shipped_templates():
        found = lint(
            template.text.get(language), language=language, is_mandatory=False,
            involved_classes=[], other_classes=[], own_domains=[], basis="company",
        )  # fmt: skip
        assert [each for each in found if each.blocks] == []


def test_they_are_stored_once_and_a_changed_one_stays():
    assert "4 answer templates stored." in load("--names", "ko")
    first = AnswerTemplate.objects.get(name="접수 안내")
    first.text = {"en": "Our own words.", "ko": "우리 글."}
    first.save()
    assert json.loads(load("--json")) == {"stored": []}
    first.refresh_from_db()
    assert first.text.get("en") == "Our own words."
    assert AnswerTemplate.objects.count() == 4


def test_a_template_is_offered_in_the_customers_language_and_not_sent_as_it_is(
    client, team, minji, incident
):
    load()
    ticket = correspondence.ask(
        minji, incident, kind="access", text="무엇이 있습니까?", language="ko", key=uuid4()
    )
    sign_in_to_desk(client, team["support"])
    template = AnswerTemplate.objects.get(name="Refused: the reason, and where to complain")
    address = desk_url("tickets_ticket_change", ticket.pk)
    page = page_text(client.get(address, {"template": template.pk}))
    assert "개인정보 분쟁조정위원회" in page
    text = template.text.get("ko")
    refused = client.post(address, {"text": text, "read": "1"})
    assert "Replace each […] with your own words." in page_text(refused)
    assert not ticket.messages.filter(kind="answer").exists()
    client.post(address, {"text": text.replace(PLACEHOLDER, "법에 따른 보관"), "read": "1"})
    assert ticket.messages.filter(kind="answer").exists()
