"""Makes addresses of response desk pages, and reads pages as a browser shows them."""

import html
from typing import Any

from django.test import Client
from django.urls import reverse

from notices.models import Notice
from statements.models import StatementVersion


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
    """Returns the page with its character references resolved; it must be a page (200)."""
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def approve(client: Client, notice: Notice, typed: str, query: str = "") -> Any:
    """Posts the approval form of the notice as its page shows it, with `typed` as the number."""
    address = notice_url("approve", notice) + query
    shown = client.get(address).context
    form = shown and shown.get("form")
    return client.post(address, {"people": typed, "seen": form.shown if form else ""})


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
        data |= {bound.html_name: bound.value() for bound in form}
    return {name: "" if value is None else value for name, value in data.items()}
