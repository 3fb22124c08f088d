"""The preparation of the sample incident for the first visitor of the demonstration."""

from collections.abc import Callable
from pathlib import Path

from allauth.mfa.models import Authenticator
from django.conf import settings

import incidents
from accounts.models import User
from accounts.second_factor_secrets import encrypt_for
from breachportal.demo import app_codes
from incidents import scope_versions, unread
from incidents.importing import loading
from incidents.models import ExposureBatch, ExposureFile, Incident, WriteOff
from notices import decisions
from notices.models import Notice
from statements import sample
from statements.models import Statement

Say = Callable[[str], None]

EXPORT = Path(incidents.__file__).parent / "sample"
FILES = {
    "members.csv": "members.toml",
    "addresses.csv": "addresses.toml",
    "orders.csv.gz": "orders.toml",
}
EDITOR, APPROVER = sample.EDITOR, sample.APPROVER
# Two members in the export that have addresses, entrance codes and orders.
KOREAN_CUSTOMER, ENGLISH_CUSTOMER = "user00001@gmail.example", "user00137@naver.example"


def prepare(say: Say) -> None:
    """Loads the incident, its statements and its export, and reports progress with `say`.

    Continues a start that was interrupted. Does nothing once a scope version is closed, because the
    visitor may have changed the data since.
    """
    batches = ExposureBatch.objects.filter(incident__slug=sample.SLUG)
    if batches.exclude(state=ExposureBatch.State.OPEN).exists():
        say("The sample incident is there from an earlier start.")
        return
    say("Writing the sample incident, its statements and its advisory ...")
    incident = sample.load_sample_incident()
    for email in (EDITOR, APPROVER):
        give_second_factor(User.objects.get(email=email))
    import_export(incident, say)


def give_second_factor(user: User) -> None:
    """Gives `user` an authenticator app unless there is one; a demo page shows its codes."""
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        data = {"secret": encrypt_for(user.pk, app_codes.new_secret())}
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)


def import_export(incident: Incident, say: Say) -> None:
    """Imports the company's three files, as far as they are not loaded, and closes the batch.

    Rejected rows are written under `var/rejects`.
    """
    rejects = settings.VAR / "rejects"
    rejects.mkdir(mode=0o700, parents=True, exist_ok=True)
    loaded_files = ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADED)
    for name, mapping in FILES.items():
        if loaded_files.filter(name=name).exists():
            continue
        path = EXPORT / "export-2025-11" / name
        loaded = loading.import_file(
            path,
            incident=incident,
            mapping_text=(EXPORT / mapping).read_text(encoding="utf-8"),
            mapping_name=mapping,
            rejects_path=rejects,
        )
        say(
            f"Imported {name}: {loaded.rows_read:,} rows read, {loaded.rows_taken:,} taken, "
            f"{loaded.rows_rejected:,} rejected (see {rejects})."
        )
    batch = ExposureBatch.objects.get(incident=incident, state=ExposureBatch.State.OPEN)
    write_off_unread_rows(batch)
    scope_versions.close(batch)


def write_off_unread_rows(batch: ExposureBatch) -> None:
    """Writes off the rows of the sample that cannot be imported: the editor and the approver do."""
    editor, approver = (User.objects.get(email=email) for email in (EDITOR, APPROVER))
    for file in unread.unread_files(batch):
        if not file.is_written_off:
            reason = "Damaged in the company's export; the company has no other copy."
            write_off, _ = WriteOff.objects.waiting().get_or_create(
                file_id=file.pk,
                defaults={"rows": file.rows, "reason": reason, "proposed_by": editor},
            )
            write_off.confirm(approver)


def send_notice() -> Notice:
    """Returns the sample's mandatory notice; creates and approves it if that was not done yet.

    The editor creates it and the approver approves it. It is about the first version of the
    statement, because later versions are the visitor's own.
    """
    version = Statement.objects.get(
        incident__slug=sample.SLUG, kind=Statement.Kind.NOTICE
    ).versions.get(number=1)
    notices = Notice.objects.filter(version=version, kind=Notice.Kind.MANDATORY)
    notice = notices.filter(created_by__email=EDITOR).order_by("pk").first()
    if notice is None:
        notice = Notice.objects.create(
            incident=version.statement.incident,
            version=version,
            kind=Notice.Kind.MANDATORY,
            created_by=User.objects.get(email=EDITOR),
        )
    if notice.state == Notice.State.DRAFT:
        decisions.approve(notice, by=User.objects.get(email=APPROVER))
        notice.refresh_from_db()
    return notice
