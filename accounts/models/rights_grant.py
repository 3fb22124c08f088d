"""The model of rights on the desk that one superuser asks for and another confirms."""

from datetime import timedelta

from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User

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
        return f"{self.user} {timezone.localtime(self.asked_at):%Y-%m-%d}"

    def may_be_confirmed_by(self, staff: User) -> bool:
        """Returns whether `staff` is a superuser who neither asked for the rights nor gets them.

        A superuser whom the asking one made recently, or who has the mailbox of one of them, is not
        a second person.
        """
        if not staff.is_superuser or staff.pk in (self.asked_by_id, self.user_id):
            return False
        if staff.has_mailbox_of(self.asked_by) or staff.has_mailbox_of(self.user):
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
            user.end_customers_keys()
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
