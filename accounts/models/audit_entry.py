"""The model of the audit trail."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries of the audit trail by what a reader asks for."""

    def linked(self) -> "AuditEntryQuerySet":
        """Returns the entries with a number and a hash, in the order of the chain."""
        return self.filter(number__isnull=False).order_by("number")

    def about_staff(self, user: AbstractBaseUser) -> "AuditEntryQuerySet":
        """Returns what `user` did, and the changes of the user's row while on the response team."""
        changed = models.Q(object_type="accounts_user", object_id=str(user.pk))
        return self.filter(
            models.Q(actor_id=user.pk) | changed & models.Q(kind__in=["added", "changed"])
        )

    def refused_to(self, user: AbstractBaseUser) -> "AuditEntryQuerySet":
        """Returns the refused attempts of `user`, newest first."""
        return self.filter(actor_id=user.pk, kind=AuditEntry.Kind.REFUSED).order_by("-id")

    def too_many_look_ups(self, since: datetime) -> "AuditEntryQuerySet":
        """Returns the refusals after `since` of members who opened too many customers."""
        reason = {"details__reason": AuditEntry.TOO_MANY_LOOK_UPS}
        return self.filter(kind=AuditEntry.Kind.REFUSED, at__gt=since, **reason)

    def rights_added_to_roles(self, since: datetime) -> "AuditEntryQuerySet":
        """Returns the entries of each right that a role got after `since`."""
        table = Group.permissions.through._meta.db_table
        return self.filter(object_type=table, kind=AuditEntry.Kind.ADDED, at__gt=since)

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

    TOO_MANY_LOOK_UPS = "too many look-ups"  # the reason of a refusal

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
