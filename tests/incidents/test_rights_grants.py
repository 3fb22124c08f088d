"""One superuser alone gives no rights on the desk."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import RightsGrant, User
from harness.sign_in import sign_in_to_desk
from tests.desk_pages import desk_url, page_text, say_why

pytestmark = pytest.mark.django_db
INLINES = {
    f"{name}-{field}": "0"
    for name in ("emailaddress_set", "phones")
    for field in ("TOTAL_FORMS", "INITIAL_FORMS")
}


def desk_of(staff: User) -> Client:
    client = Client()
    sign_in_to_desk(client, staff)
    return client


def save(client: Client, user: User, **fields: object):
    form = {"language": "en", "is_active": "on", **INLINES, **fields}
    for name in ("is_staff", "is_superuser"):
        form.setdefault(name, "on" if getattr(user, name) else "")
    inlines = dict(INLINES)
    addresses = EmailAddress.objects.filter(user=user)
    for name in ("TOTAL_FORMS", "INITIAL_FORMS"):
        inlines[f"emailaddress_set-{name}"] = str(addresses.count())
    for index, row in enumerate(addresses):
        inlines |= {
            f"emailaddress_set-{index}-id": str(row.pk),
            f"emailaddress_set-{index}-user": str(user.pk),
        }
    form = {name: value for name, value in (form | inlines).items() if value != ""}
    address = f"/admin/accounts/user/{user.pk}/change/"
    if not user.is_staff:
        say_why(client, address)
    return client.post(address, form)


def decide(client: Client, grant: RightsGrant, step: str) -> int:
    url = f"/admin/accounts/rightsgrant/{grant.pk}/{step}/"
    return client.post(url).status_code


@pytest.fixture
def approvers(db) -> Group:
    return Group.objects.get(name="approver")


@pytest.fixture
def grant(editor, approver, minji, approvers) -> RightsGrant:
    assert (
        save(
            desk_of(editor), minji, is_staff="on", is_superuser="on", groups=[approvers.pk]
        ).status_code
        == 302
    )
    return RightsGrant.objects.get()


def rights(user: User) -> tuple[bool, bool, list[str]]:
    user = User.objects.get(pk=user.pk)
    names = user.groups.values_list("name", flat=True)
    return user.is_staff, user.is_superuser, list(names)


def test_new_rights_wait_for_another_superuser(grant, minji, editor, approver):
    assert rights(minji) == (False, False, [])
    assert decide(desk_of(editor), grant, "confirm") == 403
    assert rights(minji) == (False, False, [])
    page = page_text(desk_of(approver).get(f"/admin/accounts/rightsgrant/{grant.pk}/change/"))
    assert "Give these rights" in page
    assert decide(desk_of(approver), grant, "confirm") == 302
    assert rights(minji) == (True, True, ["approver"])
    record = RightsGrant.objects.get()
    assert (record.asked_by, record.confirmed_by) == (editor, approver)


def test_a_new_user_gets_rights_only_with_two_superusers(editor, approvers):
    form = {"email": "second@example.com", "language": "en", "is_active": "on", **INLINES}
    desk = desk_of(editor)
    added = desk.post("/admin/accounts/user/add/", {**form, "is_staff": "on", "is_superuser": "on"})
    assert added.status_code == 302
    assert rights(User.objects.get(email="second@example.com")) == (False, False, [])
    assert RightsGrant.objects.waiting().count() == 1


def test_a_user_cannot_confirm_rights_for_themselves(editor, minji, approvers):
    User.objects.filter(pk=minji.pk).update(is_staff=True, is_superuser=True)
    minji.refresh_from_db()
    save(desk_of(editor), minji, groups=[approvers.pk])
    assert decide(desk_of(minji), RightsGrant.objects.get(), "confirm") == 403
    assert rights(minji) == (True, True, [])


def test_only_superusers_confirm(grant, seojun, approvers):
    User.objects.filter(pk=seojun.pk).update(is_staff=True)
    seojun.groups.add(approvers)
    seojun.refresh_from_db()
    assert decide(desk_of(seojun), grant, "confirm") == 403
    assert decide(desk_of(seojun), grant, "withdraw") == 403


def test_withdrawn_rights_cannot_be_confirmed(grant, minji, editor, approver):
    assert decide(desk_of(editor), grant, "withdraw") == 302
    assert decide(desk_of(approver), grant, "confirm") == 302
    assert rights(minji) == (False, False, [])


def test_a_second_request_is_refused_while_one_waits(grant, minji, editor):
    answer = save(desk_of(editor), minji, is_staff="on")
    assert answer.status_code == 200
    page = desk_url("accounts_rightsgrant_change", grant.pk)
    assert f'<a href="{page}">Other rights of this user wait' in page_text(answer)


def test_one_superuser_takes_rights_away_at_once(editor, approver):
    approver.is_superuser = False
    assert save(desk_of(editor), approver, is_staff="").status_code == 200  # it takes a reason
    asked = {"is_staff": "", "reason": "Left the team"}
    assert save(desk_of(editor), approver, **asked).status_code == 302
    assert rights(approver) == (False, False, [])
    assert not RightsGrant.objects.exists()


def test_the_record_stays_as_it_is(grant, approver, editor):
    for act in (
        lambda: RightsGrant.objects.update(is_staff=False),
        lambda: RightsGrant.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
            act()
    assert grant.confirm(approver)
    with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
        RightsGrant.objects.update(confirmed_by=None, confirmed_at=None)


def test_the_database_refuses_one_person_as_both(grant, editor, minji):
    for person in (editor, minji):
        with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
            RightsGrant.objects.update(confirmed_by=person, confirmed_at=grant.asked_at)
