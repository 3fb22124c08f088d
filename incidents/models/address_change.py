"""New addresses and numbers of affected people, which the team records or a customer claims."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.due_mails import MOST_TRIES, DueMail, is_time
from accounts.models import User
from incidents import encryption
from incidents.models.affected_person import AffectedPerson, FurtherContact
from incidents.models.incident import Incident
from incidents.models.person_mark import PersonMark
from incidents.models.proposal import Proposal, ProposalQuerySet
from incidents.models.row_proof import RowProof

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
        """Returns the confirmed changes, and the claims, of which the contact in the data may be
        told now.

        incidents.address_mails decides which contact that is, if any.
        """
        open_incidents = {"incident__shredded_at": None, "incident__is_public": True}
        has_tries = Q(mail_tries__lt=MOST_TRIES) | Q(text_tries__lt=MOST_TRIES)
        is_made = Q(confirmed_at__isnull=False) | ~Q(claim_fact="")
        due = self.filter(is_time() & has_tries & is_made, told_at=None)
        return due.filter(**open_incidents).order_by("pk")

    def claims(self) -> "AddressChangeQuerySet":
        """Returns the changes that a customer claims with the code of a message."""
        return self.exclude(claim_fact="")

    def claims_to_open(self) -> "AddressChangeQuerySet":
        """Returns the claims whose contact in the data was told ADDRESS_CLAIM_HOURS ago.

        Not of a row that was closed meanwhile: only its owner reads that mark.
        """
        told_before = timezone.now() - timedelta(hours=settings.ADDRESS_CLAIM_HOURS)
        open_incidents = {"incident__shredded_at": None, "incident__is_public": True}
        waiting = self.claims().waiting().filter(claimed_by__isnull=False, **open_incidents)
        closed = PersonMark.objects.closing().values("person")
        return waiting.filter(told_at__lte=told_before).exclude(person__in=closed)

    def claims_to_decide(self) -> "AddressChangeQuerySet":
        """Returns the claims of which no contact in the data could be told within an hour."""
        since = timezone.now() - timedelta(hours=1)
        return self.claims().waiting().filter(told_at=None, proposed_at__lte=since)

    def to_decide(self) -> "AddressChangeQuerySet":
        """Returns what waits for a member of the team."""
        late = self.claims_to_decide().values("pk")
        return self.waiting().filter(Q(claim_fact="") | Q(pk__in=late))

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
    Or a customer claims it with the code of a message and a second fact; then it is confirmed by
    time, or by a member of the team. See docs/decisions/0135.

    It finds the person's row, and opens it only together with a second fact. The address in the
    data stays as it is, and is told. The rows are never changed or deleted, except that the purge
    of a shredded incident deletes them. See docs/decisions/0099.
    """

    class StoppedBy(models.TextChoices):
        """Who, other than the team, withdrew or ended a claim."""

        CLAIMANT = "claimant", _("the customer who made it")
        CONTACT = "contact", _("the contact in the data")

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
    proposed_by = models.ForeignKey(  # type: ignore[assignment]  # none of a claim
        User, verbose_name=_("proposed by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    claimed_by = models.ForeignKey(
        User,
        verbose_name=_("claimed by"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="address_claims",
    )
    claim_fact = models.CharField(  # of a claim; else ""
        _("second fact"), max_length=6, choices=RowProof.Fact.choices, blank=True
    )
    claimed_with = models.BigIntegerField(null=True, editable=False)  # the message's delivery
    stopped_by = models.CharField(
        _("stopped by"), max_length=8, choices=StoppedBy.choices, blank=True
    )
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
                | Q(ended_at__isnull=False, confirmed_at__isnull=False)
                & (Q(ended_by__isnull=False) | ~Q(stopped_by="")),
                name="confirmed_address_ended_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=False, claim_fact="", claimed_by__isnull=True)
                | Q(proposed_by__isnull=True, claimed_with__isnull=False) & ~Q(claim_fact=""),
                name="address_proposed_or_claimed",
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

    @property
    def is_claim(self) -> bool:
        """Returns whether a customer claimed it."""
        return self.claim_fact != ""

    @property
    def proposer(self) -> User | None:
        """Returns who proposed or claimed it; None if that account is closed."""
        return self.proposed_by or self.claimed_by

    @property
    def opens_at(self) -> datetime | None:
        """Returns when a claim opens the row; None if no contact in the data was told yet."""
        return self.told_at and self.told_at + timedelta(hours=settings.ADDRESS_CLAIM_HOURS)

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
        others = AddressChange.objects.waiting().exclude(proposed_by=by).exclude(claimed_by=by)
        with transaction.atomic():
            is_done = others.filter(pk=self.pk).update(confirmed_by=by, confirmed_at=timezone.now())
            if is_done:
                self._prove()
        return bool(is_done)

    def open_claim(self) -> bool:
        """Confirms a claim that is due: it opens the row. Returns False if it is not."""
        with transaction.atomic():
            due = AddressChange.objects.claims_to_open().filter(pk=self.pk)
            is_done = due.update(confirmed_at=timezone.now())
            if is_done:
                self._prove()
        return bool(is_done)

    def _prove(self) -> None:
        """Records the second fact of a claim, after the confirmation: so it counts."""
        if self.claimed_by_id is not None:
            proof = RowProof(user_id=self.claimed_by_id, person_id=self.person_id)
            proof.fact = self.claim_fact
            RowProof.objects.record([proof])

    def end(self, by: User, reason: str) -> bool:
        """Ends the change: the address finds the row no more. Returns False if it does not count.

        What a user opened by a second fact stays open to the person's other contacts only.
        """
        counting = AddressChange.objects.counting().filter(pk=self.pk)
        ended = {"ended_at": timezone.now(), "ended_by": by, "ended_reason": reason}
        return counting.update(**ended) == 1

    def stop(self, by: StoppedBy) -> bool:
        """Withdraws or ends a claim without the team. Returns False if it is over already.

        What the contact in the data stops opens no row of that account by its second fact either.
        """
        now, claim = timezone.now(), AddressChange.objects.claims().filter(pk=self.pk)
        with transaction.atomic():
            is_done = claim.waiting().update(withdrawn_at=now, stopped_by=by)
            is_done += claim.counting().update(ended_at=now, stopped_by=by)
            if is_done and by == self.StoppedBy.CONTACT:
                RowProof.objects.filter(user=self.claimed_by_id, person=self.person_id).delete()
        return bool(is_done)
