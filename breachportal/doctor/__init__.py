"""The diagnosis of an installed portal: what `manage.py doctor` prints."""

from collections.abc import Callable, Iterator

from breachportal.doctor import machine, public_address, servers
from breachportal.doctor.diagnosis import Diagnosis
from breachportal.doctor.messages import DoctorMessages

Check = Callable[[], Iterator[Diagnosis]]

CHECKS: dict[str, Check] = {
    "settings": machine.check_settings,
    "secrets": machine.check_secrets,
    "code": machine.check_code,
    "disk": machine.check_disk,
    "backup": machine.check_backup,
    "clock": servers.check_clock,
    "database": servers.check_database,
    "migrations": servers.check_migrations,
    "account": servers.check_account,
    "database log": servers.check_database_log,
    "redis": servers.check_redis,
    "broker": servers.check_broker,
    "workers": servers.check_workers,
    "beat": servers.check_beat,
    "mail": servers.check_mail,
    "team": servers.check_team,
    "certificate": public_address.check_certificate,
    "portal": public_address.check_portal,
    "proxies": public_address.check_proxies,
}


def diagnose(only: tuple[str, ...] = ()) -> Iterator[tuple[str, Diagnosis]]:
    """Yields the name of each check with each of its findings; at least one for each check.

    `only` names the checks to run, by default all. A check that fails itself is a fault: the
    exception is named by its type, because its text may contain a secret.
    """
    for name in only or CHECKS:
        try:
            yield from ((name, finding) for finding in CHECKS[name]())
        except Exception as error:  # noqa: BLE001  # the other checks still run
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            text, remedy = DoctorMessages.ENDED.stored(kind=kind), DoctorMessages.ENDED_DO.stored()
            yield name, Diagnosis.fault(text, remedy)
