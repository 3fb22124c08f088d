"""New addresses and numbers of affected people, which two people of the team record together."""

from collections.abc import Iterable, Sequence

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.due_mails import MOST_TRIES, DueMail, is_time
from accounts.models import User
from incidents import encryption
from incidents.models.affected_person import AffectedPerson, FurtherContact
from incidents.models.incident import Incident
from incidents.models.proposal import Proposal, ProposalQuerySet

Kind = FurtherContact.Kind


class AddressChangeQuerySet(ProposalQuerySet["AddressChange"]):
    """Changes of address by state and address."""

    def counting(self) -> "AddressChangeQuerySet":
        """Returns the changes by whose address a person is found."""
        return self.filter(confirmed_at__isnull=False, ended_at__isnull=True)

    def open(self) -> "AddressChangeQuerySet":
        """Returns the changes that count or wait."""
        return self.filter(withdrawn_at__isnull=True, ended_at__isnull=True)

    def to_tell(self) -> "AddressChangeQuerySet":
        """Returns the confirmed changes of which the contact in the data may be told now.

        incidents.address_mails decides which contact that is, if any.
        """
        open_incidents = {"incident__shredded_at": None, "incident__is_public": True}
        has_tries = Q(mail_tries__lt=MOST_TRIES) | Q(text_tries__lt=MOST_TRIES)
        due = self.filter(is_time() & has_tries, confirmed_at__isnull=False, told_at=None)
        return due.filter(**open_incidents).order_by("pk")

    def with_contact(
        self, *, emails: Sequence[str], phones: Sequence[str], incidents: Iterable[Incident]
    ) -> "AddressChangeQuerySet":
        """Returns the counting changes with one of the normalised addresses or numbers.

        Raises EncryptionError if a keyset of one incident cannot be decrypted.
        """
        ciphers = [incident.cipher() for incident in incidents]
        indexes = [cipher.email_index(one) for cipher in ciphers for one in emails]
        indexes += [cipher.phone_index(one) for cipher in ciphers for one in phones]
        return self.counting().filter(contact_index__in=indexes)


class AddressChange(Proposal, DueMail):
    """A new address or number of a person: one member of the team proposes it, another confirms it.

    It finds the person's row, and opens it only together with a second fact. The address in the
    data stays as it is, and is told. The rows are never changed or deleted, except that the purge
    of a shredded incident deletes them. See docs/decisions/0099.
    """

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="+"
    )
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="address_changes",
    )
    kind = models.SmallIntegerField(_("kind"), choices=Kind.choices)
    contact_index = models.UUIDField(editable=False)
    ciphertext = models.BinaryField(editable=False)  # the normalised address or number
    told_at = models.DateTimeField(_("contact in the data told"), null=True)
    text_tries = models.PositiveSmallIntegerField(default=0)  # refusals of the number
    ended_by = models.ForeignKey(
        User, verbose_name=_("ended by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_reason = models.CharField(_("why it was ended"), max_length=500, blank=True)

    objects = AddressChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of address")
        verbose_name_plural = _("changes of address")
        ordering = ["-proposed_at"]
        default_permissions = ("add", "view")
        permissions = [("confirm_addresschange", _("Can confirm changes of address"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="address_confirmed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False, confirmed_at__isnull=False),
                name="confirmed_address_ended_by_a_person",
            ),
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=Q(withdrawn_at__isnull=True, ended_at__isnull=True),
                name="one_new_address_of_a_person",
            ),
        ]
        indexes = [
            models.Index(
                fields=["contact_index"],
                condition=Q(confirmed_at__isnull=False, ended_at__isnull=True),
                name="person_by_new_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {timezone.localtime(self.proposed_at):%Y-%m-%d}"

    @property
    def is_counting(self) -> bool:
        """Returns whether the person is found by the address."""
        return self.confirmed_at is not None and self.ended_at is None

    def is_refused(self, kind: int) -> bool:
        """Returns whether the contact of this kind in the data was refused permanently."""
        tries = self.mail_tries if kind == Kind.EMAIL else self.text_tries
        return tries >= MOST_TRIES

    def set_contact(self, contact: str) -> None:
        """Stores a normalised address or number, encrypted. Raises EncryptionError."""
        cipher = self.incident.cipher()
        index = cipher.email_index if self.kind == Kind.EMAIL else cipher.phone_index
        self.contact_index = index(contact)
        self.ciphertext = cipher.encrypt(
            {"c": contact}, person=self.person_id, purpose=encryption.ADDRESS_CHANGE
        )

    def contact(self) -> str:
        """Returns the address or number. Raises EncryptionError."""
        cipher = self.incident.cipher()
        held = cipher.decrypt(
            bytes(self.ciphertext), person=self.person_id, purpose=encryption.ADDRESS_CHANGE
        )
        return str(held["c"])

    def confirm(self, by: User) -> bool:
        """Records `by` as the second person. From then on the address finds the row.

        Returns False, and changes nothing, if the proposal no longer waits or `by` made it.
        """
        waiting = AddressChange.objects.waiting().exclude(proposed_by=by).filter(pk=self.pk)
        return bool(waiting.update(confirmed_by=by, confirmed_at=timezone.now()))

    def end(self, by: User, reason: str) -> bool:
        """Ends the change: the address finds the row no more. Returns False if it does not count.

        What a user opened by a second fact stays open to the person's other contacts only.
        """
        counting = AddressChange.objects.counting().filter(pk=self.pk)
        ended = {"ended_at": timezone.now(), "ended_by": by, "ended_reason": reason}
        return counting.update(**ended) == 1
