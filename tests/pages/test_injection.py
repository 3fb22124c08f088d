"""What a visitor or a member of the team types is data: in pages, headers, searches, templates."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.sign_in import ask_for_code, enter_code, newest_code
from incidents.models import Incident
from notices.models import Notice

pytestmark = pytest.mark.django_db
MARKUP = '"><script>alert(1)</script>'
SQL = ["'", "' OR '1'='1", "'); DROP TABLE accounts_user; --", "%", "\\"]
SQL += ["\x00", "{{7*7}}", "${7*7}"]
SPLIT = "/en/my-data/\r\nSet-Cookie: stolen=1"


@pytest.mark.parametrize("url", ["account_login", "message_check_answer"])
def test_markup_that_is_typed_is_shown_as_typed(client, url):
    page = client.post(reverse(url), {"email": MARKUP, "text": MARKUP}).content.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize("target", [SPLIT, "//evil.example/", "https://evil.example/", "js:x"])
def test_the_next_page_adds_no_header_and_leads_to_no_other_site(client, target):
    ask_for_code(client, "minji@example.com", next=target)
    response = enter_code(client, newest_code())
    assert response.status_code == 302
    assert response["Location"].startswith("/")
    assert not response["Location"].startswith("//")
    assert "stolen" not in response.cookies
    assert "\n" not in response["Location"]


@pytest.mark.parametrize("name", ["accept-language", "user-agent", "referer", "cookie"])
def test_a_header_of_the_visitor_does_not_come_back_as_markup(name):
    for path in ("/en/account/sign-in/", "/en/nothing/"):
        page = Client(headers={name: MARKUP}).get(path).content.decode()
        assert "<script>alert" not in page


@pytest.mark.parametrize("text", SQL)
@pytest.mark.parametrize("model", [User, Incident, Notice])
def test_a_search_on_the_desk_finds_the_text_and_executes_nothing(editors_desk, model, text):
    url = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
    people = User.objects.count()
    response = editors_desk.get(url, {"q": text}, follow=True)
    assert response.status_code == 200
    assert User.objects.count() == people
    assert "49" not in str(response.context["cl"].query)


@pytest.mark.parametrize("text", ["{{ request.user }}", "{% now 'Y' %}", "{{7*7}}"])
def test_a_template_that_is_typed_is_text(client, text):
    page = client.post(reverse("message_check_answer"), {"text": text}).content.decode()
    assert "49" not in page.partition("<main")[2].partition("</main")[0]
    assert "AnonymousUser" not in page
