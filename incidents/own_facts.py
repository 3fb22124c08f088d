"""What the page "my data" reads before it searches rows: contacts of the user, public facts.

The facts of public incidents are the same for all users, so each process keeps them, under their
version. The version is read at each visit, in the query for the user's contacts. A change of any
row that the facts come from gives another version, so no visit shows old facts, and an incident
that is shredded is closed at once. The kept facts hold nothing of a user.
"""

from collections.abc import Sequence
from typing import NamedTuple

from accounts.company_sign_on.member_numbers import issuer_that_counts
from accounts.contacts import normalise_email
from accounts.models import User
from foundations.prepared_statements import run_prepared
from foundations.replica import read_connection
from incidents.models import DataClass, Incident
from incidents.own_rows import OwnContacts
from incidents.unread_contacts import incidents_with_unread

# A row's xmin and ctid change with each UPDATE of it, so together they name its version.
_READ = """
SELECT asked.id,
    ARRAY(SELECT email FROM account_emailaddress WHERE user_id = asked.id AND verified),
    ARRAY(SELECT number FROM accounts_verifiedphone WHERE user_id = asked.id),
    ARRAY(
        SELECT known.number FROM accounts_membernumber known
        JOIN account_emailaddress address USING (user_id, email)
        WHERE user_id = asked.id AND address.verified AND known.issuer = %(issuer)s
    ),
    ARRAY(
        SELECT concat(incident_id, ' ', step) FROM incidents_donestep WHERE user_id = asked.id
    ),
    ARRAY(
        SELECT incident_id FROM incidents_stepreminder
        WHERE user_id = asked.id AND due_at IS NOT NULL
    ),
    (SELECT concat(current_database(), string_agg(concat(row.tableoid, row.xmin, row.ctid), ' '))
    FROM (
        SELECT tableoid, xmin, ctid FROM incidents_incident
        UNION ALL SELECT tableoid, xmin, ctid FROM incidents_exposurebatch
        UNION ALL SELECT tableoid, xmin, ctid FROM incidents_incidentdataclass
        UNION ALL SELECT tableoid, xmin, ctid FROM incidents_incidentjurisdiction
        UNION ALL SELECT tableoid, xmin, ctid FROM incidents_dataclass
    ) row)
FROM unnest(%(users)s::bigint[]) AS asked (id)
"""


class PublicFacts(NamedTuple):
    """The public incidents with their scope versions, class states and jurisdictions.

    Threads share the objects. The incident that the company learned of last comes first.
    """

    incidents: Sequence[Incident]
    catalogue: dict[int, DataClass]  # by id, in the order of DataClass
    with_unread: frozenset[int]  # ids of incidents with contacts of unread rows or uncertain cells


class OwnFacts(NamedTuple):
    """The contacts, done steps and reminders of a user, and the facts that all users share."""

    emails: list[str]  # normalised
    phones: list[str]  # in E.164
    member_numbers: list[str]  # see accounts.company_sign_on.member_numbers
    done_steps: frozenset[tuple[int, str]]  # ids of incidents, and Step.key
    reminders: frozenset[int]  # ids of incidents of whose steps a mail will remind
    public: PublicFacts

    @property
    def contacts(self) -> OwnContacts:
        """Returns the addresses, numbers and member numbers, for incidents.own_rows."""
        return OwnContacts(self.emails, self.phones, self.member_numbers)

    @property
    def addresses(self) -> list[str]:
        """Returns the addresses, then the numbers."""
        return self.emails + self.phones

    def done_in(self, incident: Incident) -> set[str]:
        """Returns the keys of the steps that the user marked as done in an incident."""
        return {key for pk, key in self.done_steps if pk == incident.pk}


_kept: tuple[str, PublicFacts] | None = None


def own_facts(user: User) -> OwnFacts:
    """Returns the contacts, done steps and reminders of `user`, and the public facts.

    One query, and six more in a process that does not keep the current version.
    """
    return facts_of([user.pk])[user.pk]


def facts_of(users: Sequence[int]) -> dict[int, OwnFacts]:
    """Returns what `own_facts` does for each of many users, by their ids. As many queries."""
    values = {"users": list(users), "issuer": issuer_that_counts()}
    with run_prepared(read_connection(), _READ, values) as cursor:
        rows = cursor.fetchall()
    return {
        user: OwnFacts(
            [normalise_email(email) for email in emails],
            phones,
            numbers,
            frozenset((int(pk), key) for pk, key in map(str.split, steps)),
            frozenset(reminders),
            _public(version),
        )
        for user, emails, phones, numbers, steps, reminders, version in rows
    }


def _public(version: str) -> PublicFacts:
    """Returns the kept facts if they have this version; else reads them.

    They are read after their version. A change in between gives a kept version that no later visit
    asks for.
    """
    global _kept
    if _kept and _kept[0] == version:
        return _kept[1]
    incidents = Incident.objects.public().prefetch_related(
        "batches", "class_states__data_class", "jurisdictions"
    )
    facts = PublicFacts(list(incidents), DataClass.objects.in_bulk(), incidents_with_unread())
    _kept = version, facts
    return facts
