"""Tickets: what customers ask the company, and what the company answers."""

import uuid
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.due_mails import DueMail, may_be_tried
from accounts.models import User
from foundations import base32
from foundations.languages import CODE_LENGTH
from foundations.localized_fields import LocalizedTextField
from incidents.encryption import TICKET
from incidents.models import Incident

NUMBER_DIGITS = 8  # 2 ** 40 numbers


def new_number() -> str:
    """Returns a random number for a ticket, such as 7QK2-X9ND.

    Consecutive numbers would show how many people ask. It is shorter than a message code.
    """
    return _shown(base32.random_code(NUMBER_DIGITS))


def _shown(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:]}"


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Tickets by owner and state."""

    def for_user(self, user: User) -> Self:
        """Returns the tickets of a customer, the one that changed last first."""
        return self.filter(user=user).select_related("incident").order_by("-changed_at", "-pk")

    def waiting(self) -> Self:
        """Returns the tickets that wait for an answer of the company."""
        return self.filter(state=Ticket.State.WAITING)

    def with_number(self, typed: str) -> "Ticket | None":
        """Returns the ticket with the number that a person typed, or None."""
        digits = base32.as_typed(typed, length=NUMBER_DIGITS)
        return self.filter(number=_shown(digits)).first() if digits else None

    def due_by(self, day: date) -> Self:
        """Returns the tickets that have to be answered on that day or before."""
        return self.waiting().filter(due_on__lte=day)


class Ticket(models.Model):
    """One matter that a customer wrote to the company about. Its texts are in TicketMessage."""

    class Kind(models.TextChoices):
        QUESTION = "question", _("Question")
        ACCESS = "access", _("Access request")
        RECTIFICATION = "rectification", _("Correction request")
        ERASURE = "erasure", _("Deletion request")
        OBJECTION = "objection", _("Objection")
        COMPLAINT = "complaint", _("Complaint")

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for an answer")
        ANSWERED = "answered", _("answered")
        CLOSED = "closed", _("closed")

    number = models.CharField(_("number"), max_length=9, unique=True, default=new_number)
    kind = models.CharField(_("kind"), max_length=13, choices=Kind.choices)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="tickets"
    )
    # Null once the customer closed the account. The ticket stays, as proof that it was answered.
    user = models.ForeignKey(
        User, verbose_name=_("customer"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    language = models.CharField(_("language"), max_length=CODE_LENGTH)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(_("received"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    due_on = models.DateField(_("answer due"))  # a day of the incident's time zone
    answered_at = models.DateTimeField(_("first answered"), null=True)
    # When the period was extended; null again once the ticket is opened again.
    extended_at = models.DateTimeField(_("extended"), null=True)
    assigned_to = models.ForeignKey(
        User,
        verbose_name=_("assigned to"),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        limit_choices_to={"is_staff": True},
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        default_permissions = ("view",)
        permissions = [("answer_ticket", _("Can answer and close tickets"))]
        indexes = [
            # read by the desk's queue: of all, of an incident, of one person
            models.Index(fields=["state", "due_on", "id"], name="ticket_queue"),
            models.Index(
                fields=["incident", "state", "due_on", "id"], name="ticket_queue_of_incident"
            ),
            models.Index(
                fields=["assigned_to", "state", "due_on", "id"],
                condition=Q(assigned_to__isnull=False),
                name="ticket_queue_of_person",
            ),
            # read by "my questions"
            models.Index(fields=["user", "-changed_at"], name="ticket_of_user"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_waiting(self) -> bool:
        """Returns whether the company has to answer."""
        return self.state == self.State.WAITING

    @property
    def days_left(self) -> int:
        """Returns the days until the last day for the answer; negative if it has passed."""
        today = timezone.now().astimezone(self.incident.zone).date()
        return (self.due_on - today).days

    @property
    def age_days(self) -> int:
        """Returns the days since the ticket was received."""
        return (timezone.now() - self.created_at).days

    @property
    def may_be_closed(self) -> bool:
        """Returns whether it was answered once, or no customer is left to answer."""
        return self.state != self.State.CLOSED and (
            self.answered_at is not None or self.user_id is None
        )


class TicketMessageQuerySet(models.QuerySet["TicketMessage"]):
    """Messages of tickets."""

    def for_customer(self) -> Self:
        """Returns the messages that the customer reads, the oldest first."""
        return self.exclude(kind=TicketMessage.Kind.NOTE).order_by("sent_at", "pk")

    def to_mail(self) -> Self:
        """Returns the messages of which the customer gets a mail that is not sent yet."""
        return self.filter(
            may_be_tried(),
            kind__in=TicketMessage.MAILED,
            mailed_at__isnull=True,
            ticket__user__email__contains="@",  # an account may have a phone only
        ).order_by("sent_at")


class TicketMessage(DueMail):
    """One text of a ticket, encrypted under the incident's data keyset. It is never changed."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("from the customer")
        ANSWER = "answer", _("answer")
        EXTENDED = "extended", _("more time needed")
        NOTE = "note", _("internal note")

    MAILED = (Kind.ANSWER, Kind.EXTENDED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.PROTECT, related_name="messages"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    # Null for the customer's own.
    written_by = models.ForeignKey(
        User, verbose_name=_("written by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    ciphertext = models.BinaryField(editable=False)
    # The mail, which names no text.
    mailed_at = models.DateTimeField(_("mail sent"), null=True)

    objects = TicketMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message of a ticket")
        verbose_name_plural = _("messages of tickets")
        default_permissions = ()
        indexes = [
            models.Index(fields=["ticket", "sent_at"], name="messages_of_ticket"),
            # read by the task that sends the mails
            models.Index(
                fields=["sent_at"],
                condition=Q(kind__in=["answer", "extended"], mailed_at__isnull=True),
                name="ticket_mails_due",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="customer", written_by__isnull=True)
                | Q(kind__in=["answer", "extended", "note"], written_by__isnull=False),
                name="ticket_message_has_a_writer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {timezone.localtime(self.sent_at):%Y-%m-%d %H:%M}"

    def encrypt_text(self, text: str) -> None:
        """Encrypts the text into the row, without saving it.

        Raises KeysetShreddedError or EncryptionError.
        """
        cipher = self.ticket.incident.cipher()
        self.ciphertext = cipher.encrypt(text, person=self.pk, purpose=TICKET)

    def decrypt_text(self) -> str:
        """Returns the text. Raises KeysetShreddedError or EncryptionError."""
        cipher = self.ticket.incident.cipher()
        return str(cipher.decrypt(self.ciphertext, person=self.pk, purpose=TICKET))


class AnswerTemplate(models.Model):
    """A text that support often answers with, in each language. Support changes it for the person.

    It holds no data of people.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(
        _("for"),
        max_length=13,
        choices=Ticket.Kind.choices,
        blank=True,
        help_text=_("Left empty, it is offered for each kind of ticket."),
    )
    text = LocalizedTextField(_("text"), is_long=True, max_length=4_000)

    class Meta:
        verbose_name = _("answer template")
        verbose_name_plural = _("answer templates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
