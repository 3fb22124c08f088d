"""The preparation of a sample incident for the first visitor of the demonstration."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from accounts.second_factor_secrets import encrypt_for
from breachportal.demo import app_codes
from breachportal.environment import language_variable
from breachportal.management.commands.make_roles import ROLES
from foundations.languages import SOURCE_LANGUAGE, portal_codes
from incidents import scope_versions, unread
from incidents.importing import loading
from incidents.models import ExposureBatch, ExposureFile, Incident, WriteOff
from incidents.sample import exports
from notices import decisions
from notices.models import Notice
from offers import pool
from offers.models import Offer
from statements import sample
from statements.models import Statement
from tickets import shipped_templates

Say = Callable[[str], None]

EXPORT = exports.HERE
FILES = exports.MODEL_CASE
EDITOR, APPROVER = sample.EDITOR, sample.APPROVER
# An account for each role; the editor and the approver above are superusers.
ROLE_ACCOUNTS = {role: f"{role}@team.breachportal.example" for role in ROLES}
# Two members in the export that have addresses, entrance codes and orders.
KOREAN_CUSTOMER, ENGLISH_CUSTOMER = "user00001@gmail.example", "user00137@naver.example"
# Whom a visitor may sign in as, by sample.
CUSTOMERS = {
    "coupang-2025": {
        KOREAN_CUSTOMER: "a Korean customer",
        ENGLISH_CUSTOMER: "an English-speaking one",
    },
    "eu-retailer": {
        "kunde000@post.example": "a German customer",
        "customer000@mail.example": "a British one",
    },
    "japan-retailer": {"kaiin000@post.example": "a Japanese customer"},
    "us-pharmacy": {
        "patient000@mail.example": "a patient in California",
        "patient001@mail.example": "one who reads Spanish",
    },
}


def settings_of(slug: str) -> dict[str, str]:
    """Returns the settings by which the portal bears the name of the sample's company."""
    if slug == sample.SLUG:
        return {}  # the demonstration's defaults
    incident = Incident.objects.get(slug=slug)
    return {
        **{
            language_variable("PORTAL_NAME", code): incident.company.in_language(code)
            for code in portal_codes()
        },
        "DEFAULT_FROM_EMAIL": f"{incident.company} <{incident.contact_email}>",
        "PHONE_REGION": incident.phone_region,
        "TIME_ZONE": incident.time_zone,
    }


def prepare(say: Say, slug: str = sample.SLUG) -> None:
    """Loads the incident, its statements and its export, and reports progress with `say`.

    Continues a start that was interrupted. Does nothing once a scope version is closed, because the
    visitor may have changed the data since. Raises SampleRefusedError.
    """
    sample.require_laws(slug)
    make_role_accounts()
    shipped_templates.store("ko" if slug == sample.SLUG else "en")
    batches = ExposureBatch.objects.filter(incident__slug=slug)
    if batches.exclude(state=ExposureBatch.State.OPEN).exists():
        say("The sample incident is there from an earlier start.")
        return
    say("Writing the sample incident and its statements ...")
    incident = sample.load_sample_incident(slug)
    if waiting := sample.waiting_languages(slug):
        say(f"The portal has no catalogue yet in: {', '.join(waiting)}.")
    for email in (EDITOR, APPROVER):
        give_second_factor(User.objects.get(email=email))
    import_export(incident, say)


def make_role_accounts() -> None:
    """Makes the roles, and an account with a second factor for each, as far as they are missing."""
    call_command("make_roles", stdout=StringIO())
    for role, email in ROLE_ACCOUNTS.items():
        if not User.objects.filter(email=email).exists():
            user = User.objects.create_user(email, is_staff=True)
            user.groups.add(Group.objects.get(name=role))
            give_second_factor(user)


def give_second_factor(user: User) -> None:
    """Gives `user` an authenticator app unless there is one; a demo page shows its codes."""
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        data = {"secret": encrypt_for(user.pk, app_codes.new_secret())}
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)


def import_export(incident: Incident, say: Say) -> None:
    """Imports the company's files, as far as they are not loaded, and closes the batch.

    Rejected rows are written under `var/rejects`.
    """
    rejects = settings.VAR / "rejects"
    rejects.mkdir(mode=0o700, parents=True, exist_ok=True)
    loaded_files = ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADED)
    for path, mapping in exports.of_sample(incident.slug, settings.VAR / "export"):
        if loaded_files.filter(name=path.name).exists():
            continue
        loaded = loading.import_file(
            path,
            incident=incident,
            mapping_text=_in_languages_of(incident, mapping.read_text(encoding="utf-8")),
            mapping_name=mapping.name,
            rejects_path=rejects,
        )
        say(
            f"Imported {path.name}: {loaded.rows_read:,} rows read, {loaded.rows_taken:,} taken, "
            f"{loaded.rows_rejected:,} rejected (see {rejects})."
        )
    batch = ExposureBatch.objects.get(incident=incident, state=ExposureBatch.State.OPEN)
    write_off_unread_rows(batch)
    scope_versions.close(batch)
    if incident.slug == sample.SLUG:
        make_offer(incident)


def make_offer(incident: Incident) -> None:
    """Gives the incident an offer with a pool of 200 invented codes, unless it has one."""
    offer, is_new = Offer.objects.get_or_create(
        incident=incident,
        title={"ko": "명의도용 알림 1년 이용권", "en": "One year of identity monitoring"},
        defaults={
            "text": {
                "ko": "내 이름으로 계좌나 휴대전화가 개통되면 알려 주는 서비스입니다. 무료입니다.",
                "en": "It tells you when an account or a phone is opened in your name. It is free.",
            },
            "use": {
                "ko": "아래 주소를 열고 가입한 다음, 코드를 입력합니다. 카드 정보는 필요 없습니다.",
                "en": "Open the address below, register, and enter the code. It asks for no card.",
            },
            "link": "https://monitoring.example/activate",
            "ends_on": timezone.localdate() + timedelta(days=90),
        },
    )
    if is_new:
        pool.add_codes(offer, [(line, f"DEMO-{secrets.token_hex(4)}") for line in range(1, 201)])


def _in_languages_of(incident: Incident, mapping_text: str) -> str:
    """Returns a mapping that gives people a language that the portal, too, has."""
    if SOURCE_LANGUAGE in incident.languages:
        return mapping_text
    others = f'"*" = "{SOURCE_LANGUAGE}"'
    return mapping_text.replace(others, f'"*" = "{incident.default_language}"')


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


def send_notice(slug: str = sample.SLUG) -> Notice:
    """Returns the sample's mandatory notice; creates and approves it if that was not done yet.

    The editor creates it and the approver approves it. It is about the first version of the
    statement, because later versions are the visitor's own.
    """
    version = Statement.objects.get(incident__slug=slug, kind=Statement.Kind.NOTICE).versions.get(
        number=1
    )
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
