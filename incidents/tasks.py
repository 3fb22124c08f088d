"""The Celery tasks of this app, on the queue `import`. Each may run twice or be killed safely."""

from celery import shared_task
from celery.contrib.django.task import DjangoTask

from incidents import (
    address_claims,
    address_mails,
    figure_points,
    reminders,
    scope_versions,
    team_messages,
    uploads,
)
from incidents.retention import deletion


@shared_task(base=DjangoTask)
def work_upload(upload_id: str) -> None:
    """Checks or imports one upload."""
    uploads.run_upload(upload_id)


@shared_task(base=DjangoTask)
def sweep_uploads() -> None:
    """Starts uploads again after a lost queue message or worker, and deletes expired content."""
    for upload_id in uploads.sweep():
        work_upload.delay(upload_id)


@shared_task(base=DjangoTask)
def work_batch_change(change_id: int) -> None:
    """Closes or withdraws one scope version."""
    scope_versions.apply_change(change_id)


@shared_task(base=DjangoTask)
def sweep_batch_changes() -> None:
    """Starts changes again after a lost queue message or worker, or after an import."""
    for change_id in scope_versions.unattended_changes():
        work_batch_change.delay(change_id)


@shared_task(base=DjangoTask)
def keep_figure_points() -> None:
    """Records the figures of the incidents' pages. It is short, so it is on the default queue."""
    figure_points.keep()


@shared_task(base=DjangoTask)
def send_team_messages() -> None:
    """Stores messages about new events to the response team, and sends what is due."""
    team_messages.queue()
    team_messages.send_due()


@shared_task(base=DjangoTask)
def work_deletion(incident_id: int) -> None:
    """Deletes a part of what the incident's retention plan says, and then of its rows."""
    deletion.work(incident_id)


@shared_task(base=DjangoTask)
def sweep_deletions() -> None:
    """Starts the deletions that are due, and continues those that are not finished.

    While an import holds the workers, the tasks expire, so that they do not add up.
    """
    for incident_id in [*deletion.due_incidents(), *deletion.unpurged_incidents()]:
        work_deletion.apply_async((incident_id,), expires=60)


@shared_task(base=DjangoTask)
def mail_reminders() -> None:
    """Sends the reminders of steps that are due. It is on the default queue."""
    reminders.send_due()


@shared_task(base=DjangoTask)
def mail_address_changes() -> None:
    """Opens the claims that are due, and tells the addresses in the data of new ones. It is on the
    default queue.
    """
    address_claims.open_due()
    address_mails.send_due()
