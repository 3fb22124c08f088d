"""Finds affected people by what a customer gives to support."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.desk_look_ups import LookUpReasonForm, typed_field
from foundations.plain_references import plain_reference
from incidents.encryption import EncryptionError
from incidents.importing.refusals import translate_refusal
from incidents.models import AddressChange, AffectedPerson, Incident

# Functions that return the keys of the people to whom the message with this code went, and None if
# the text is no such code. The apps above this one add theirs in AppConfig.ready.
PEOPLE_OF_CODES: list[Callable[[str], list[UUID] | None]] = []


class UnreadableInputError(Exception):
    """A text is nothing by which a person can be found."""


def people_of(typed: str) -> list[AffectedPerson]:
    """Returns the rows of an e-mail address, phone number, member number or message code.

    Incidents that are shredded are left out; those that are not public are included. The incident
    that the company learned of last comes first. Raises UnreadableInputError if the text is none of
    them, and EncryptionError if the keysets of an incident cannot be decrypted.
    """
    incidents = list(Incident.objects.filter(shredded_at=None))
    rows = AffectedPerson.objects.filter(incident__in=incidents)
    for find in PEOPLE_OF_CODES:
        if (of_code := find(typed)) is not None:
            return list(rows.filter(pk__in=of_code).select_related("incident"))
    email, phone = normalise_email(typed), normalise_phone(typed)
    emails = [email] if is_usable_email(email) else []
    phones = [phone] if phone and not emails else []
    keys = [] if "@" in typed else _keys_of_member(plain_reference(typed), incidents)
    if not (emails or phones or keys):
        raise UnreadableInputError
    contacts: dict[str, Any] = {"emails": emails, "phones": phones, "incidents": incidents}
    found = list(rows.with_contact(**contacts))
    recorded = AddressChange.objects.with_contact(**contacts).values_list("person_id", flat=True)
    others = rows.filter(pk__in={*keys, *recorded} - {each.pk for each in found})
    return [*found, *others.select_related("incident").order_by("-incident__aware_at", "pk")]


def _keys_of_member(number: str, incidents: list[Incident]) -> list[UUID]:
    """Returns the keys that rows with this member number have, where references are such."""
    relations = (AffectedPerson.Relation.MEMBER, AffectedPerson.Relation.FORMER_MEMBER)
    return [
        incident.cipher().person_id(relation.name.lower(), number)
        for incident in incidents
        if incident.has_member_numbers
        for relation in relations
    ]


class PersonLookUpForm(LookUpReasonForm):
    """A look-up of affected people by what a customer gives to support."""

    asked = typed_field(gettext_lazy("E-mail, phone, member number or message code"))
    field_order = ["asked", "reason"]

    def clean(self) -> dict[str, Any]:
        """Adds {"people": the rows that were found}."""
        cleaned = super().clean() or {}
        typed = cleaned.get("asked")
        return {**cleaned, "people": self._people(typed) if typed and not self.errors else []}

    def _people(self, typed: str) -> list[AffectedPerson]:
        try:
            return people_of(typed)
        except UnreadableInputError:
            self.add_error("asked", _("This is no e-mail address, phone number or message code."))
        except EncryptionError as error:
            self.add_error(None, translate_refusal(str(error)))
        return []
