"""What "my data" says about one proven address, without a value, for a program of its owner."""

from collections.abc import Callable
from typing import NamedTuple

from django.utils.translation import override

from accounts.company_sign_on.member_numbers import numbers_of
from accounts.models import User
from foundations.languages import SOURCE_LANGUAGE
from incidents.models import Incident
from incidents.my_data import masked, parts_for
from incidents.own_facts import own_facts


class AddressAnswer(NamedTuple):
    """In which incidents data of an address leaked, and whether it is in none of them."""

    leaked: frozenset[int]  # ids of incidents
    is_clear: bool  # each part says "not among the leaked data", and none was withdrawn


def answer_about(
    user: User, email: str, is_asked: Callable[[Incident], bool]
) -> AddressAnswer | None:
    """Returns what the page says about `email`, a normalised address, in the incidents asked for.

    The page is that of a user who has proven this address alone, with the member number that the
    provider confirmed with it. So an answer speaks of this address alone: a row that holds only
    another contact of the user changes nothing. An incident whose page said something else before a
    withdrawal is not clear. Returns None if the address is not the user's; then nothing is looked
    up.
    """
    facts = own_facts(user)
    if email not in facts.emails:
        return None
    numbers = numbers_of(user.pk, email=email) if facts.member_numbers else []
    alone = facts._replace(emails=[email], phones=[], member_numbers=numbers)
    with override(SOURCE_LANGUAGE):
        parts = [one for one in parts_for(user, alone, masked) if is_asked(one.incident)]
    leaked = frozenset(one.incident.pk for one in parts if one.kind == "leaked")
    is_clear = all(one.kind == "not_found" and not one.earlier for one in parts)
    return AddressAnswer(leaked, bool(parts) and is_clear)
