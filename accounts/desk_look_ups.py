"""Look-ups of people on the desk: each has a reason, and the audit trail records both.

A look-up opens the pages of the rows that it found, for the session that made it. A page that no
look-up opened asks for the reason first (`ask_reason`).
"""

import re
import time
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Case, Max, Model, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import TooOftenError, staff_of
from accounts.audit import acts
from accounts.contacts import read_phones
from accounts.models import AuditEntry, User
from foundations.formatting import moment

# Tables of rows that `require_few` does not count, such as reports of strangers: in a wave one
# member reads hundreds an hour. The apps above this one add theirs in AppConfig.ready.
OF_NO_CUSTOMER: list[str] = []

MOST_CHARACTERS = 200
OPEN_FOR = 30 * 60  # seconds, from the last request
_OPENED = "looked_up"  # in the session: {model and primary key: time of the last request}
_MOST_PIECES = 6  # of a phone number that is written with blanks
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_TIME = re.compile(
    rf"(?<![\d./-])(?:{_YEAR}([./-]) ?{_MONTH}\1 ?{_DAY}\.?|{_DAY}([./-]){_MONTH}\2{_YEAR}"
    rf"|{_MONTH}/{_DAY}/{_YEAR})(?![./-]?\d)"
    r"|(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])"
)
_NOT_OF_A_NUMBER = re.compile(r"[^\W\d_]+|[,:;|]")
# An address, a long number such as that of a card, or a longer one that is written with blanks.
_NAMES_A_CUSTOMER = re.compile(r"\S@\S|(?:\d[^\w\s,:;|]{0,2}){9,}|(?:\d[^\w,:;|]{0,2}){13,}")


NOT_RECORDED = gettext_lazy("As the customer gives it. It is not recorded.")


def typed_field(label: Any, *, help_text: Any = NOT_RECORDED) -> forms.CharField:
    """Returns the field for what a customer gives. Browsers do not keep what is typed."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


class LookUpReasonForm(forms.Form):
    """The reason of a look-up. The form of each look-up has it as its last field."""

    reason = forms.CharField(
        label=gettext_lazy("Reason for the look-up"),
        max_length=MOST_CHARACTERS,
        help_text=gettext_lazy(
            "Such as the number of the ticket. The audit trail keeps it with your name, so write "
            "no address or number of the customer."
        ),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def clean_reason(self) -> str:
        """Rejects a reason that holds an address, a phone number or another long number.

        The trail keeps none of them. Dates and times are no such number.
        """
        return without_contacts(self.cleaned_data["reason"])


class ActReasonForm(LookUpReasonForm):
    """The reason of an act that takes something from an account, such as a second factor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = gettext_lazy("Reason")

    def show_errors(self, request: HttpRequest) -> None:
        """Adds what is wrong with the reason to the messages of the next page."""
        for error in self.errors["reason"]:
            messages.error(request, f"{self.fields['reason'].label}: {error}")


def without_contacts(reason: str) -> str:
    """Returns a reason that a person typed, which is stored in plain text.

    Raises ValidationError if it holds an address, a phone number or another long number.
    """
    text = _TIME.sub(";", unicodedata.normalize("NFKC", reason))
    if _NAMES_A_CUSTOMER.search(text) or _has_phone(text):
        raise forms.ValidationError(_("Write no address or number of the customer here."))
    return reason


def _has_phone(text: str) -> bool:
    """Returns whether a part of the text is a phone number: words and blanks can surround it."""
    for run in _NOT_OF_A_NUMBER.split(text):
        pieces = [piece.strip("-.~/#") for piece in re.sub("[()]", " ", run).split()]
        for start, stop in combinations(range(len(pieces) + 1), 2):
            if stop - start > _MOST_PIECES:
                continue
            if read_phones(" ".join(pieces[start:stop]), settings.PHONE_REGION).phones:
                return True
    return False


def require_few(by: User, about: Model | type[Model]) -> None:
    """Raises TooOftenError if `by` opened settings.LOOK_UPS_PER_DAY customers before this one.

    A quarter of them may be in an hour. Each search counts, and each row that is opened counts
    once, however often it is read. Who took over the account of a member can so read few people,
    and the superusers get a message (incidents.team_messages).
    """
    most, now = settings.LOOK_UPS_PER_DAY, timezone.now()
    times = _last_opened(by, now - timedelta(hours=24), but_not=about, most=most)
    for bound, hours in ((most, 24), (max(1, most // 4), 1)):
        if len(times) >= bound and (until := times[bound - 1] + timedelta(hours=hours)) > now:
            words = _too_many(bound, moment(until))
            raise TooOftenError(words, reason=AuditEntry.TOO_MANY_LOOK_UPS)


def _last_opened(
    by: User, since: datetime, *, but_not: Model | type[Model], most: int
) -> list[datetime]:
    """Returns when `by` last opened each customer except `but_not`: the `most` newest times."""
    kinds = (AuditEntry.Kind.LOOK_UP, AuditEntry.Kind.REVEAL)
    entries = AuditEntry.objects.filter(actor_id=by.pk, kind__in=kinds, at__gt=since)
    entries = entries.exclude(object_type__in=OF_NO_CUSTOMER)
    if isinstance(but_not, Model):
        entries = entries.exclude(object_type=but_not._meta.db_table, object_id=str(but_not.pk))
    search = Case(When(object_id="", then="id"), default=0)  # each search is one of its own
    rows = entries.values("object_type", "object_id", search=search)
    times = rows.annotate(last=Max("at")).order_by("-last").values_list("last", flat=True)
    return list(times[:most])


def _too_many(number: int, time: str) -> str:
    words = _(
        "You have opened the data of %(number)s customers, which is more than one person needs "
        "for the work. You can go on at %(time)s. The superusers get a message."
    )
    return words % {"number": number, "time": time}


def record(form: LookUpReasonForm, *, by: User, about: Model | type[Model], found: int) -> None:
    """Records a look-up, with its reason and the number of rows that it found, hit or not.

    `about` is the row that was opened by its address, or the model that was searched. Raises
    TooOftenError; then the page shows nothing of what was found.
    """
    require_few(by, about)
    reason = form.cleaned_data["reason"]
    acts.record(AuditEntry.Kind.LOOK_UP, by=by, about=about, found=found, reason=reason)


def open_pages(request: HttpRequest, rows: Iterable[Model]) -> None:
    """Opens the pages of these rows for the session, for OPEN_FOR."""
    now = time.time()
    request.session[_OPENED] = _opened(request) | {_key(row): now for row in rows}


def is_open(request: HttpRequest, row: Model) -> bool:
    """Returns whether a look-up of this session opened the page, and extends the time if so."""
    found = _key(row) in _opened(request)
    if found:
        open_pages(request, [row])
    return found


def _key(row: Model) -> str:
    return f"{row._meta.label_lower} {row.pk}"


def _opened(request: HttpRequest) -> dict[str, float]:
    since = time.time() - OPEN_FOR
    opened: dict[str, float] = request.session.get(_OPENED, {})
    return {key: at for key, at in opened.items() if at > since}


def ask_reason(request: HttpRequest, model_admin: "ModelAdmin[Any]", row: Model) -> HttpResponse:
    """Asks why the page of `row` is opened. A reason is recorded as a look-up, and opens it."""
    is_answer = "look_up-reason" in request.POST
    form = LookUpReasonForm(request.POST if is_answer else None, prefix="look_up")
    if form.is_valid():
        record(form, by=staff_of(request), about=row, found=1)
        open_pages(request, [row])
        return redirect(request.path)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Reason for the look-up"),
        "explanation": _("No look-up of yours led here in the last 30 minutes."),
        "button": _("Look up"),
        "opts": model_admin.opts,
        "form": form,
    }
    return TemplateResponse(request, "accounts/desk/look_up_reason.html", context)
