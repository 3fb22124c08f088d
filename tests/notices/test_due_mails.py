"""Single mails that are due: which failures use up tries, over how many connections they leave."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import due_mails, new_devices
from accounts.models import User
from accounts.new_device import NewDevice
from tests.database import conninfo

pytestmark = pytest.mark.django_db


def due_for(count: int) -> list[NewDevice]:
    users = [User.objects.create_user(f"minji{number}@example.com") for number in range(count)]
    return [NewDevice.objects.create(user=user, browser="Chrome") for user in users]


def send_after_the_wait() -> None:
    NewDevice.objects.update(mail_after=timezone.now() - timedelta(seconds=1))
    new_devices.send_due()


def test_a_temporary_refusal_uses_up_no_try(mails):
    (device,) = due_for(1)
    refusals = ["450 4.2.1 try again later"] * (due_mails.MOST_TRIES + 2)
    mails.reply_next("recipient", device.user.email, *refusals)
    for _run in refusals:
        send_after_the_wait()
    device.refresh_from_db()
    assert (device.mailed_at, device.mail_tries) == (None, 0)
    send_after_the_wait()
    assert len(mails.taken) == 1


def test_a_permanent_refusal_is_tried_a_few_times_only(mails):
    (device,) = due_for(1)
    mails.reply_next("recipient", device.user.email, *["550 5.1.1 unknown"] * 20)
    for _run in range(due_mails.MOST_TRIES + 2):
        send_after_the_wait()
    device.refresh_from_db()
    assert (device.mailed_at, device.mail_tries) == (None, due_mails.MOST_TRIES)


@pytest.mark.parametrize("reply", ["450 4.2.1 later", "550 5.1.1 unknown"])
def test_a_refused_mail_waits_and_stops_no_other(mails, reply):
    refused, *_others = due_for(4)
    mails.reply_next("recipient", refused.user.email, reply)
    new_devices.send_due()
    assert len(mails.taken) == 3
    new_devices.send_due()
    assert len(mails.taken) == 3
    send_after_the_wait()
    assert len(mails.taken) == 4


def test_all_mails_of_a_run_leave_over_one_connection(mails):
    due_for(5)
    new_devices.send_due()
    assert (len(mails.taken), mails.connections) == (5, 1)


def test_a_server_that_closes_the_connection_gets_the_next_mail_over_a_new_one(mails, monkeypatch):
    monkeypatch.setattr("random.shuffle", sorted)  # leaves the newest first
    oldest, *_newer = due_for(5)
    mails.reply_next("recipient", oldest.user.email, "421 4.7.0 too many mails")
    new_devices.send_due()
    assert len(mails.taken) == 5
    assert mails.connections == 2


def test_a_run_ends_after_its_time_and_the_next_goes_on(mails, monkeypatch):
    due_for(3)
    with monkeypatch.context() as patch:
        patch.setattr(due_mails, "SECONDS", -1.0)
        new_devices.send_due()
    assert mails.taken == []
    new_devices.send_due()
    assert len(mails.taken) == 3


def test_a_run_takes_more_rows_than_it_looks_up_at_once(mails, monkeypatch):
    monkeypatch.setattr(due_mails, "CHUNK", 2)
    due_for(5)
    new_devices.send_due()
    assert len(mails.taken) == 5


def test_a_refusal_of_the_sender_uses_up_no_try(mails):
    (device,) = due_for(1)
    refusals = ["550 5.7.1 you are blocked"] * (due_mails.MOST_TRIES + 2)
    mails.reply_next("sender", "", *refusals)
    for _run in refusals:
        send_after_the_wait()
    device.refresh_from_db()
    assert (device.mailed_at, device.mail_tries) == (None, 0)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_run_holds_is_tried_once(mails, monkeypatch):
    monkeypatch.setattr(due_mails, "SECONDS", 2.0)
    held, _free = due_for(2)
    with psycopg.connect(conninfo()) as other, CaptureQueriesContext(connection) as queries:
        table = NewDevice._meta.db_table
        other.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", [held.pk])
        new_devices.send_due()
    assert len(mails.taken) == 1
    assert len(queries) < 20


@pytest.mark.parametrize("error", ["ValueError", "DataError"])
def test_an_error_at_one_row_stops_no_other(mails, monkeypatch, error):
    """After an error of the database its row is put off, too."""
    wrong, *_others = due_for(3)
    mail = new_devices._mail

    def fail(device: NewDevice, connection_: object) -> None:
        if device.pk == wrong.pk:
            if error == "DataError":
                NewDevice.objects.extra(select={"x": "1 / 0"}).first()
            raise ValueError
        mail(device, connection_)

    monkeypatch.setattr(new_devices, "_mail", fail)
    new_devices.send_due()
    new_devices.send_due()
    assert len(mails.taken) == 2
    wrong.refresh_from_db()
    assert wrong.mail_after
    assert wrong.mail_after > timezone.now()
