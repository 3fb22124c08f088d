"""The copy of all that the portal holds about one user: for a file in JSON, and a page to print.

It shows the rows as "my data" does, so it opens no row that the page does not open. The apps above
this one add what they hold to SECTIONS in AppConfig.ready.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.customer_passkeys import passkeys_of
from accounts.devices import sessions_of
from accounts.models import User
from incidents.earlier_answers import EarlierAnswer
from incidents.models import WrongAnswer
from incidents.my_data_parts import ClassItem, MyDataPart, PlaceCard, Value

Section = tuple[str, Any]  # the name in the file, and what JSON can hold; times as datetime


class CopySource(NamedTuple):
    """The user of a copy, and the parts of their page with the values in full."""

    user: User
    parts: Sequence[MyDataPart]

    def people(self) -> list[Any]:
        """Returns the keys of the rows whose values the copy shows in full."""
        shown = [part for part in self.parts if part.kind == "leaked" and not part.stays_masked]
        return [part.person.pk for part in shown if part.person]


SECTIONS: list[Callable[[CopySource], Section]] = []


def copy_of(source: CopySource) -> dict[str, Any]:
    """Returns the sections of the copy by name. Raises EncryptionError if an app's part does."""
    own = {
        "account": _account(source.user),
        "incidents": [_part(part) for part in source.parts],
        "done_steps": _rows(source.user.done_steps.all(), "step", "at"),
        "reminders_of_steps": _rows(source.user.step_reminders.all(), "asked_at", "due_at"),
        "claims": _claims(source.user),
        **_of_rows(source.user),
    }
    return own | dict(section(source) for section in SECTIONS)


def _rows(rows: QuerySet[Any], *columns: str) -> list[dict[str, Any]]:
    return list(rows.order_by("pk").values("incident__slug", *columns))


def _of_rows(user: User) -> dict[str, Any]:
    """Returns what is recorded about a user's own rows, also of those that open no more.

    A row opens no more after its contact is removed, or the scope version withdrawn.
    """
    found: dict[str, QuerySet[Any]] = {
        "seen_in_full": user.reveals.all(),
        "right_answers": user.row_proofs.all(),
        "wrong_answers": WrongAnswer.objects.filter(user=user),
    }
    return {
        name: [
            {"incident": row.person.incident.slug, "title": str(row.person.incident), "at": row.at}
            for row in rows.select_related("person__incident").order_by("at")
        ]
        for name, rows in found.items()
    }


def _claims(user: User) -> list[dict[str, Any]]:
    claims = user.address_claims.select_related("incident").order_by("proposed_at")
    return [
        {"incident": one.incident.slug, "title": str(one.incident), "at": one.proposed_at}
        for one in claims
    ]


def _account(user: User) -> dict[str, Any]:
    return {
        "email_addresses": user.verified_emails(),
        "mobile_numbers": list(user.phones.values("number", "verified_at")),
        "language": user.language,
        "created_at": user.created_at,
        "last_sign_in_at": user.last_login,
        "sessions": [
            {"device": one["device"], "network_address": one["ip"], "began_at": one["began_at"]}
            for one in sessions_of(user)
        ],
        "new_devices": [{"device": str(one), "at": one.at} for one in user.new_devices.all()],
        "passkeys": [
            {"name": one.wrap().name, "made_at": one.created_at, "last_used_at": one.last_used_at}
            for one in passkeys_of(user)
        ],
        "keys_for_programs": list(
            user.look_up_keys.values("name", "made_at", "expires_at", "revoked_at", "last_used_at")
        ),
        "member_numbers": list(user.member_numbers.values("number", "email", "confirmed_at")),
        "joined_accounts": list(
            user.joined_accounts.order_by("at").values_list("at", flat=True).distinct()
        ),
    }


def _part(part: MyDataPart) -> dict[str, Any]:
    """Returns one part of "my data". Its values are in full, unless `parts_are_hidden`."""
    places = [*part.leaked.places, *part.leaked.more_places]
    return {
        "incident": part.incident.slug,
        "title": str(part.incident.title),
        "company": str(part.incident.company),
        "answer": part.kind,
        "heading": part.heading,
        "relation": part.relation,
        "found_by": list(part.finders),
        "parts_are_hidden": part.stays_masked,
        "values_are_withheld": part.leaked.is_withheld,
        "values_deleted_at": part.incident.values_deleted_at,
        "leaked": [_item(item) for item in (*part.leaked.details, *part.leaked.orders)],
        "places": [_place(place) for place in places],
        "did_not_leak": [{"state": one.state_text, "kinds": one.names} for one in part.others],
        "correction": part.note,
        "added": [{"day": one.day, "what": one.lines} for one in part.history],
        "withdrawn": [_withdrawn(one) for one in part.earlier],
        "steps": [{"text": step.text, "is_done": step.is_done} for step in part.steps],
    }


def _withdrawn(answer: EarlierAnswer) -> dict[str, Any]:
    batch = answer.batch
    is_told = batch.public_reason not in ("", batch.PublicReason.OTHER)
    return {
        "at": batch.withdrawn_at,
        "kinds": answer.named,
        "reason": batch.get_public_reason_display() if is_told else "",
    }


def _item(item: ClassItem) -> dict[str, Any]:
    values = [*item.values, *item.more_values]
    return {"kind": item.name, "values": [_value(value) for value in values]}


def _place(place: PlaceCard) -> dict[str, Any]:
    others = [{"kind": name, **_value(value)} for name, value in place.others]
    return {**_value(place.address), "with_it": others}


def _value(value: Value) -> dict[str, str]:
    return {"value": value.text, "date": value.date}
