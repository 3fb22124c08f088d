"""Rows that a user opened by a second fact, and the wrong answers."""

from collections.abc import Sequence

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.affected_person import AffectedPerson


class RowProofQuerySet(models.QuerySet["RowProof"]):
    """Proofs of rows, and how they are recorded."""

    def record(self, proofs: Sequence["RowProof"]) -> None:
        """Stores the proofs. One of the same user and row gets the new fact and time."""
        self.bulk_create(
            proofs,
            update_conflicts=True,
            unique_fields=["user", "person"],
            update_fields=["fact", "at"],
        )


class RowProof(models.Model):
    """The record that a user proved by a second fact that a row is theirs.

    It opens a row under a shared contact permanently. The values of a row that only a number found
    are shown in full until the next sign-in. It is deleted with the user's account and with the
    row.
    """

    class Fact(models.TextChoices):
        DIGITS = "digits", _("the last four digits of the phone number")
        NAME = "name", _("the name as it is written")
        EMAIL = "email", _("the part of the e-mail address before the @")

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="row_proofs"
    )
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="proofs",
    )
    fact = models.CharField(_("proven by"), max_length=6, choices=Fact.choices)
    at = models.DateTimeField(_("at"), auto_now_add=True)  # of the newest proof

    objects = RowProofQuerySet.as_manager()

    class Meta:
        verbose_name = _("proof of a row")
        verbose_name_plural = _("proofs of rows")
        constraints = [models.UniqueConstraint(fields=["user", "person"], name="row_proven_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.person_id}"


class WrongAnswer(models.Model):
    """A wrong answer to the question for a second fact, one row for each row that it was tried on.

    It stays when the user's account is deleted, so that a new account gets no new answers. It is
    deleted with the row.
    """

    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="wrong_answers",
    )
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    # It came with the code of a message (AddressChange), whose holder could otherwise use up the
    # answers of the row's owner.
    by_claim = models.BooleanField(db_default=False)

    class Meta:
        verbose_name = _("wrong answer")
        verbose_name_plural = _("wrong answers")

    def __str__(self) -> str:
        return f"{self.person_id} {timezone.localtime(self.at):%Y-%m-%d %H:%M}"
