"""Decides which rows of affected people open for a user, and why the others do not.

This is the only way from a user to rows. A row opens by a verified contact that it shares with no
other person, stored or rejected. A contact of several people, such as a family, opens a row only
together with another verified contact or a second fact (incidents.second_fact). A contact of more
people than Incident.shared_contact_bound opens nothing. See docs/decisions/0022 and 0031. A contact
that the team recorded for a person opens the row only with a second fact (0099).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from accounts.company_sign_on import member_numbers
from accounts.models import User
from accounts.twin_mailboxes import twins_of
from foundations.prepared_statements import run_prepared
from foundations.replica import read_connection
from incidents.importing import other_spellings
from incidents.leaks import ExposedRow
from incidents.models import AffectedPerson, FurtherContact, Incident, PersonMark
from incidents.same_person import are_one_person
from incidents.unread_contacts import UNREAD_OF_CONTACT, UnreadRow, may_be_of, unread_rows

Kind = FurtherContact.Kind
# A member number that the customers' provider confirmed, beside FurtherContact.Kind. Its index is
# the key of the row with this reference; see docs/decisions/0001 and 0073.
MEMBER_NUMBER: Literal[3] = 3
MOST_REVEALS = 20  # of a row, the newest first


class LookedUpContact(NamedTuple):
    """A verified contact of the user, with its blind index in one incident."""

    incident: Incident
    kind: FurtherContact.Kind | Literal[3]  # 3: MEMBER_NUMBER
    address: str  # a normalised e-mail address, a number in E.164, or "" for a member number
    contact_index: UUID


class OwnContacts(NamedTuple):
    """What a user has proven: verified contacts, and member numbers that the provider confirmed."""

    emails: Sequence[str]  # normalised
    phones: Sequence[str]  # in E.164
    member_numbers: Sequence[str]


class StrangerCheck(NamedTuple):
    """Where support marked addresses as another person's than an incident's data says."""

    indexes: Callable[[LookedUpContact], Sequence[UUID]]  # under which a contact may be marked
    marked: str  # a SELECT of those that are, of an array of indexes: its only parameter


# The apps above this one add theirs in AppConfig.ready.
STRANGER_CHECKS: list[StrangerCheck] = []


def strangers_among(contacts: Sequence[LookedUpContact]) -> set[LookedUpContact]:
    """Returns those of the contacts that belong to a stranger. One query for each check."""
    if not contacts:
        return set()
    marked: set[UUID] = set()
    with read_connection().cursor() as cursor:
        for check, indexes in zip(STRANGER_CHECKS, _indexes(contacts), strict=True):
            cursor.execute(check.marked, [indexes])
            marked |= {index for (index,) in cursor.fetchall()}
    return {contact for contact in contacts if _is_marked(contact, marked)}


def is_strangers(incident: Incident, kind: FurtherContact.Kind, address: str) -> bool:
    """Returns whether support marked a normalised address as a stranger's in the incident."""
    return bool(strangers_among(looked_up(incident, kind, [address])))


def _is_marked(contact: LookedUpContact, marked: set[UUID]) -> bool:
    return any(not marked.isdisjoint(check.indexes(contact)) for check in STRANGER_CHECKS)


class LockedRow(NamedTuple):
    """A row that does not open yet, and the kinds of the user's contacts that found it."""

    person: AffectedPerson
    found_by: frozenset[int]  # FurtherContact.Kind or MEMBER_NUMBER
    is_recorded: bool = False  # only a contact that the team recorded found it (AddressChange)


@dataclass
class OwnRows:
    """What one incident holds under the user's verified contacts."""

    opened: list[AffectedPerson] = field(default_factory=list)
    locked: list[LockedRow] = field(default_factory=list)  # of several people with one contact
    shared: list[str] = field(default_factory=list)  # addresses of more people than the bound
    strangers: list[str] = field(default_factory=list)  # addresses that support marked
    closed_by: set[str] = field(default_factory=set)  # PersonMark.CLOSING of rows of the user
    notes: dict[UUID, str] = field(default_factory=dict)  # notes of corrections, by person
    # When the user saw the values of an opened row in full, the newest first, by person.
    reveals: dict[UUID, list[datetime]] = field(default_factory=dict)
    # Opened rows that only a number found, without a second fact since the last sign-in: their
    # values stay masked, because the number can have passed to another person. See
    # docs/decisions/0071.
    by_number_only: set[UUID] = field(default_factory=set)
    # The user's addresses and numbers that found each opened row, by person.
    found_by: dict[UUID, list[str]] = field(default_factory=dict)
    # What the files hold of each opened row, by person. Withdrawn batches are left out.
    exposed: dict[UUID, list[ExposedRow]] = field(default_factory=dict)

    def is_empty(self) -> bool:
        """Returns whether no row was found under any contact of the user."""
        found = (self.opened, self.locked, self.shared, self.strangers, self.closed_by)
        return not any(found)


def own_rows(user: User, incidents: Iterable[Incident]) -> dict[int, OwnRows]:
    """Returns what each of `incidents` holds under the user's contacts, by incident id.

    The rows are searched again at each visit, so that a batch that is imported later shows without
    another step. The number of queries does not grow with incidents, contacts or rows. Raises
    EncryptionError if the keysets of an incident cannot be decrypted.
    """
    incidents = list(incidents)
    are_known_by_numbers = any(incident.has_member_numbers for incident in incidents)
    numbers = member_numbers.numbers_of(user.pk) if are_known_by_numbers else []
    own = OwnContacts(user.verified_emails(), user.verified_phones(), numbers)
    return own_rows_under(user, own, incidents)


def own_rows_under(
    user: User, own: OwnContacts, incidents: Sequence[Incident]
) -> dict[int, OwnRows]:
    """Returns what `own_rows` does, for a caller that has read the contacts of `user`.

    One query.
    """
    contacts = [contact for incident in incidents for contact in _all_looked_up(incident, own)]
    found, strangers = _find([user] * len(contacts), contacts)
    by_incident: defaultdict[int, list[_Found]] = defaultdict(list)
    for each in found:
        by_incident[each.contact.incident.pk].append(each)
    return {one.pk: _decided(by_incident[one.pk], strangers) for one in incidents}


def own_rows_of_many(users: Mapping[User, OwnContacts], incident: Incident) -> dict[int, OwnRows]:
    """Returns what one incident holds under the contacts of each of many users, by their ids.

    One query. Raises EncryptionError if the keysets cannot be decrypted.
    """
    owners: list[User] = []
    contacts: list[LookedUpContact] = []
    for user, own in users.items():
        own_contacts = _all_looked_up(incident, own)
        contacts += own_contacts
        owners += [user] * len(own_contacts)
    found, strangers = _find(owners, contacts)
    by_user: defaultdict[int, list[_Found]] = defaultdict(list)
    for owner, each in zip(owners, found, strict=True):
        by_user[owner.pk].append(each)
    return {user.pk: _decided(by_user[user.pk], strangers) for user in users}


def twins_with_rows(
    user: User, emails: Iterable[str], incidents: Iterable[Incident]
) -> dict[int, list[str]]:
    """Returns the twins of the user's verified `emails` under which an incident holds rows.

    See accounts.twin_mailboxes. They open nothing: the user proves a twin by signing in with it.
    Makes no query if no address has twins.
    """
    twins = [twin for email in emails for twin in twins_of(email)]
    contacts = [
        contact for incident in incidents for contact in looked_up(incident, Kind.EMAIL, twins)
    ]
    found: defaultdict[int, list[str]] = defaultdict(list)
    for each in _find([user] * len(contacts), contacts)[0]:
        if each.rows:
            found[each.contact.incident.pk].append(each.contact.address)
    return found


def looked_up(
    incident: Incident, kind: FurtherContact.Kind, addresses: Iterable[str]
) -> list[LookedUpContact]:
    """Returns the addresses of one kind with their blind indexes in an incident."""
    cipher = incident.cipher()
    index = cipher.email_index if kind == Kind.EMAIL else cipher.phone_index
    return [LookedUpContact(incident, kind, address, index(address)) for address in addresses]


def _all_looked_up(incident: Incident, own: OwnContacts) -> list[LookedUpContact]:
    """Returns the contacts of a user in an incident; member numbers if it is known by them."""
    return [
        *looked_up(incident, Kind.EMAIL, own.emails),
        *looked_up(incident, Kind.PHONE, own.phones),
        *_looked_up_numbers(incident, own.member_numbers),
    ]


def incidents_with_number_otherwise(
    user: User, numbers: Collection[str], incidents: Sequence[Incident]
) -> set[int]:
    """Returns the ids of the incidents that have one of the user's `numbers` spelled otherwise.

    The spellings differ in case, in zeros before a number, or in `.0` after it. Such a row may be
    another person's and opens nothing; but the user is not cleared. Makes no query if no incident
    is known by member numbers, or the user has none.
    """
    others = {spelling for number in numbers for spelling in _other_spellings(number)}
    others -= set(numbers)
    contacts = [
        contact for incident in incidents for contact in _looked_up_numbers(incident, others)
    ]
    found, _strangers = _find([user] * len(contacts), contacts)
    return {each.contact.incident.pk for each in found if each.rows}


def _other_spellings(number: str) -> list[str]:
    return [*other_spellings.of(number), number.upper(), number.lower(), number.capitalize()]


def _looked_up_numbers(incident: Incident, numbers: Iterable[str]) -> list[LookedUpContact]:
    """Returns member numbers with their blind indexes; none if the incident has no such numbers."""
    if not incident.has_member_numbers:
        return []
    relations = (AffectedPerson.Relation.MEMBER, AffectedPerson.Relation.FORMER_MEMBER)
    return [
        LookedUpContact(
            incident, MEMBER_NUMBER, "", incident.cipher().person_id(kind.name.lower(), number)
        )
        for number in numbers
        for kind in relations
    ]


# Reads at most one row more than the bound for each contact, so that an address of a million people
# costs as little as that of one. People of withdrawn batches only are not read. What decides about
# a row, and what it holds, comes with it, because each further query costs as much as this one.
# Recorded contacts come last, so that they take no place from the people of the data.
_MARKED = "ARRAY[]::uuid[]"  # in its place: what the STRANGER_CHECKS select, read once
_FIELDS = AffectedPerson._meta.concrete_fields
_COLUMNS = [field.column for field in _FIELDS]
_FIND = f"""
SELECT {", ".join(f"p.{name}" for name in _COLUMNS)}, c.place, {UNREAD_OF_CONTACT} AS unread,
    (
        SELECT r.at FROM incidents_rowproof r WHERE r.person_id = p.id AND r.user_id = c.user_id
    ) AS proven_at,
    (
        SELECT json_object_agg(m.kind, m.note) FROM incidents_personmark m
        WHERE m.person_id = p.id AND m.lifted_at IS NULL
    ) AS live_marks,
    ARRAY(
        SELECT r.at FROM incidents_reveal r WHERE r.person_id = p.id AND r.user_id = c.user_id
        ORDER BY r.at DESC LIMIT {MOST_REVEALS}
    ) AS looks,
    (
        SELECT json_agg(
            json_build_array(
                COALESCE(f.corrects_id, e.file_id), e.data_classes, encode(e.ciphertext, 'hex'),
                EXTRACT(epoch FROM COALESCE(f.finished_at, f.started_at))
            ) ORDER BY e.file_id, e.line
        )
        FROM incidents_exposure e
        JOIN incidents_exposurefile f ON f.id = e.file_id
        JOIN incidents_exposurebatch b ON b.id = f.batch_id
        WHERE e.person_id = p.id AND b.state <> 'withdrawn'
    ) AS exposed,
    found.recorded_at,
    {_MARKED}
FROM unnest(%s::int[], %s::smallint[], %s::uuid[], %s::int[], %s::bigint[])
    WITH ORDINALITY AS c (incident, kind, contact_index, most, user_id, place)
CROSS JOIN LATERAL (
    SELECT found.id, found.recorded_at FROM (
        SELECT id, NULL::timestamptz AS recorded_at FROM incidents_affectedperson
        WHERE c.kind = 1 AND email_index = c.contact_index
        UNION ALL
        SELECT id, NULL FROM incidents_affectedperson
        WHERE c.kind = 2 AND phone_index = c.contact_index
        UNION ALL
        SELECT person_id, NULL FROM incidents_furthercontact f
        WHERE f.kind = c.kind AND f.contact_index = c.contact_index
        UNION ALL
        SELECT id, NULL FROM incidents_affectedperson
        WHERE c.kind = {MEMBER_NUMBER} AND id = c.contact_index
        UNION ALL
        SELECT person_id, a.confirmed_at FROM incidents_addresschange a
        WHERE a.kind = c.kind AND a.contact_index = c.contact_index
            AND a.confirmed_at IS NOT NULL AND a.ended_at IS NULL
    ) found
    WHERE EXISTS (
        SELECT FROM incidents_exposure e
        JOIN incidents_exposurefile f ON f.id = e.file_id
        JOIN incidents_exposurebatch b ON b.id = f.batch_id
        WHERE e.person_id = found.id AND b.state <> 'withdrawn'
    )
    LIMIT c.most
) AS found
JOIN incidents_affectedperson p ON p.id = found.id AND p.incident_id = c.incident
ORDER BY p.id
"""  # noqa: S608


class _Row(NamedTuple):
    """A row that a contact found, with what decides about it and what it holds."""

    person: AffectedPerson
    is_proven: bool  # by a second fact of this user, since the contact was recorded if it was
    is_proven_now: bool  # by a second fact since this user's last sign-in
    marks: dict[str, str]  # the note of each live mark, by PersonMark.Kind
    exposed: list[ExposedRow]
    reveals: list[datetime]
    is_recorded: bool  # the team recorded the contact; it is not in the data (AddressChange)


def _find(
    owners: Sequence[User], contacts: Sequence[LookedUpContact]
) -> tuple[list["_Found"], set[LookedUpContact]]:
    """Returns the rows of each contact, ordered by key, at most one more than the bound.

    `owners` are the users of the contacts, one for each. Also returns those contacts with rows
    that belong to a stranger.
    """
    found = [_Found(contact, [], []) for contact in contacts]
    strangers: set[LookedUpContact] = set()
    if not contacts:
        return found, strangers
    marked = [_MARKED, *(f"ARRAY({check.marked})" for check in STRANGER_CHECKS)]
    parameters: list[Any] = [
        *_indexes(contacts),
        [contact.incident.pk for contact in contacts],
        [int(contact.kind) for contact in contacts],
        [contact.contact_index for contact in contacts],
        [contact.incident.shared_contact_bound + 1 for contact in contacts],
        [owner.pk for owner in owners],
    ]
    database = read_connection()
    statement = _FIND.replace(_MARKED, " || ".join(marked))
    with run_prepared(database, statement, parameters) as cursor:
        rows = cursor.fetchall()
    names = [field.attname for field in _FIELDS]
    for row in rows:
        person = AffectedPerson.from_db(database.alias, names, row[: len(names)])
        place, unread, proven_at, marks, looks, exposed, recorded_at, strange = row[len(names) :]
        of_contact = found[place - 1]
        person.incident = of_contact.contact.incident
        since = owners[place - 1].last_login
        of_contact.rows.append(
            _Row(
                person,
                is_proven=proven_at is not None and (not recorded_at or proven_at > recorded_at),
                is_proven_now=proven_at is not None and proven_at >= (since or proven_at),
                marks=marks or {},
                exposed=_exposed(exposed),
                reveals=looks,
                is_recorded=recorded_at is not None,
            )
        )
        of_contact.unread[:] = unread_rows(unread)
        if _is_marked(of_contact.contact, set(strange)):
            strangers.add(of_contact.contact)
    return found, strangers


def _indexes(contacts: Sequence[LookedUpContact]) -> list[list[UUID]]:
    """Returns for each of STRANGER_CHECKS the indexes under which the contacts may be marked."""
    return [
        [index for contact in contacts for index in check.indexes(contact)]
        for check in STRANGER_CHECKS
    ]


def _exposed(rows: list[tuple[int, list[int], str | None, float]] | None) -> list[ExposedRow]:
    return [
        ExposedRow(
            file_id,
            classes,
            None if held is None else bytes.fromhex(held),
            datetime.fromtimestamp(added, UTC),
        )
        for file_id, classes, held, added in rows or ()
    ]


class _Found(NamedTuple):
    contact: LookedUpContact
    rows: list[_Row]
    unread: list[UnreadRow]  # rejected rows with the contact

    @property
    def is_shared(self) -> bool:
        """Returns whether the data has the contact of more people than the bound."""
        return self._is_over_bound(self.people_in_data)

    def within_bound(self) -> "_Found":
        """Leaves out recorded rows without a second fact if they are too many with the others."""
        if not self._is_over_bound(self.people):
            return self
        rows = [row for row in self.rows if row.is_proven or not row.is_recorded]
        return self._replace(rows=rows)

    def _is_over_bound(self, people: set[AffectedPerson]) -> bool:
        others = {
            row.identity
            for row in self.unread
            if not any(may_be_of(row, person) for person in people)
        }
        return len(people) + len(others) > self.contact.incident.shared_contact_bound

    @property
    def people(self) -> set[AffectedPerson]:
        return {row.person for row in self.rows}

    def rows_of(self, person: AffectedPerson) -> list[_Row]:
        return [row for row in self.rows if row.person == person]

    @property
    def people_in_data(self) -> set[AffectedPerson]:
        """Returns the people of whom the data itself holds the contact."""
        return {row.person for row in self.rows if not row.is_recorded}


def _decided(found: Sequence[_Found], strangers: set[LookedUpContact]) -> OwnRows:
    """Decides about the rows that one incident holds under each contact of the user."""
    own = OwnRows()
    usable = []
    for each in found:
        if each.contact in strangers:
            own.strangers += [each.contact.address] if each.rows else []
        elif each.is_shared or (each.rows and not each.within_bound().rows):
            own.shared.append(each.contact.address)
        else:
            usable.append(each.within_bound())
    rows = {row.person.pk: row for each in usable for row in each.rows}
    for _key, row in sorted(rows.items()):
        finders = [each for each in usable if row.person in each.people]
        in_data = [each for each in finders if row.person in each.people_in_data]
        is_proven = any(other.is_proven for each in finders for other in each.rows_of(row.person))
        is_open = is_proven or (bool(in_data) and _is_alone(in_data))
        _place(own, row, finders, in_data, is_open=is_open)
    return own


def _place(
    own: OwnRows,
    row: _Row,
    finders: Sequence[_Found],
    in_data: Sequence[_Found],
    *,
    is_open: bool,
) -> None:
    """Puts a row into one of the lists of `own`; only its marks if it opens and one closes it.

    `in_data` are those of the contacts `finders` that the data has of the person. A row that does
    not open is locked whatever its marks are: they are told to no one else, and no user of whom
    rows were found reads that there are none.
    """
    closing = {kind for kind in PersonMark.CLOSING if kind in row.marks}
    if is_open and closing:
        own.closed_by |= closing
    elif is_open:
        key = row.person.pk
        own.opened.append(row.person)
        kinds = {each.contact.kind for each in in_data or finders}
        if kinds == {Kind.PHONE} and not row.is_proven_now:
            own.by_number_only.add(key)
        own.reveals[key] = row.reveals
        contacts = [each.contact.address for each in in_data or finders]
        own.found_by[key] = [one for one in contacts if one]
        if row.exposed:
            own.exposed[key] = row.exposed
        if PersonMark.Kind.CORRECTED in row.marks:
            own.notes[key] = row.marks[PersonMark.Kind.CORRECTED]
    else:
        found_by = frozenset(each.contact.kind for each in finders)
        own.locked.append(LockedRow(row.person, found_by, is_recorded=not in_data))


def _is_alone(finders: Sequence[_Found]) -> bool:
    """Returns whether the rows that all these contacts have in common are one person's."""
    common = set.intersection(*(each.people_in_data for each in finders))
    unread = [row for row in finders[0].unread if all(_has(each, row) for each in finders[1:])]
    return are_one_person(list(common)) and all(
        may_be_of(row, person) for row in unread for person in common
    )


def _has(found: _Found, row: UnreadRow) -> bool:
    return any(row.place == other.place for other in found.unread)
