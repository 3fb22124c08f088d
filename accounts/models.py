"""Users and their phones. A user has no user name and no password, but an address or a number.

The user signs in with a code that is sent to that address, or to a number by text message.
"""

from datetime import timedelta
from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.company_sign_on.identities import (
    CompanyIdentity,  # noqa: F401  # Django finds the models of an app here
)
from accounts.company_sign_on.member_numbers import (
    MemberNumber,  # noqa: F401  # for the same reason
)
from accounts.contacts import normalise_email, readable_contact
from accounts.desk_api.tokens import ApiToken  # noqa: F401  # Django finds the models of an app here
from accounts.joined_account import JoinedAccount  # noqa: F401  # for the same reason
from accounts.new_device import NewDevice  # noqa: F401  # for the same reason
from accounts.sent_mail import SentMail  # noqa: F401  # for the same reason
from foundations.languages import CODE_LENGTH, default_language, portal_languages

# Carriers give a number to another person some time after its owner gave it up: in the US after 45
# days at the earliest (47 CFR 52.15), in Korea after 90 since April 2023. A younger proof shows
# that the owner is still the same.
NUMBER_STAYS_FOR = timedelta(days=45)


# ON CONFLICT DO NOTHING, because PostgreSQL logs the address of a failed INSERT.
_MAKE = """
WITH made AS (
    INSERT INTO accounts_user
        (email, language, password, name, is_superuser, is_staff, is_active, created_at)
    VALUES (%(email)s, %(language)s, %(password)s, '', false, false, true, %(now)s)
    ON CONFLICT DO NOTHING RETURNING *
), proven AS (
    INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, email, true, true FROM made ON CONFLICT DO NOTHING
)
"""


class StaffNumberError(Exception):
    """The number belongs to the response team, whose members sign in by e-mail only."""


class UserManager(BaseUserManager["User"]):
    """Creates users with a verified address or number: a code or the operator has proven it."""

    def create_user(self, email: str, **fields: Any) -> "User":
        """Creates a user with `email` as the verified, primary address. Returns the user."""
        user = self.model(email=normalise_email(email), **fields)
        user.set_unusable_password()
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def for_proven_email(self, email: str, *, language: str | None) -> "User":
        """Returns the user of `email`, and creates one if there is none.

        `email` is normalised, and the caller has just verified it. `language` is for a new user
        only. Two browsers may prove the same new address at the same time; both get the same user.
        """
        known = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
        if address := known.first():
            return cast("User", address.user)
        new = {"language": language or settings.LANGUAGE_CODE, "password": make_password(None)}
        return self._made(email, **new) or self._made_meanwhile(email, **new)

    def _made(self, email: str, **new: str) -> "User | None":
        """Creates a user with a verified address, in one statement; None if `email` has a user."""
        fields = self.model._meta.concrete_fields
        columns = ", ".join(str(field.column) for field in fields)
        with connections[self.db].cursor() as cursor:
            values: dict[str, Any] = {**new, "email": email, "now": timezone.now()}
            cursor.execute(f"{_MAKE} SELECT {columns} FROM made", values)  # noqa: S608
            row = cursor.fetchone()
        names = [field.attname for field in fields]
        return self.model.from_db(self.db, names, row) if row else None

    def _made_meanwhile(self, email: str, **new: str) -> "User":
        """Returns the user of `email`, and creates what is missing: another request may have."""
        with transaction.atomic(using=self._db):
            # ON CONFLICT DO NOTHING, because PostgreSQL logs the address of a failed INSERT.
            self.bulk_create([self.model(email=email, **new)], ignore_conflicts=True)
            user = self.get(email=email)
            proven = EmailAddress(user=user, email=email, verified=True, primary=True)
            EmailAddress.objects.bulk_create([proven], ignore_conflicts=True)
            of_user = EmailAddress.objects.filter(user=user, email=email)
            of_user.update(verified=True, primary=True)
        return user

    def for_proven_phone(self, number: str, *, language: str | None) -> "User":
        """Returns the user of `number`, and creates one if there is none.

        `number` is in E.164, and the caller has just verified it. `language` is for a new user
        only. A number whose last proof is older than NUMBER_STAYS_FOR may have another owner by
        now: it begins a new account, and the earlier account loses it. Raises StaffNumberError for
        a number of the response team. See docs/decisions/0056.
        """
        with transaction.atomic(using=self._db):
            # One transaction after the other, so that two browsers get the same user.
            key = f"accounts.phone:{number}"
            with connections[self.db].cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            phone = VerifiedPhone.objects.filter(number=number).select_related("user").first()
            if phone and phone.user.is_or_was_on_team():
                raise StaffNumberError
            is_recent = phone and phone.verified_at > timezone.now() - NUMBER_STAYS_FOR
            if phone and (is_recent or not phone.user.is_active):  # a closed account stays closed
                user = phone.user
            else:
                user = self.model(language=language or settings.LANGUAGE_CODE)
                user.set_unusable_password()
                user.save(using=self._db)
            proven = {"user": user, "verified_at": timezone.now()}
            VerifiedPhone.objects.update_or_create(number=number, defaults=proven)
        return user

    def create_superuser(self, email: str, **fields: Any) -> "User":
        """Creates a superuser for the command `createsuperuser`.

        The superuser sets up the second factor at the first sign-in.
        """
        fields.pop("password", None)  # the command passes one, but users have no password
        return self.create_user(email, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can sign in: a customer, or with `is_staff` a member of the response team.

    A user without an e-mail address has a verified phone.
    """

    email = models.EmailField(  # noqa: DJ001  # a unique column has several nulls, but one ""
        _("e-mail address"), unique=True, null=True
    )
    name = models.CharField(  # of members of the response team only
        _("name"), max_length=100, blank=True
    )
    language = models.CharField(
        _("language"), max_length=CODE_LENGTH, choices=portal_languages, default=default_language
    )
    is_staff = models.BooleanField(_("response team"), default=False)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_staff=False, is_superuser=False)
                | models.Q(email__isnull=False),
                name="staff_have_an_email_address",
            )
        ]
        indexes = [  # the filters of the desk's list
            models.Index(
                fields=["id"], condition=models.Q(is_staff=True), name="users_on_the_team"
            ),
            models.Index(
                fields=["id"], condition=models.Q(is_active=False), name="users_who_may_not_sign_in"
            ),
        ]

    def __str__(self) -> str:
        return self.shown_contact or f"{self._meta.verbose_name} {self.pk}"

    @property
    def contact(self) -> str:
        """The e-mail address or number (E.164) to which codes for this user go; "" for none.

        It is the e-mail address, if there is one: a number can pass to another person. Of several
        numbers it is the one that was proven last.
        """
        if self.email:
            return self.email
        phones = sorted(self.phones.all(), key=lambda phone: phone.verified_at)
        return phones[-1].number if phones else ""

    @property
    def shown_contact(self) -> str:
        """The contact as people write it: a number in groups of digits."""
        return readable_contact(self.contact)

    def get_short_name(self) -> str:
        """Returns the name for the head of the desk; the address of a user without a name."""
        return self.name or str(self)

    def is_or_was_on_team(self) -> bool:
        """Returns whether the user is or was on the response team, or acted on the desk.

        Such an account is deactivated and never deleted; a trigger refuses it, too.
        """
        return (
            self.is_staff
            or self.is_superuser
            or self.logentry_set.exists()
            or AuditEntry.objects.about_staff(self).exists()
        )

    def has_customers_passkey(self) -> bool:
        """Returns whether the user is a customer who can confirm with a passkey."""
        kind = Authenticator.Type.WEBAUTHN
        found = Authenticator.objects.filter(user_id=self.pk, type=kind)
        return not self.is_staff and found.exists()

    def remove_customers_passkeys(self) -> None:
        """Deletes the passkeys of a customer who becomes a member of the response team.

        They were made with a code by mail only, and would be a second factor from now on.
        """
        if not self.is_staff:
            kind = Authenticator.Type.WEBAUTHN
            Authenticator.objects.filter(user_id=self.pk, type=kind).delete()

    def verified_emails(self) -> list[str]:
        """Returns the normalised addresses that the user has verified."""
        addresses = EmailAddress.objects.filter(user=self, verified=True)
        return [normalise_email(address.email) for address in addresses]

    def verified_phones(self) -> list[str]:
        """Returns the numbers in E.164 that the user has verified."""
        return list(self.phones.values_list("number", flat=True))


class VerifiedPhone(models.Model):
    """A phone number that a user has verified. One number belongs to one user."""

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="phones"
    )
    number = models.CharField(_("number"), max_length=16, unique=True, help_text="E.164")
    verified_at = models.DateTimeField(_("verified"), default=timezone.now)

    class Meta:
        verbose_name = _("verified phone")
        verbose_name_plural = _("verified phones")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__regex=r"^\+[1-9][0-9]{5,14}$"), name="phone_is_e164"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def readable(self) -> str:
        """The number as people write it, in groups of digits."""
        return readable_contact(self.number)


class CodeState(models.Model):
    """A state of a sign-in code, or a count of a limit, while Redis is away; see `code_states`.

    The key is a keyed hash, so a row shows neither an address nor a network.
    """

    key = models.CharField(max_length=200, primary_key=True)
    number = models.PositiveIntegerField(default=0)
    value = models.JSONField(null=True)
    expires_at = models.DateTimeField(db_index=True)  # read by the hourly purge

    class Meta:
        default_permissions = ()  # no page of the desk shows it

    def __str__(self) -> str:
        return self.key


# So long after a grant of rights, who gave them and who got them count as one person.
GRANT_JOINS_FOR = timedelta(hours=24)


class RightsGrantQuerySet(models.QuerySet["RightsGrant"]):
    """Grants of rights by state."""

    def joining(self, one: User, other: User) -> "RightsGrantQuerySet":
        """Returns the grants within GRANT_JOINS_FOR by which one user gave the other rights.

        Who asked for the rights and who confirmed them both gave them.
        """
        given = models.Q()
        for giver, taker in ((one.pk, other.pk), (other.pk, one.pk)):
            gave = models.Q(asked_by=giver) | models.Q(confirmed_by=giver)
            given |= gave & models.Q(user=taker)
        return self.filter(given, confirmed_at__gt=timezone.now() - GRANT_JOINS_FOR)

    def waiting(self) -> "RightsGrantQuerySet":
        """Returns the grants that are neither confirmed nor withdrawn."""
        return self.filter(confirmed_at__isnull=True, withdrawn_at__isnull=True)


class RightsGrant(models.Model):
    """New rights of a user on the desk: one superuser asks for them, another confirms them.

    One superuser alone could otherwise make a second account, and be both people wherever the
    portal requires two. Rights are taken away by one person, at once. The rows are the record.
    """

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.PROTECT, related_name="rights_grants"
    )
    is_staff = models.BooleanField(_("response team"), default=False)
    is_superuser = models.BooleanField(_("superuser status"), default=False)
    groups = models.ManyToManyField(Group, verbose_name=_("groups"), related_name="+")
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), on_delete=models.PROTECT, related_name="+", null=True
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = RightsGrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant of rights")
        verbose_name_plural = _("grants of rights")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | models.Q(confirmed_at__isnull=False)
                & ~models.Q(confirmed_by=models.F("asked_by"))
                & ~models.Q(confirmed_by=models.F("user")),
                name="rights_confirmed_by_a_second_person",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="one_waiting_grant_of_rights",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.asked_at:%Y-%m-%d}"

    def may_be_confirmed_by(self, staff: User) -> bool:
        """Returns whether `staff` is a superuser who neither asked for the rights nor gets them.

        A superuser whom the asking one made recently is not a second person.
        """
        if not staff.is_superuser or staff.pk in (self.asked_by_id, self.user_id):
            return False
        return not RightsGrant.objects.joining(staff, self.asked_by).exists()

    def confirm(self, by: User) -> bool:
        """Gives the user the rights, and records `by` as the second person.

        Returns False, and changes nothing, if the grant no longer waits or `by` may not confirm it.
        """
        with transaction.atomic():
            grants = RightsGrant.objects.waiting().select_for_update(of=("self",))
            found = grants.filter(pk=self.pk).first()
            if found is None or not found.may_be_confirmed_by(by):
                return False
            user = User.objects.select_for_update().get(pk=found.user_id)
            user.remove_customers_passkeys()
            user.is_staff |= found.is_staff
            user.is_superuser |= found.is_superuser
            user.save(update_fields=["is_staff", "is_superuser"])
            user.groups.add(*found.groups.all())
            found.confirmed_by, found.confirmed_at = by, timezone.now()
            found.save(update_fields=["confirmed_by", "confirmed_at"])
        return True

    def withdraw(self) -> bool:
        """Withdraws the request. Returns False if it is confirmed or withdrawn already."""
        waiting = RightsGrant.objects.waiting().filter(pk=self.pk)
        return bool(waiting.update(withdrawn_at=timezone.now()))


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by state."""

    def pending(self) -> "InvitationQuerySet":
        """Returns the invitations that are neither accepted nor withdrawn."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True)

    def waiting(self) -> "InvitationQuerySet":
        """Returns the pending invitations that no second superuser has confirmed."""
        return self.pending().filter(confirmed_at__isnull=True)


class Invitation(models.Model):
    """An address that a superuser invites to roles on the response team; another one confirms it.

    A mail brings a link that works once and until `expires_at`. The database holds only the SHA-256
    of its token. Rights are given when the invited person accepts, as a RightsGrant.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for another superuser")
        NOT_SENT = "not_sent", _("confirmed, but not sent")
        SENT = "sent", _("sent")
        EXPIRED = "expired", _("expired")
        ACCEPTED = "accepted", _("accepted by the invited person")
        WITHDRAWN = "withdrawn", _("withdrawn")

    email = models.EmailField(_("e-mail address"))
    language = models.CharField(
        _("language"), max_length=CODE_LENGTH, choices=portal_languages, default=default_language
    )
    groups = models.ManyToManyField(Group, verbose_name=_("roles"), related_name="+")
    asked_by = models.ForeignKey(
        User, verbose_name=_("invited by"), on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(_("invited"), auto_now_add=True)
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), on_delete=models.PROTECT, related_name="+", null=True
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    token_hash = models.BinaryField(null=True, max_length=32, unique=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    expires_at = models.DateTimeField(_("good until"), null=True)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.PROTECT, related_name="+", null=True
    )
    accepted_at = models.DateTimeField(_("invitation accepted"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    confirmed_by__isnull=True, confirmed_at__isnull=True, token_hash__isnull=True
                )
                | models.Q(confirmed_at__isnull=False)
                & ~models.Q(confirmed_by=models.F("asked_by")),
                name="invitation_confirmed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True, user__isnull=True)
                | models.Q(
                    confirmed_at__isnull=False,
                    accepted_at__isnull=False,
                    user__isnull=False,
                    token_hash__isnull=True,
                ),
                name="invitation_accepted_once",
            ),
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="one_pending_invitation",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def state(self) -> "Invitation.State":
        """The state in words for the list of invitations."""
        if self.accepted_at or self.withdrawn_at:
            return self.State.ACCEPTED if self.accepted_at else self.State.WITHDRAWN
        if self.confirmed_at is None:
            return self.State.WAITING
        if self.expires_at and self.expires_at <= timezone.now():
            return self.State.EXPIRED
        return self.State.SENT if self.sent_at else self.State.NOT_SENT

    def may_be_confirmed_by(self, staff: User) -> bool:
        """Returns whether `staff` is a superuser, and neither the inviting nor the invited person.

        A superuser whom the inviting one made recently is not a second person.
        """
        is_concerned = staff.pk == self.asked_by_id or self.email in staff.verified_emails()
        if not staff.is_superuser or is_concerned:
            return False
        return not RightsGrant.objects.joining(staff, self.asked_by).exists()


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries of the audit trail by what a reader asks for."""

    def linked(self) -> "AuditEntryQuerySet":
        """Returns the entries with a number and a hash, in the order of the chain."""
        return self.filter(number__isnull=False).order_by("number")

    def about_staff(self, user: User) -> "AuditEntryQuerySet":
        """Returns what `user` did, and the changes of the user's row while on the response team."""
        changed = models.Q(object_type="accounts_user", object_id=str(user.pk))
        return self.filter(
            models.Q(actor_id=user.pk) | changed & models.Q(kind__in=["added", "changed"])
        )

    def refused_to(self, user: User) -> "AuditEntryQuerySet":
        """Returns the refused attempts of `user`, newest first."""
        return self.filter(actor_id=user.pk, kind=AuditEntry.Kind.REFUSED).order_by("-id")

    def waiting(self) -> "AuditEntryQuerySet":
        """Returns the entries that are not linked yet."""
        return self.filter(number__isnull=True)


class AuditEntry(models.Model):
    """One entry of the audit trail: a change of a row, or an act of the application.

    Only functions of the database add entries (accounts/migrations/sql/audit.sql); the portal's
    account may read them and nothing else. `number` and `hash` link an entry to the one before;
    accounts.audit.chain sets them once. The actor is text and an id without a reference, so an
    entry does not depend on other rows.
    """

    class Kind(models.TextChoices):
        ADDED = "added", _("row added")
        CHANGED = "changed", _("row changed")
        DELETED = "deleted", _("row deleted")
        DESK = "desk", _("entry of the desk’s log")
        SIGN_IN = "sign_in", _("signed in")
        REFUSED = "refused", _("refused")
        LOOK_UP = "look_up", _("looked up")
        REVEAL = "reveal", _("read encrypted data")
        EXPORT = "export", _("exported")
        COMMAND = "command", _("ran a command")
        DIGEST = "digest", _("sent the digest of the trail")
        JOINED = "joined", _("joined into another account")

    at = models.DateTimeField(_("time"))
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("who"), max_length=320)
    account = models.CharField(_("database account"), max_length=63)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    object_type = models.CharField(_("object"), max_length=63)
    object_id = models.CharField(_("number of the object"), max_length=64)
    incident_id = models.BigIntegerField(null=True)
    details = models.JSONField(_("details"))
    number = models.BigIntegerField(null=True, unique=True)
    hash = models.BinaryField(null=True, max_length=32)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        default_permissions = ("view",)
        ordering = ["-id"]
        indexes = [
            # read by the linking of entries
            models.Index(
                fields=["id"], condition=models.Q(number__isnull=True), name="audit_waiting"
            ),
            # read by searches of the trail, and before a user is deleted
            models.Index(fields=["actor_id", "id"], name="audit_by_actor"),
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["incident_id", "id"], name="audit_by_incident"),
            models.Index(fields=["kind", "id"], name="audit_by_kind"),
            models.Index(fields=["at"], name="audit_by_time"),
            # read before a refused attempt is recorded
            models.Index(
                fields=["actor_id", "id"], condition=models.Q(kind="refused"), name="audit_refused"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__isnull=True, hash__isnull=True)
                | models.Q(number__isnull=False, hash__isnull=False),
                name="audit_number_has_a_hash",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_type} {self.object_id}"


class RoleRights(models.Model):
    """The permissions that the portal gave a role last; see accounts.team.roles.

    If the group has others, the company changed it by hand.
    """

    name = models.CharField(_("role"), max_length=150, unique=True)
    rights = ArrayField(models.CharField(max_length=200))  # "app.codename", in their order

    class Meta:
        verbose_name = _("permissions of a role")
        verbose_name_plural = _("permissions of roles")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
