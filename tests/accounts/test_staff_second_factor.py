"""The response desk opens only with a second factor shown in the same session."""

import time
from typing import Any, cast

import pytest
import redis
import tink
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User, VerifiedPhone
from breachportal.demo.app_codes import code_at
from harness.sign_in import (
    give_app,
    give_recovery_codes,
    newest_code,
    sign_in,
    sign_in_to_desk,
    step_up,
)
from tests.desk_pages import say_why

pytestmark = pytest.mark.django_db

DESK = ["/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/", "/admin/jsi18n/"]
PAGES = ["mfa_activate_totp", "mfa_add_webauthn"]  # of the set-up of a second factor


def totp_code(secret: str) -> str:
    return code_at(secret, time.time())


@pytest.fixture
def secret(editor) -> str:
    """The secret in the editor's authenticator app."""
    return give_app(editor)


@pytest.mark.parametrize("path", DESK)
def test_an_anonymous_user_is_asked_to_sign_in(client, path):
    response = client.get(path, follow=True)
    assert response.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert 'type="password"' not in response.content.decode()


@pytest.mark.parametrize("path", [*DESK, "/admin/login/", "/admin/logout/"])
def test_a_customer_gets_not_found(client, minji, path):
    client.force_login(minji)
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_a_customer_with_a_second_factor_gets_not_found(client, minji):
    sign_in_to_desk(client, minji)
    assert client.get("/admin/").status_code == 404


@pytest.mark.parametrize("path", DESK)
def test_staff_without_a_second_factor_are_led_to_set_one_up(client, editor, path):
    sign_in(client, editor.email)
    response = client.get(path)
    assert response.status_code == 302
    assert client.get(response.url).url.startswith(reverse("mfa_activate_totp"))
    assert client.post("/admin/accounts/user/add/", {"email": "x@example.com"}).status_code == 302
    assert User.objects.count() == 1


def test_setting_up_an_app_opens_the_desk_and_shows_recovery_codes(client, editor):
    sign_in(client, editor.email)
    page = client.get(reverse("mfa_activate_totp"))
    assert "data:image/svg+xml;base64," in page.content.decode()
    secret = page.context["form"].secret
    response = client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})
    assert response.url == reverse("mfa_view_recovery_codes")
    page = client.get(response.url).content.decode()
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 10
    assert all(code in page for code in codes)
    assert client.get("/admin/").status_code == 200


def test_a_wrong_code_sets_nothing_up(client, editor):
    sign_in(client, editor.email)
    client.get(reverse("mfa_activate_totp"))
    assert client.post(reverse("mfa_activate_totp"), {"code": "000"}).status_code == 200
    assert not Authenticator.objects.exists()
    assert client.get("/admin/").status_code == 302


def test_an_old_open_session_needs_a_fresh_code_to_set_one_up(client, editor, monkeypatch):
    sign_in(client, editor.email)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 301)
    response = client.get(reverse("mfa_activate_totp"))
    assert response.url.startswith(reverse("step_up"))
    step_up(client, editor)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_person_has_half_an_hour_to_install_an_app(client, editor, monkeypatch, page):
    sign_in(client, editor.email)
    assert client.get(reverse(page)).status_code == 200
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 29 * 60)
    assert client.post(reverse(page), {"code": "000"}).status_code == 200  # no digits of the app
    monkeypatch.setattr("time.time", lambda: now + 31 * 60)
    assert client.post(reverse(page), {"code": "000"}).url.startswith(reverse("step_up"))


def test_an_app_that_is_installed_first_is_set_up_with_the_key_on_the_page(
    client, editor, monkeypatch
):
    sign_in(client, editor.email)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 20 * 60)
    response = client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})
    assert response.url == reverse("mfa_view_recovery_codes")
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("opened", [[], *([page] for page in PAGES)])
def test_a_set_up_page_that_was_not_open_takes_nothing(client, editor, monkeypatch, opened):
    sign_in(client, editor.email)
    for page in opened:
        assert client.get(reverse(page)).status_code == 200
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 301)
    for page in {*PAGES} - {*opened}:
        response = client.post(reverse(page), {"code": "000"})
        assert response.url.startswith(reverse("step_up")), page


def test_staff_with_an_app_are_asked_for_it_at_sign_in(client, editor, secret):
    response = sign_in(client, editor.email, next="/admin/accounts/user/")
    assert response.url == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/").status_code == 302
    assert client.get(reverse("account")).status_code == 302
    assert 'inputmode="numeric"' in client.get(response.url).content.decode()
    response = client.post(response.url, {"code": totp_code(secret)})
    assert response.url == "/admin/accounts/user/"
    assert client.get(response.url).status_code == 200


def test_a_recovery_code_works_once(editor, secret):
    code = give_recovery_codes(editor)[0]
    for status in (302, 200):
        browser = Client()
        sign_in(browser, editor.email)
        assert browser.post(reverse("mfa_authenticate"), {"code": code}).status_code == status


def test_a_wrong_app_code_gives_no_access(client, editor, secret):
    sign_in(client, editor.email)
    response = client.post(reverse("mfa_authenticate"), {"code": "abc"})
    assert response.status_code == 200
    assert response.context["form"].errors["code"]
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/").status_code == 302


def test_guesses_at_the_app_code_are_limited(client, editor, secret):
    sign_in(client, editor.email)
    for _ in range(5):
        client.post(reverse("mfa_authenticate"), {"code": "abc"})
    response = client.post(reverse("mfa_authenticate"), {"code": totp_code(secret)})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_guess_leaves_no_network_address_in_redis(editor, secret):
    visitor = Client(REMOTE_ADDR="203.0.113.7")
    sign_in(visitor, editor.email)
    visitor.post(reverse("mfa_authenticate"), {"code": "123456"})
    names = redis.Redis.from_url(settings.REDIS_URL).keys("*login_failed*")
    assert names
    assert "203.0.113.7" not in str(names)


def test_an_app_code_works_once_as_long_as_it_is_good(editor, secret, monkeypatch):
    start = (time.time() // 30) * 30
    monkeypatch.setattr("time.time", lambda: start)
    code = code_at(secret, start + 30)  # valid for 90 seconds
    for later, status in ((0, 302), (59, 200)):
        monkeypatch.setattr("time.time", lambda later=later: start + later)
        _delete_keys_that_expire_within(later)
        browser = Client()
        sign_in(browser, editor.email)
        answer = browser.post(reverse("mfa_authenticate"), {"code": code})
        assert answer.status_code == status


def _delete_keys_that_expire_within(seconds: int) -> None:
    """Deletes keys that expire within `seconds`, because tests cannot move the clock of Redis."""
    redis = cast("Any", cache)._cache.get_client()
    for key in redis.keys("*"):
        if redis.ttl(key) <= seconds:
            redis.delete(key)


def test_the_code_that_set_the_app_up_is_used(client, editor):
    sign_in(client, editor.email)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    code = totp_code(secret)
    client.post(reverse("mfa_activate_totp"), {"code": code})
    for name in ("mfa_authenticate", "mfa_reauthenticate"):
        browser = Client()
        if name == "mfa_authenticate":
            sign_in(browser, editor.email)
        else:
            browser.force_login(editor)
        assert browser.post(reverse(name), {"code": code}).status_code == 200


def test_an_unfinished_sign_in_can_be_cancelled(client, editor, secret):
    sign_in(client, editor.email)
    response = client.post(reverse("account_logout"), {"next": reverse("account_login")})
    assert response.url == reverse("account_login")
    assert client.get(reverse("mfa_authenticate")).url == reverse("account_login")


def test_a_session_from_before_the_set_up_is_asked_for_the_app(client, editor, secret):
    client.force_login(editor)
    response = client.get("/admin/", follow=True)
    url = response.redirect_chain[-1][0]
    assert url.startswith(reverse("mfa_reauthenticate"))
    assert client.post(url, {"code": totp_code(secret)}).url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_step_up_code_does_not_show_the_recovery_codes(client, editor, secret):
    give_recovery_codes(editor)
    client.force_login(editor)
    step_up(client, editor)
    response = client.get(reverse("mfa_view_recovery_codes"))
    assert response.url.startswith(reverse("mfa_reauthenticate"))


def test_removing_the_app_needs_the_app(client, editor, secret):
    client.force_login(editor)
    step_up(client, editor)
    response = client.post(reverse("mfa_deactivate_totp"))
    assert response.url.startswith(reverse("mfa_reauthenticate"))
    assert Authenticator.objects.exists()


def test_the_pages_of_the_second_step_open(client, editor, secret):
    give_recovery_codes(editor)
    client.force_login(editor)
    assert client.get(reverse("mfa_reauthenticate")).status_code == 200
    client.post(reverse("mfa_reauthenticate"), {"code": totp_code(secret)})
    for name in (
        "mfa_index",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_deactivate_totp",
        "mfa_download_recovery_codes",
        "account",
    ):
        assert client.get(reverse(name)).status_code == 200, name


@pytest.mark.parametrize("name", ["mfa_index", "mfa_activate_totp", "mfa_view_recovery_codes"])
def test_customers_have_no_second_step(client, minji, name):
    client.force_login(minji)
    step_up(client, minji)
    assert client.get(reverse(name)).status_code == 404


def test_the_desk_has_no_passwords(client, editor):
    sign_in_to_desk(client, editor)
    assert client.get("/admin/password_change/").status_code == 404
    page = client.get(f"/admin/accounts/user/{editor.pk}/change/").content.decode()
    assert "password" not in page


def test_the_desk_names_the_second_factor_in_korean(client, editor):
    User.objects.filter(pk=editor.pk).update(is_superuser=True)
    sign_in_to_desk(client, editor)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    page = client.get("/admin/").content.decode()
    assert "2단계 인증 수단" in page
    assert "Authenticators" not in page


def test_a_user_who_is_no_longer_staff_loses_access_at_once(client, editor):
    sign_in_to_desk(client, editor)
    assert client.get("/admin/").status_code == 200
    User.objects.filter(pk=editor.pk).update(is_staff=False)
    assert client.get("/admin/").status_code == 404


def test_leaving_the_desk_signs_out(client, editor):
    sign_in_to_desk(client, editor)
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/admin/").status_code == 302
    assert client.get(reverse("account")).status_code == 302


@pytest.mark.parametrize("model", ["accounts/user", "accounts/verifiedphone", "mfa/authenticator"])
def test_no_list_has_a_search_field(client, editor, model):
    sign_in_to_desk(client, editor)
    assert 'name="q"' not in client.get(f"/admin/{model}/").content.decode()


def test_a_colleague_is_added_without_a_password_and_signs_in(client, editor):
    sign_in_to_desk(client, editor)
    form = {"email": " New@Example.com ", "language": "ko", "is_active": "on", "is_staff": "on"}
    for prefix in ("emailaddress_set", "phones"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    assert client.post("/admin/accounts/user/add/", form).status_code == 302
    new = User.objects.get(email="new@example.com")
    assert not new.has_usable_password()
    colleague = Client()
    sign_in(colleague, new.contact)
    assert colleague.session["_auth_user_id"] == str(new.pk)


def test_one_superuser_gives_a_deactivated_colleague_no_rights_back(client, editor, approver):
    User.objects.filter(pk=approver.pk).update(is_active=False)
    sign_in_to_desk(client, editor)
    page = f"/admin/accounts/user/{approver.pk}/change/"
    form = {"language": "en", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    for prefix in ("emailaddress_set", "phones"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    assert client.post(page, form).status_code == 302
    approver.refresh_from_db()
    assert (approver.is_active, approver.is_staff, approver.is_superuser) == (True, False, False)
    asked = approver.rights_grants.waiting().get()
    assert (asked.asked_by, asked.is_staff, asked.is_superuser) == (editor, True, True)


@pytest.mark.parametrize("model", ["accounts/user", "accounts/verifiedphone", "mfa/authenticator"])
def test_a_list_of_accounts_names_no_customer_and_a_row_asks_for_a_reason(
    client, editor, minji, model
):
    VerifiedPhone.objects.create(user=minji, number="+821012345678")
    give_app(minji)
    rows = {
        "accounts/user": minji,
        "accounts/verifiedphone": minji.phones.get(),
        "mfa/authenticator": Authenticator.objects.get(user=minji),
    }
    sign_in_to_desk(client, editor)
    listed = client.get(f"/admin/{model}/").text
    for act in ("change", "history"):
        row = f"/admin/{model}/{rows[model].pk}/{act}/"
        assert "look_up-reason" in client.get(row).text
        assert not any(text in listed + client.get(row).text for text in (minji.email, "5678"))
    client.post(row, {"look_up-reason": "7QK2-X9ND"})
    assert "look_up-reason" not in client.get(row).text


def test_staff_cannot_mark_an_address_as_verified(client, editor, minji):
    sign_in_to_desk(client, editor)
    for path in ("account/emailaddress/", "accounts/verifiedphone/add/", "mfa/authenticator/add/"):
        assert client.get(f"/admin/{path}").status_code in (403, 404), path
    page = client.get(f"/admin/accounts/user/{minji.pk}/change/").content.decode()
    assert 'name="email"' not in page
    assert "emailaddress_set-0-verified" not in page


def test_the_secret_of_an_app_is_never_shown(client, editor, secret):
    sign_in_to_desk(client, editor)
    pk = Authenticator.objects.get(user=editor).pk
    page = client.get(f"/admin/mfa/authenticator/{pk}/change/")
    assert page.status_code == 200
    assert secret not in page.content.decode()


@pytest.fixture
def helpdesk(client, editor) -> Client:
    """The editor's desk, with all permissions of accounts and mfa, but not as a superuser."""
    User.objects.filter(pk=editor.pk).update(is_superuser=False)
    apps = ["accounts", "account", "mfa", "usersessions"]
    editor.user_permissions.set(Permission.objects.filter(content_type__app_label__in=apps))
    sign_in_to_desk(client, editor)
    return client


def test_only_a_superuser_changes_or_deletes_staff(helpdesk, approver):
    form = {"language": "en", "emailaddress_set-TOTAL_FORMS": "0", "phones-TOTAL_FORMS": "0"}
    page = f"/admin/accounts/user/{approver.pk}"
    assert helpdesk.post(f"{page}/change/", form).status_code == 403
    assert helpdesk.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    approver.refresh_from_db()
    assert approver.is_active


def test_only_a_superuser_removes_a_second_factor_of_staff(helpdesk, approver):
    give_app(approver)
    pk = Authenticator.objects.get().pk
    delete = f"/admin/mfa/authenticator/{pk}/delete/"
    assert helpdesk.post(delete, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(pk), "post": "yes"}
    helpdesk.post("/admin/mfa/authenticator/", chosen)
    assert Authenticator.objects.exists()


def test_customers_are_deleted_by_a_superuser_after_a_reason(helpdesk, editor, minji):
    delete = f"/admin/accounts/user/{minji.pk}/delete/"
    helpdesk.post(delete, {"post": "yes"})
    assert User.objects.filter(pk=minji.pk).exists()
    User.objects.filter(pk=editor.pk).update(is_superuser=True)
    say_why(helpdesk, delete)
    assert helpdesk.post(delete, {"post": "yes", "reason": "Asked to"}).status_code == 302
    assert not User.objects.filter(pk=minji.pk).exists()


def test_only_a_superuser_grants_permissions(helpdesk, minji):
    form = {"language": "en", "emailaddress_set-TOTAL_FORMS": "0", "phones-TOTAL_FORMS": "0"}
    rights = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    helpdesk.post(f"/admin/accounts/user/{minji.pk}/change/", form | rights)
    minji.refresh_from_db()
    assert not minji.is_staff
    assert not minji.is_superuser


def test_staff_reach_the_desk_from_a_fresh_browser(client, editor, secret):
    response = client.get("/admin/", follow=True)
    sign_in_url = response.redirect_chain[-1][0]
    client.post(sign_in_url, {"email": editor.email})
    response = client.post(reverse("sign_in_code"), {"code": newest_code()})
    assert client.post(response.url, {"code": totp_code(secret)}).url == "/admin/"


def other_browser(user: User) -> Client:
    browser = Client()
    sign_in(browser, user.contact)
    if Authenticator.objects.filter(user=user).exists():
        sign_in_to_desk(browser, user)
    return browser


def is_signed_in(browser: Client) -> bool:
    return browser.get(reverse("account")).status_code == 200


def test_removing_the_app_ends_the_other_sessions(client, editor, secret):
    other = other_browser(editor)
    sign_in(client, editor.email)
    client.post(reverse("mfa_authenticate"), {"code": totp_code(secret)})
    cache.clear()
    client.post(reverse("mfa_reauthenticate"), {"code": totp_code(secret)})
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert not Authenticator.objects.exists()
    assert not is_signed_in(other)
    assert is_signed_in(client)


def test_deleting_a_second_factor_on_the_desk_ends_its_users_sessions(
    editors_desk, approver, minji
):
    give_app(approver)
    row = Authenticator.objects.get(user=approver)
    theirs, customers = other_browser(approver), other_browser(minji)
    url = "/admin/mfa/authenticator/"
    chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    editors_desk.post(url, chosen)
    assert is_signed_in(theirs)
    editors_desk.post(f"{url}{row.pk}/delete/", {"post": "yes", "reason": "A lost phone"})
    assert not Authenticator.objects.filter(user=approver).exists()
    assert not is_signed_in(theirs)
    assert is_signed_in(customers)
    assert editors_desk.get("/admin/").status_code == 200


def test_a_secret_that_is_copied_to_another_user_is_not_accepted(editor, approver):
    """A person who can write to the database knows their own secret, and copies it."""
    secret = give_app(editor)
    give_app(approver)
    mine, theirs = (Authenticator.objects.get(user=user) for user in (editor, approver))
    theirs.data = mine.data
    theirs.save()
    code = totp_code(secret)
    with pytest.raises(Authenticator.MultipleObjectsReturned):
        theirs.wrap().validate_code(code)
    mine.delete()
    with pytest.raises(tink.TinkError):
        theirs.wrap().validate_code(code)


def test_recovery_codes_that_are_copied_to_another_user_are_not_accepted(editor, approver):
    codes = give_recovery_codes(editor)
    Authenticator.objects.update(user=approver)
    with pytest.raises(tink.TinkError):
        Authenticator.objects.get().wrap().validate_code(codes[0])


@pytest.mark.parametrize("swapped", ["copied", "moved"])
def test_a_copied_secret_signs_no_one_in(client, editor, approver, swapped):
    secret = give_app(editor)
    give_app(approver)
    Authenticator.objects.filter(user=approver).update(
        data=Authenticator.objects.get(user=editor).data
    )
    if swapped == "moved":
        Authenticator.objects.filter(user=editor).delete()
    sign_in(client, approver.email)
    answer = client.post(reverse("mfa_authenticate"), {"code": totp_code(secret)})
    assert answer.status_code == 200
    assert not is_signed_in(client)
