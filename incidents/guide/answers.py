"""The answers of one person: stored as posted, checked in their order, made into an incident."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from incidents.guide.forms import QUESTIONS, Known, zone_of
from incidents.models import Incident, IncidentDataClass, IncidentDraft, IncidentJurisdiction

NAMES = list(QUESTIONS)
_OF_INCIDENT = (
    *("languages", "default_language", "time_zone", "phone_region", "company", "aware_at"),
    *("began_on", "ended_on", "illegal_access", "reported_count", "title", "slug", "summary"),
    *("department", "contact_phone", "contact_email", "official_contacts"),
)
_STATES = {
    "involved": IncidentDataClass.State.INVOLVED,
    "possibly": IncidentDataClass.State.POSSIBLY,
    "not_involved": IncidentDataClass.State.NOT_INVOLVED,
}


class NotRecordedError(Exception):
    """The incident was not recorded; `question` has to be answered again."""

    def __init__(self, question: str, reason: str = "") -> None:
        super().__init__(reason)
        self.question = question


@dataclass
class CheckedAnswers:
    """The answers before a question that are valid, and the first one that is not."""

    known: dict[str, Any] = field(default_factory=dict)
    first_open: str = ""  # the name of a question; "" if all are answered


def draft_of(user: User) -> IncidentDraft:
    """Returns the user's stored answers, or an unsaved empty draft."""
    return IncidentDraft.objects.filter(by=user).first() or IncidentDraft(by=user)


def store(user: User, name: str, posted: QueryDict) -> None:
    """Stores an answer as it was posted, valid or not, so that it is not lost."""
    fields = {
        key: [value.replace("\0", "") for value in values]  # PostgreSQL stores no NUL
        for key, values in posted.lists()
        if key != "csrfmiddlewaretoken"
    }
    with transaction.atomic():
        IncidentDraft.objects.get_or_create(by=user)
        draft = IncidentDraft.objects.select_for_update().get(by=user)
        draft.answers = {**draft.answers, name: fields}
        draft.save()


def checked(draft: IncidentDraft, *, before: str = "") -> CheckedAnswers:
    """Returns the valid answers to the questions before `before`, or to all.

    It stops at the first question without a valid answer: later ones may depend on it.
    """
    found = CheckedAnswers()
    for name in NAMES:
        if name == before:
            return found
        form = form_of(draft, name, found.known)
        with timezone.override(zone_of(found.known)):
            is_valid = form.is_bound and form.is_valid()
        if not is_valid:
            found.first_open = name
            return found
        found.known |= form.cleaned_data
    return found


def form_of(draft: IncidentDraft, name: str, known: Known) -> Any:
    """Returns the form of a question, with the stored answer or with suggestions."""
    kind = QUESTIONS[name]
    if name not in draft.answers:
        return kind(known=known, initial=kind.suggested(known))
    data = QueryDict(mutable=True)
    for key, values in draft.answers[name].items():
        data.setlist(key, values)
    return kind(data, known=known)


def record(user: User) -> Incident:
    """Makes the incident of the user's answers, hidden from customers, and deletes the draft.

    Raises NotRecordedError if an answer is missing or no longer valid.
    """
    with transaction.atomic():
        draft = IncidentDraft.objects.select_for_update().filter(by=user).first()
        found = checked(draft or IncidentDraft(by=user))
        if draft is None or found.first_open:
            raise NotRecordedError(found.first_open or NAMES[0])
        try:
            with transaction.atomic():
                incident = _recorded(found.known)
        except (ValidationError, IntegrityError) as error:
            # Another person took the address in the meantime.
            raise NotRecordedError("title", "; ".join(getattr(error, "messages", []))) from None
        draft.delete()
    return incident


def _recorded(known: Known) -> Incident:
    incident = Incident(**{name: known[name] for name in _OF_INCIDENT})
    incident.make_keysets()
    incident.full_clean()
    incident.save()
    IncidentJurisdiction.objects.bulk_create(
        IncidentJurisdiction(incident=incident, jurisdiction=name)
        for name in known["jurisdictions"]
    )
    IncidentDataClass.objects.bulk_create(
        IncidentDataClass(
            incident=incident, data_class=data_class, state=state, basis=known["basis"]
        )
        for name, state in _STATES.items()
        for data_class in known[name]
    )
    return incident
