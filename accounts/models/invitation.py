"""The model of invitations to the response team."""

from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.rights_grant import RightsGrant
from accounts.models.user import User
from accounts.twin_mailboxes import mailbox_of
from foundations.languages import CODE_LENGTH, default_desk_language, desk_languages


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
        _("language"), max_length=CODE_LENGTH, choices=desk_languages, default=default_desk_language
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

        A superuser whom the inviting one made recently, or who has the mailbox of one of them, is
        not a second person.
        """
        is_concerned = staff.pk == self.asked_by_id or mailbox_of(self.email) in staff.mailboxes()
        is_concerned = is_concerned or staff.has_mailbox_of(self.asked_by)
        if not staff.is_superuser or is_concerned:
            return False
        return not RightsGrant.objects.joining(staff, self.asked_by).exists()
