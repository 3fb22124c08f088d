"""Makes addresses of response desk pages, and reads pages as a browser shows them."""

import html
import re
from datetime import datetime
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime

from foundations.languages import LocalizedText
from foundations.localized_fields import LocalizedTextFormField
from notices.models import Notice
from statements.models import StatementVersion

_RANDOM = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")\w+')


def desk_url(name: str, *args: object) -> str:
    """Returns the address of the desk's page with this URL name."""
    return reverse(f"admin:{name}", args=args)


def notice_url(name: str, notice: Notice) -> str:
    """Returns the address of a notice's page, such as "change" or "approve"."""
    return desk_url(f"notices_notice_{name}", notice.pk)


def version_url(name: str, version: StatementVersion) -> str:
    """Returns the address of a statement version's page, such as "change" or "publish"."""
    return desk_url(f"statements_statementversion_{name}", version.pk)


def page_text(response: Any) -> str:
    """Returns the page with its character references resolved; it must be a page (200).

    A place where a line may break (`<wbr>`) is left out, so that a search finds a whole address.
    Tokens are left out: their random letters may hold any short name.
    """
    assert response.status_code == 200
    return html.unescape(_RANDOM.sub("", response.content.decode()).replace("<wbr>", ""))


def approve(client: Client, notice: Notice, typed: str, query: str = "") -> Any:
    """Posts the approval form of the notice as its page shows it, with `typed` as the number."""
    address = notice_url("approve", notice) + query
    shown = client.get(address).context
    form = shown and shown.get("form")
    return client.post(address, {"people": typed, "seen": form.shown if form else ""})


def say_why(client: Client, address: str) -> None:
    """Opens the page of a customer for the session: gives a reason for the look-up."""
    assert client.post(address, {"look_up-reason": "Ticket 7QK2-X9ND"}).status_code == 302


def form_of(response: Any) -> dict[str, object]:
    """Returns what a browser posts if the user changes nothing on the admin page."""
    data: dict[str, object] = {}
    forms = [response.context["adminform"].form]
    for formset in response.context["inline_admin_formsets"]:
        data |= {
            f"{formset.formset.prefix}-{name}": formset.formset.management_form.initial[name]
            for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
        }
        forms += formset.formset.forms
    for form in forms:
        for bound in form:
            data |= _inputs(bound)
    return {name: "" if value is None else value for name, value in data.items()}


def _inputs(bound: Any) -> dict[str, object]:
    """Returns the values of a field's inputs; a text has one input for each language."""
    if not isinstance(bound.field, LocalizedTextFormField):
        return {bound.html_name: bound.value()}
    texts = bound.value()
    shown = texts if isinstance(texts, dict) else LocalizedText(texts).by_language()
    codes = bound.field.widget.languages
    return {f"{bound.html_name}_{code}": shown.get(code, "") for code in codes}


def save(client: Client, address: str, **values: object) -> Any:
    """Posts a desk page as it is shown, with some values changed and a reason."""
    form = form_of(client.get(address)) | {"reason": "A correction"}
    for name, value in list(form.items()):
        if not isinstance(value, datetime):
            continue
        del form[name]
        moment = localtime(value)
        form |= {f"{name}_0": f"{moment:%Y-%m-%d}", f"{name}_1": f"{moment:%H:%M:%S}"}
    if "is_public" in form and not form["is_public"]:
        del form["is_public"]
    posted = {key: value for key, value in (form | values).items() if value is not None}
    return client.post(address, posted, follow=True)
