"""Company sign-on of the team and of customers in a real Chromium, with a real provider."""

import pytest
from playwright.sync_api import expect

from accounts.company_sign_on.identities import CompanyIdentity
from accounts.models import User
from foundations import page_parts
from tests import browser
from tests.accounts.test_team_accounts_browser import check, new_browser
from tests.desk_pages import desk_url
from tests.incidents.test_incident_page_browser import (
    of_live_server,  # noqa: F401
    opened,
)
from tests.oidc_provider import CLIENT, SECRET, provider

pytestmark = pytest.mark.usefixtures("of_live_server")


@pytest.fixture
def sign_on(live_server, settings, tmp_path):
    """Sets up a running provider for both, at the address of the live server."""
    audiences = ("staff", "customers")
    uris = [f"{live_server.url}/sign-on/{each}/callback/" for each in audiences]
    with provider(tmp_path, uris) as issuer:
        values = {
            "issuer": issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "name": "ID 24",  # which is a word of no language
            "may_be_local": True,
            "second_factors": ["mfa"],
        }
        settings.PORTAL_URL = live_server.url
        settings.COMPANY_SIGN_ON = dict.fromkeys(audiences, values)
        page_parts.forget()  # the sign-in page without the button
        yield
    page_parts.forget()


def go_to_provider(page, name: str) -> None:
    page.locator("main a[href*='/sign-in/company/']").click()
    page.wait_for_url("**/sign-in/?next=/authorize/**")
    page.locator("input[name=as]").fill(name)
    page.locator("button").click()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.usefixtures("sign_on")
def test_customers_and_the_team_sign_in_with_the_company(live_server, language):
    User.objects.create_user("member@example.com", is_staff=True, language=language)
    sign_in_page = f"{live_server.url}/{language}/account/sign-in/"
    with browser.chromium() as chromium, new_browser(chromium, language, 390) as page:
        page.goto(sign_in_page)
        check(page, "company-sign-on-offer", language, "main")
        go_to_provider(page, "customer+unverified")
        page.wait_for_url("**/sign-on/customers/callback/**")
        check(page, "company-sign-on-refused", language, "main")
        page.locator("main .actions a").click()
        page.wait_for_url(f"{sign_in_page}**")

        page.context.clear_cookies()
        page.goto(sign_in_page)
        go_to_provider(page, "customer")
        page.wait_for_url(f"**/{language}/my-data/**")

        page.context.clear_cookies()
        page.goto(f"{sign_in_page}?next={desk_url('index')}")
        go_to_provider(page, "member+mfa")
        page.wait_for_url(f"**/{language}/account/sign-in/company/connect/")
        check(page, "company-sign-on-connect", language, "main")
        page.locator("main form button").click()
        page.wait_for_url("**" + desk_url("index"))


@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
def test_a_superuser_removes_a_connection(live_server, editor, approver, language, width):
    values = {"issuer": "24", "subject": "1"}  # words of no language
    identity = CompanyIdentity.objects.create(user=approver, **values)
    page_url = live_server.url + desk_url("accounts_companyidentity_change", identity.pk)
    with (
        browser.chromium() as chromium,
        opened(chromium, live_server, editor, language, width) as page,
    ):
        page.goto(live_server.url + desk_url("accounts_companyidentity_changelist"))
        check(page, "company-accounts", language)
        page.goto(page_url)
        check(page, "company-account", language)
        page.locator("form[action$='/remove/'] input[name=reason]").fill("24")
        page.locator("form[action$='/remove/'] input[type=submit]").click()
        expect(page.locator(".messagelist .success")).to_be_visible()
        expect(page.locator("form[action$='/remove/']")).to_have_count(0)
