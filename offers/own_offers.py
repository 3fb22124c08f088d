"""The offers of one user: which are theirs, the codes that they took, and the hand-out of one.

The rows come from the parts of "my data", so an offer is open only to a user to whom the page opens
a row. A row that only a number found needs the second fact first, if it has one: the number can
have passed to another person. See docs/decisions/0091.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.twin_mailboxes import main_spelling
from foundations.prepared_statements import run_prepared
from foundations.replica import read_connection
from incidents.encryption import EncryptionError
from incidents.leaks import leaked_classes_of
from incidents.models import AffectedPerson, Incident
from incidents.my_data import masked, parts_for
from incidents.my_data_parts import MyDataPart
from incidents.own_copy import CopySource, Section
from incidents.own_facts import own_facts
from incidents.person_names import are_same_names, may_name_one_person
from incidents.same_person import are_one_person
from notices.models import Delivery
from offers.models import Offer, OfferClass, OfferTaking, PoolCode, TakingClaim

logger = logging.getLogger(__name__)
Rows = list[AffectedPerson]


class NotOpenError(Exception):
    """The offer is not for the user, or may not be taken any more."""


class PoolEmptyError(Exception):
    """All codes of the offer are handed out."""


@dataclass(frozen=True)
class TakenCode:
    """A code that was handed out to the user. `text` is None if it cannot be decrypted."""

    text: str | None
    taken_at: datetime


@dataclass(frozen=True)
class OwnOffer:
    """An offer as "my data" shows it to one user, under `part`, the last one of its incident."""

    offer: Offer
    part: MyDataPart
    codes: Sequence[TakenCode] = ()
    needs_answer: bool = False  # a second fact opens it
    # What identifies each person for whom a code may be taken now: rows, and mailboxes.
    untaken: Sequence[frozenset[UUID]] = ()

    @property
    def may_take(self) -> bool:
        """Returns whether a press takes a code, if there is one."""
        return bool(self.untaken)

    @property
    def is_folded(self) -> bool:
        """Returns whether the page shows the title alone until the user opens the offer."""
        is_empty = self.may_take and self.offer.pool_is_empty
        return not (self.codes or self.needs_answer or is_empty)

    @property
    def place(self) -> str:
        """Returns the id of the offer's element in the page."""
        return f"offer{self.offer.pk}"


def own_offers(user: User, parts: Sequence[MyDataPart]) -> list[OwnOffer]:
    """Returns the offers that the page with these parts shows.

    These are open ones for a row of the user, and those of which the user has a code. It makes one
    query if no incident has an offer, and at most seven more.
    """
    last = {part.incident.pk: part for part in sorted(parts, key=lambda one: one.kind == "leaked")}
    if not _have_offers(last):
        return []
    offers = list(Offer.objects.shown().filter(incident__in=list(last)))
    boxes = {main_spelling(email) for email in user.verified_emails()}
    rows = {offer.incident_id: _OwnRows(last[offer.incident_id], parts, boxes) for offer in offers}
    for offer in offers:
        offer.incident = last[offer.incident_id].incident
    takings = _takings(user, offers, rows)
    audience = _Audience(offers, [row.pk for each in rows.values() for row in each.found])
    found = (_own_offer(offer, rows[offer.incident_id], takings, audience) for offer in offers)
    return [own for own in found if own]


def _have_offers(incidents: Iterable[int]) -> bool:
    """Returns whether an incident with one of these ids has an offer.

    It is written in SQL, because Django takes longer to build the query of the offers than all of
    "my data" needs of the database, and most incidents have no offer.
    """
    any_offer = "SELECT EXISTS (SELECT FROM offers_offer WHERE incident_id = ANY(%s::bigint[]))"
    with run_prepared(read_connection(), any_offer, [list(incidents)]) as cursor:
        (found,) = cursor.fetchone()
    return bool(found)


class _OwnRows:
    """The rows of one incident that are the user's, and what identifies each of their people."""

    def __init__(self, part: MyDataPart, parts: Iterable[MyDataPart], boxes: set[str]) -> None:
        """`part` is the incident's last one of `parts`; `boxes` are the user's mailboxes."""
        self.part = part
        leaked = [
            each for each in parts if each.kind == "leaked" and each.incident.pk == part.incident.pk
        ]
        self.found = [each.person for each in leaked if each.person]
        opened = [each.person for each in leaked if each.person and not each.takes_answer]
        self.are_locked = bool(self.found) and not opened
        groups = _by_person(opened)
        own = _indexes_of(boxes, part.incident) if len(groups) == 1 else frozenset()
        self.claims = [frozenset(row.pk for row in group) | own for group in groups]
        # Without an open row a number shows nothing: it can have passed to another person.
        self.shows_codes = bool(self.claims or boxes)


def _by_person(rows: Iterable[AffectedPerson]) -> list[Rows]:
    """Returns the rows of a user, together where they may be of one person.

    They are of several people, such as a family, where their names differ. Rows that share no
    contact are so only with two full names: a person may be called in several ways.
    """
    groups: list[Rows] = []
    for row in rows:
        same = [group for group in groups if not any(_are_two(row, other) for other in group)]
        others = [group for group in groups if group not in same]
        groups = [*others, [row, *(each for group in same for each in group)]]
    return groups


def _are_two(one: AffectedPerson, other: AffectedPerson) -> bool:
    is_shared = any(
        first and first == second
        for first, second in (
            (one.email_index, other.email_index),
            (one.phone_index, other.phone_index),
        )
    )
    if is_shared and are_one_person([one, other]):
        return False
    try:
        names = [row.decrypt_contact().get("n", "") for row in (one, other)]
    except EncryptionError:
        return False
    return not (are_same_names if is_shared else may_name_one_person)(*names)


def _indexes_of(boxes: Iterable[str], incident: Incident) -> frozenset[UUID]:
    """Returns the blind indexes of mailboxes; each has one, however its address is spelled."""
    try:
        cipher = incident.cipher()
    except EncryptionError:
        return frozenset()
    return frozenset(cipher.blind_index("mailbox", box) for box in boxes)


def _takings(
    user: User, offers: Sequence[Offer], rows: dict[int, _OwnRows]
) -> list[tuple[OfferTaking, frozenset[UUID]]]:
    """Returns the takings of the user or of the same person, with their claims, by time."""
    keys = {key for own in rows.values() for claims in own.claims for key in claims}
    found = OfferTaking.objects.filter(
        Q(user=user)
        | Q(pk__in=TakingClaim.objects.filter(offer__in=offers, key__in=keys).values("taking")),
        offer__in=offers,
    )
    takings = found.select_related("code").prefetch_related("claims").order_by("taken_at", "pk")
    return [(each, frozenset(claim.key for claim in each.claims.all())) for each in takings]


class _Audience:
    """Decides for whom an offer is. It reads classes and deliveries if an offer needs them."""

    def __init__(self, offers: Sequence[Offer], keys: Sequence[UUID]) -> None:
        """`keys` are those of the rows that it decides about."""
        kinds = {offer.audience for offer in offers} if keys else set()
        self._leaked: dict[UUID, tuple[int, ...]] = {}
        self._chosen: dict[int, set[int]] = {}
        self._told: set[tuple[int, UUID | None]] = set()
        if Offer.Audience.CLASSES in kinds:
            self._leaked = leaked_classes_of(keys)
            classes = OfferClass.objects.filter(offer__in=offers)
            for offer, data_class in classes.values_list("offer", "data_class"):
                self._chosen.setdefault(offer, set()).add(data_class)
        if Offer.Audience.NOTICE in kinds:
            told = (
                Q(state=Delivery.State.ACCEPTED)
                | Q(letter__posted_on__isnull=False, letter__returned_on__isnull=True)
                | Q(resends__sent_at__isnull=False)
            )
            deliveries = Delivery.objects.filter(told, person__in=keys)
            self._told = set(deliveries.values_list("notice", "person"))

    def has(self, offer: Offer, keys: Iterable[UUID]) -> bool:
        """Returns whether the offer is for the person of one of these rows."""
        return any(self._has(offer, key) for key in keys)

    def _has(self, offer: Offer, key: UUID) -> bool:
        match offer.audience:
            case Offer.Audience.CLASSES:
                chosen = self._chosen.get(offer.pk, set())
                return not chosen.isdisjoint(self._leaked.get(key, ()))
            case Offer.Audience.NOTICE:
                return (offer.notice_id or 0, key) in self._told
            case _:
                return True


def _own_offer(
    offer: Offer,
    rows: _OwnRows,
    takings: Iterable[tuple[OfferTaking, frozenset[UUID]]],
    audience: _Audience,
) -> OwnOffer | None:
    """Returns the offer as the page shows it, or None if it shows nothing of it."""
    own = [(taking, keys) for taking, keys in takings if taking.offer_id == offer.pk]
    found = {row.pk for row in rows.found}
    if rows.are_locked:
        is_shown = own or (offer.is_open and audience.has(offer, found))
        return OwnOffer(offer, rows.part, needs_answer=True) if is_shown else None
    if not rows.shows_codes:
        return None
    invited = [claims for claims in rows.claims if audience.has(offer, claims & found)]
    if not own and not (invited and offer.is_open):
        return None
    has_taken = bool(own) and len(rows.claims) == 1  # perhaps for a row that opens no more
    untaken = [
        claims
        for claims in invited
        if not has_taken and not any(keys & claims for _taking, keys in own)
    ]
    may_take = offer.is_open and offer.has_codes
    codes = [_taken(offer, taking) for taking, _keys in own]
    return OwnOffer(offer, rows.part, codes, untaken=untaken if may_take else ())


def _taken(offer: Offer, taking: OfferTaking) -> TakenCode:
    taking.code.offer = offer  # with its incident, which holds the keyset
    try:
        return TakenCode(taking.code.decrypt(), taking.taken_at)
    except EncryptionError as error:
        logger.error("code %s cannot be opened: %s", taking.code_id, error)
        return TakenCode(None, taking.taken_at)


def take(user: User, key: int, *, has: int = 0) -> None:
    """Hands out one code of the offer with this key to the user, who has `has` codes of it.

    Does nothing if the user has more already: a second press takes no second code. Of two takings
    of one person at the same moment, on whatever host, the claims let one pass. Raises
    NotOpenError and PoolEmptyError.
    """
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)  # serialises two tabs
            parts = parts_for(user, own_facts(user), masked)
            own = next((one for one in own_offers(user, parts) if one.offer.pk == key), None)
            if own is None or not (own.untaken or own.codes):
                raise NotOpenError
            if own.untaken and len(own.codes) == has:
                _hand_out(user, own.offer, own.untaken[0])
    except IntegrityError:
        logger.info("offer %s: another account of the person took the code", key)


def _hand_out(user: User, offer: Offer, claims: Iterable[UUID]) -> None:
    taking = OfferTaking(pk=uuid4(), offer=offer, user=user, taken_at=timezone.now())
    # Before the code, so that a refused taking keeps none away from others; sorted, so that two
    # takings wait for each other in one order. The database checks the foreign key at the end.
    TakingClaim.objects.bulk_create(
        TakingClaim(offer=offer, key=key, taking=taking) for key in sorted(claims)
    )
    left = PoolCode.objects.filter(offer=offer, taken_at__isnull=True).order_by("pk")
    code = left.select_for_update(skip_locked=True).first()
    if code is None:
        raise PoolEmptyError
    code.taken_at = taking.taken_at
    code.save(update_fields=["taken_at"])
    taking.code = code
    taking.save(force_insert=True)


def my_data_context(user: User, parts: Sequence[MyDataPart]) -> dict[str, Any]:
    """Returns what the page "my data" shows of offers."""
    return {"own_offers": own_offers(user, parts)}


def copy_section(source: CopySource) -> Section:
    """Returns the codes that the user took, for the copy of the user's own data."""
    return "offers", [
        {
            "incident": own.offer.incident.slug,
            "title": str(own.offer.title),
            "link": own.offer.link,
            "last_day": own.offer.ends_on,
            "taken_at": code.taken_at,
            "code": code.text,
        }
        for own in own_offers(source.user, source.parts)
        for code in own.codes
    ]
