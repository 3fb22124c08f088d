"""All that one customer can read on the portal: each URL of the resolver, asked and posted to.

A URL that is new stands in none of the lists, so that a test fails until it is said what a customer
posts to it, or why it is left out.
"""

import html
import subprocess
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.translation import override

from accounts.models import User
from harness.sign_in import step_up
from incidents.models import Incident
from offers.models import Offer
from tickets.models import Ticket

# What a customer posts to a URL besides asking for it.
POSTED: dict[str, list[dict[str, str]]] = {
    "my_data_reveal": [{}],
    "my_copy": [{"form": "page"}, {"form": "json"}],
    "my_data_answer": [{"answer": "0000"}],
    "my_data_step": [{"step": "passwords", "done": "1"}],
    "my_data_reminder": [{"remind": "1"}],
    "ask": [{"kind": "question", "text": ""}],
    "ticket": [{"text": ""}],
    "claims": [{"code": "AAAA-AAAA-AAAA", "fact": "0000"}],
    "take_offer": [{"has": "0"}],
    "certificate": [{"language": "en"}],
    "certificate_check": [{"code": "AAAA-AAAA-AAAA"}],
    "message_check": [{"text": "Your data leaked."}],
    "report_scam": [{"text": "They called me."}],
}
# Pages that are the same for all readers.
PUBLIC = {
    *("root", "favicon", "robots_txt", "sitemap", "security_txt"),
    *("api_breaches", "api_breach", "api_latest_breach", "api_data_classes"),
    *("api_description", "api_unknown", "api_wrong_base"),
    *("home", "incident", "easy_read", "timeline", "feed", "log", "log_json"),
    *("incident_image", "statement", "statement_version", "version_record"),
    *("version_image", "advisory", "transparency", "account_closed", "choose_language"),
}
# A customer posts nothing there, or the answer shows nothing more.
ONLY_ASKED = {
    *("api_account", "api_pastes", "certificate_checked"),
    *("look_up_keys", "new_look_up_key", "end_look_up_key"),
    *("my_data", "my_data_hide", "end_reminder", "withdraw_claim", "stop_claim"),
    *("my_tickets", "my_tickets_file", "my_messages"),
    *("alerts", "subscribe_browser", "end_browser", "unsubscribe"),
    *("end_alerts", "undo_end_alerts", "stop_texts"),
    *("message_check_answer", "message_checked", "scam_reported"),
    *("account", "account_login", "sign_in_begin", "sign_in_code", "sign_in_code_again"),
    *("company_sign_on_connect", "company_sign_on", "company_sign_on_callback"),
    *("passkey_sign_in", "passkey_step_up", "step_up", "step_up_send"),
    *("passkeys", "add_passkey", "remove_passkey"),
    *("new_contact", "new_contact_code", "new_contact_code_again", "join_accounts"),
    *("remove_contact", "sessions"),
}
# They end the session or belong to programs; those that begin with `mfa_` are the team's.
LEFT_OUT = {"account_logout", "close_account", "take_receipts", "renew_browser"}
OF_THE_TEAM = ("mfa_", "invitation", "desk_api_")


def customer_urls() -> dict[str, tuple[str, ...]]:
    """Returns the names of the URLs that customers may ask for, with their arguments."""

    def walk(resolver: URLResolver) -> Iterator[URLPattern]:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLPattern):
                yield pattern
            elif getattr(pattern, "app_name", "") != "admin" and pattern.namespace != "admin":
                yield from walk(pattern)

    return {
        str(one.name): tuple(one.pattern.regex.groupindex)
        for one in walk(get_resolver())
        if not str(one.name).startswith(OF_THE_TEAM)
    }


def own_words(fields: Mapping[str, str], note: str) -> dict[str, str]:
    """Returns posted fields with `note` in place of a blank text."""
    return {name: value or note for name, value in fields.items()}


class CustomerBrowser:
    """A browser of a signed-in customer with a fresh code."""

    def __init__(self, user: User, incident: Incident) -> None:
        self._user, self._incident = user, incident
        # An address of its own, so that limits of one visitor do not stop the next one.
        self._client = Client(REMOTE_ADDR=str(ip_address("2001:db8::") + user.pk))
        self._client.force_login(user)
        step_up(self._client, user)

    def everything(self, *, note: str = "I ask.") -> str:
        """Returns the text of each page, and of each answer to what is posted.

        `note` is what the customer writes in a ticket.
        """
        with override("en"):
            urls = customer_urls()
            texts = [
                self._answer(self._client.post(url, own_words(fields, note)))
                for name, posted in POSTED.items()
                for fields in posted
                if (url := self._url(name, urls[name]))
            ]
            # Afterwards the pages show what was posted.
            texts += [self._asked(name, urls[name]) for name in (*POSTED, *ONLY_ASKED)]
        return " ".join(texts)

    def public_pages(self) -> str:
        """Returns the text of each page that is the same for all readers."""
        with override("en"):
            return " ".join(self._asked(name, customer_urls()[name]) for name in PUBLIC)

    def answer(self, fact: str) -> str:
        """Returns "my data" in full after `fact` was given as a second fact."""
        with override("en"):
            slug = self._incident.slug
            self._client.post(reverse("my_data_answer", args=[slug]), {"answer": fact})
            return self._answer(self._client.post(reverse("my_data_reveal"), follow=True))

    def _asked(self, name: str, arguments: tuple[str, ...]) -> str:
        url = self._url(name, arguments)
        return self._answer(self._client.get(url)) if url else ""

    def _url(self, name: str, arguments: tuple[str, ...]) -> str:
        """Returns the address of a URL; "" if the customer has nothing there."""
        values = {one: self._value(name, one) for one in arguments}
        return reverse(name, kwargs=values) if all(values.values()) else ""

    def _value(self, name: str, argument: str) -> Any:
        ticket, offer = Ticket.objects.for_user(self._user).first(), Offer.objects.first()
        values: Mapping[str, Any] = {
            "slug": self._incident.slug,
            "statement": "our-apology",
            "name": self._incident.slug,
            "account": self._user.contact,
            "number": (ticket and ticket.number) if name == "ticket" else 1,
            "pk": offer and offer.pk,
            "code": "AAAA-AAAA-AAAA",
            "token": "x",
            "key": "00000000-0000-4000-8000-000000000001",
            "audience": "customers",
            "provider": "own",
        }
        return values[argument]

    def _answer(self, response: HttpResponseBase) -> str:
        assert response.status_code < 500 or response.status_code == 503, response
        assert response.status_code != 429, "a limit hides what the page shows"
        data = b"".join(response) if response.streaming else response.content  # type: ignore
        if data.startswith(b"%PDF"):
            return text_of_pdf(data)
        kind = response.headers.get("Content-Type", "")
        text = data.decode("utf-8", "replace")
        return html.unescape(text) if kind.startswith("text/html") else text


def text_of_pdf(pdf: bytes) -> str:
    """Returns the text of a PDF."""
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()
