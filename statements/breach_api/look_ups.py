"""Look-ups of an address by a program of its owner, which sends a look-up key of the owner.

An answer never depends on data of another person: an address that is not the owner's is refused
before anything is searched. See docs/decisions/0070.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.contacts import normalise_email
from accounts.look_up_key import LookUpKey
from accounts.models import User
from foundations import replica
from foundations.rate_limits import seconds_to_wait
from incidents.address_answer import answer_about
from statements.breach_api import records
from statements.breach_api.answers import error, found, json_of, parameters_of

HEADER = "hibp-api-key"
RETRY_SECONDS = 3600  # while it is not known whether an address leaked
NO_KEY = "Access denied due to missing or invalid hibp-api-key."
NO_ACCOUNT = "The account is empty, or too long for an e-mail address."
NOT_OWN = "A key answers only for the e-mail addresses that its owner has proven on this portal."
NOT_KNOWN = (
    "This is no all-clear. It is not known yet whether this address leaked, several people share "
    "it, not all of the leaked data could be read, or an earlier answer was withdrawn. The owner "
    "reads more after signing in: "
)

View = Callable[[HttpRequest, User, str], HttpResponse]


def look_up(view: View) -> Callable[..., HttpResponse]:
    """Decorates a view that answers about the account in its path for the owner of a key."""

    @require_safe
    @cache_control(private=True, no_store=True)
    @wraps(view)
    def checked(request: HttpRequest, account: str = "") -> HttpResponse:
        if seconds := seconds_to_wait(request, "look_up_network"):
            return _too_many(seconds)
        key = LookUpKey.objects.of(request.headers.get(HEADER, ""))
        if key is None:
            return error(401, NO_KEY)
        if seconds := seconds_to_wait(request, "look_up", key=str(key.pk)):
            return _too_many(seconds)
        key.record_use()
        email = normalise_email(account)
        return view(request, key.user, email) if email else error(400, NO_ACCOUNT)

    return checked


@look_up
def breached_account(request: HttpRequest, user: User, email: str) -> HttpResponse:
    """Returns the incidents in which data of the address leaked: names, or the public records.

    404 says that this address is not among the leaked data, as "my data" says to a person who has
    proven it alone. What the page does not know, or tells only to a person who signed in, is 503.
    """
    asked = parameters_of(request)
    is_whole = asked.get("truncateresponse", "").lower() == "false"
    return replica.read(lambda: _answer(user, email, asked.get("domain", ""), is_whole=is_whole))


@look_up
def pastes(_request: HttpRequest, user: User, email: str) -> HttpResponse:
    """Returns 404, as the form answers an address without pastes: the portal has none."""
    return found(None) if email in user.verified_emails() else error(403, NOT_OWN)


def _answer(user: User, email: str, domain: str, *, is_whole: bool) -> HttpResponse:
    answer = answer_about(user, email, lambda one: records.is_of_domain(one, domain))
    if answer is None:
        return error(403, NOT_OWN)
    if leaked := records.breaches_among(answer.leaked):
        return json_of(leaked if is_whole else [{"Name": one["Name"]} for one in leaked])
    if answer.is_clear:  # never with a leaked incident, also one that was public until now
        return found(None)
    return error(503, NOT_KNOWN + settings.PORTAL_URL, retry_seconds=RETRY_SECONDS)


def _too_many(seconds: int) -> HttpResponse:
    message = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return error(429, message, retry_seconds=seconds)
