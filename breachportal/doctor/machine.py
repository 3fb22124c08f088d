"""Checks of this machine: the settings, the files of the secrets, the code and the disk."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core import checks

from breachportal import backups
from breachportal.doctor import typed
from breachportal.doctor.diagnosis import Diagnosis
from breachportal.doctor.messages import DoctorMessages as Found

SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "MASTER_KEYSET",
    "DATABASE_URL",
    "DATABASE_REPLICA_URL",
    "REDIS_URL",
    "BROKER_URL",
    "EMAIL_HOST_PASSWORD",
    "CODE_MAIL_PASSWORD",
    "DKIM_PRIVATE_KEY",
    "DKIM_SECOND_PRIVATE_KEY",
    "WEB_PUSH_PRIVATE_KEY",
    "SMS_GATEWAY_TOKEN",
    "SOLAPI_SECRET",
    "TWILIO_TOKEN",
    "ANYMAIL",
    "IMAP_URL",
    "AUDIT_DIGEST_WEBHOOK",
    "AUDIT_DIGEST_SECRET",
    "DESK_WEBHOOKS",
    "TRACES_HEADERS",
    "STAFF_SSO_CLIENT_SECRET",
    "CUSTOMER_SSO_CLIENT_SECRET",
)
OLDEST_BACKUP = timedelta(hours=26)  # a daily one, with time to run
LEAST_FREE_BYTES = 5 << 30
FULL_BYTES = 256 << 20
LEAST_FREE_SHARE = 0.1
# Where deploy/install keeps the URL of the owner of the tables, who could change proof.
OWNERS_URL = Path("/etc/breachportal/owner/database-url")
_MOUNTED = Path("/run/secrets")
# Directories whose files are gone after a restart of the machine.
_VOLATILE = ("/run/", "/var/run/", "/dev/shm/", "/tmp/")  # noqa: S108


def check_settings() -> Iterator[Diagnosis]:
    """Runs Django's checks for deployment."""
    faults = 0
    for message in checks.run_checks(include_deployment_checks=settings.IS_PRODUCTION):
        if message.is_silenced():
            continue
        faults += 1
        make = Diagnosis.fault if message.is_serious() else Diagnosis.warning
        yield make(f"{message.id}: {message.msg}", message.hint or "See Django's documentation.")
    if not settings.IS_PRODUCTION:
        yield Diagnosis.warning(Found.NOT_PRODUCTION.stored(), Found.NOT_PRODUCTION_DO.stored())
    elif not faults:
        yield Diagnosis.ok("production, and Django's checks for deployment pass")


def check_secrets() -> Iterator[Diagnosis]:
    """Checks that secrets are files that only their owner can read, on a disk that stays."""
    in_files = 0
    for name in SECRETS:
        path = os.environ.get(f"{name}_FILE")
        if os.environ.get(name):
            yield Diagnosis.warning(
                Found.IN_ENVIRONMENT.stored(name=name), Found.IN_ENVIRONMENT_DO.stored(name=name)
            )
        elif path:
            in_files += 1
            yield from _faults_of_file(name, Path(path))
    if os.geteuid() != 0 and os.access(OWNERS_URL, os.R_OK):
        yield _readable("DATABASE_URL", OWNERS_URL, do=f"sudo chown root: {OWNERS_URL} && sudo ")
    if in_files:
        yield Diagnosis.ok(f"{in_files} secrets are in files")
    elif not settings.IS_PRODUCTION:
        yield Diagnosis.ok("no secret is set outside production")


def _readable(name: str, path: Path, *, do: str = "") -> Diagnosis:
    mode = f"{stat.S_IMODE(path.stat().st_mode):o}"
    text = Found.READABLE.stored(name=name, path=path, mode=mode)
    return Diagnosis.fault(text, f"{do}chmod 600 {path}")


def _faults_of_file(name: str, path: Path) -> Iterator[Diagnosis]:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    # Kubernetes mounts a secret as a file of root that the pod's group can read.
    is_mounted = found.st_uid == 0 and os.geteuid() != 0
    if mode & (0o037 if is_mounted else 0o077):
        yield _readable(name, path)
    if name == "MASTER_KEYSET" and _is_volatile(path):
        yield Diagnosis.fault(
            Found.VOLATILE.stored(name=name, path=path), Found.VOLATILE_DO.stored()
        )


def _is_volatile(path: Path) -> bool:
    """Returns whether a restart of the machine removes the file.

    A container engine mounts secrets below /run/secrets, from its own store or a disk of the host.
    """
    place = path.resolve()
    inside = [one for one in (place, *place.parents) if one.is_relative_to(_MOUNTED)]
    return str(place).startswith(_VOLATILE) and not any(os.path.ismount(one) for one in inside)


def check_code() -> Iterator[Diagnosis]:
    """Checks that the static files are collected."""
    root = settings.STATIC_ROOT
    if root and not (root / "staticfiles.json").exists():
        yield Diagnosis.fault(
            Found.NO_STATIC.stored(folder=root),
            Found.NO_STATIC_DO.stored(command=typed.command("collectstatic --noinput")),
        )
    else:
        yield Diagnosis.ok("the static files are there")


def check_disk() -> Iterator[Diagnosis]:
    """Checks that the folders the portal writes to exist, take files, and have space."""
    for folder in _folders():
        if folder.exists() and os.statvfs(folder).f_flag & os.ST_RDONLY:
            text = Found.READ_ONLY_DISK.stored(folder=folder)
            yield Diagnosis.fault(text, Found.READ_ONLY_DISK_DO.stored())
            continue
        if not os.access(folder, os.W_OK):
            yield Diagnosis.fault(
                Found.NOT_WRITABLE.stored(folder=folder),
                Found.NOT_WRITABLE_DO.stored(folder=folder, account=typed.account()),
            )
            continue
        space = shutil.disk_usage(folder)
        text = Found.SPACE.stored(folder=folder, free=f"{space.free / (1 << 30):,.1f}")
        if space.free < FULL_BYTES:
            yield Diagnosis.fault(text, Found.NO_SPACE_DO.stored(folder=folder))
        elif space.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * space.total):
            yield Diagnosis.warning(text, Found.SPACE_DO.stored())
        else:
            yield Diagnosis.ok(text)


def _folders() -> list[Path]:
    """Returns VAR, the folder of the copy, and that of backups if it is on a disk of its own."""
    folders = [Path(settings.VAR)]
    if settings.STATIC_COPY:
        folders.append(Path(settings.STATIC_COPY))
    backup = Path(settings.BACKUP_FOLDER)
    disks = {folder.stat().st_dev for folder in folders if folder.exists()}
    if backup.exists() and backup.stat().st_dev not in disks:
        folders.append(backup)
    return folders


def check_backup() -> Iterator[Diagnosis]:
    """Checks the age of the newest backup in BACKUP_FOLDER."""
    found = backups.existing(Path(settings.BACKUP_FOLDER))
    if not found:
        yield Diagnosis.warning(
            Found.NO_BACKUP.stored(folder=settings.BACKUP_FOLDER),
            Found.NO_BACKUP_DO.stored(command=typed.backup()),
        )
        return
    age = datetime.now(UTC) - found[0][0]
    text = Found.OLD_BACKUP.stored(hours=f"{age.total_seconds() / 3600:,.0f}")
    if age > OLDEST_BACKUP:
        yield Diagnosis.fault(text, Found.OLD_BACKUP_DO.stored())
    else:
        yield Diagnosis.ok(text)
