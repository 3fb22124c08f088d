"""The messages of the code that customers can see, and how complete each catalogue is.

The desk speaks the languages of settings.DESK_LANGUAGES, whose catalogues hold every message. The
catalogue of another language holds the customers' messages only. A message is the customers' if a
file uses it that is not one of DESK_PATHS; a new file therefore counts as theirs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core import checks
from django.db.models.enums import ChoicesType
from django.utils.translation import override, to_locale
from django.utils.translation.template import templatize

from breachportal.catalogues import kind_of_fault
from foundations.languages import SOURCE_LANGUAGE, portal_codes
from incidents.models import Basis, ExposureBatch, IncidentDataClass
from notices.models import AlertSubscription, Notice
from scams.models import ScamReport
from statements.models import Advisory, Section, Statement
from tickets.models import Ticket

PACKAGES = (
    "breachportal",
    "foundations",
    "accounts",
    "incidents",
    "statements",
    "notices",
    "offers",
    "tickets",
    "scams",
    "templates",
)
# Files whose messages the response team reads, or the company: patterns of paths.
DESK_PATHS = (
    "breachportal/*",
    "templates/demo/*",
    "*/admin/*",
    "*/admin.py",
    "*/admin_site.py",
    "*/desk/*",
    "*/desk_*.py",
    "*/apps.py",
    "*/management/*",
    "*/migrations/*",
    "*/models/*",  # but see SHOWN_CHOICES
    "*/models.py",
    "accounts/audit/*",
    "accounts/company_sign_on/identities.py",
    "accounts/second_person.py",
    "accounts/team/*",
    "foundations/inline_formsets.py",
    "foundations/keys.py",
    "foundations/localized_fields.py",
    "foundations/visitor_address.py",
    "incidents/column_forms.py",
    "incidents/facts.py",
    "incidents/figure_points.py",
    "incidents/forms.py",
    "incidents/guide/*",
    "incidents/importing/*",
    "incidents/kinds.py",
    "incidents/retention/*",
    "incidents/team_messages.py",
    "notices/courses.py",
    "notices/decisions.py",
    "notices/engine/*",
    "notices/forms/exports.py",
    "notices/forms/letters.py",
    "notices/forms/notices.py",
    "notices/forms/pauses.py",
    "notices/forms/resends.py",
    "notices/forms/suppression.py",
    "notices/ledger_messages.py",
    "notices/letter_export.py",
    "notices/letter_reports.py",
    "notices/proof/notice_summary.py",
    "notices/proof/notifications.py",
    "notices/tests_to_oneself.py",
    "statements/findings.py",
    "statements/forms/*",
    "statements/legal/*",
    "statements/publishing.py",  # but see SHOWN_PROBLEMS
    "statements/withdrawal_reasons.py",
    "statements/wording/*",
    "templates/accounts/invitation*.html",
    "templates/emails/company_account/*",
    "templates/emails/invitation/*",
    "templates/statements/extensions/clocks_tool.html",
    "templates/*/extensions/desk_person.html",
)
# Choices of models whose labels customers' pages and messages show.
SHOWN_CHOICES: tuple[ChoicesType, ...] = (
    Advisory.Severity,
    AlertSubscription.Topic,
    Basis,
    ExposureBatch.PublicReason,
    IncidentDataClass.State,
    Notice.Channel,
    ScamReport.Channel,
    Section.Key,
    Statement.Kind,
    Ticket.Kind,
)
# What the public log says of a version that differs from what was published.
SHOWN_PROBLEMS = (
    "Version {number} is missing.",
    "Version {number} does not follow the one before.",
    "Version {number} is not what was published.",
)

MOST_NAMED = 5  # missing messages in the sentence of a system check

# Without a time, so that a catalogue changes with its messages only.
_HEAD = r"""msgid ""
msgstr ""
"Language: {locale}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: {plural_forms}\n"

"""
NO_BREAK_HYPHEN = "\u2011"
_PARTED = re.compile(r"(?<=\b[Ee])-(?=mail)|(?<=\bSHA)-(?=256)")  # words that a line end parts

_KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


class SourceMessage(NamedTuple):
    """A message of the code: one text, or its singular and plural; and its context, or None."""

    id: str | tuple[str, ...]
    context: str | None = None

    @property
    def singular(self) -> str:
        """Returns the text by which a catalogue finds the message."""
        return self.id if isinstance(self.id, str) else self.id[0]


@cache
def all_messages() -> dict[SourceMessage, list[str]]:
    """Returns each message of code and templates with its files, read once a process."""
    found: dict[SourceMessage, list[str]] = {}
    for path in sources():
        place = _place(path)
        for message in _messages_in(path, place):
            found.setdefault(message, []).append(place)
    return found


@cache
def customer_messages() -> tuple[SourceMessage, ...]:
    """Returns the messages that customers can see, in the order of the files that use them.

    Reads these files once a process, which takes about a second.
    """
    found = dict.fromkeys(
        message
        for path in sources()
        if not _is_of_desk(place := _place(path))
        for message in _messages_in(path, place)
    )
    found |= dict.fromkeys(map(SourceMessage, (*_labels(), *SHOWN_PROBLEMS)))
    return tuple(found)


@dataclass(frozen=True)
class Completeness:
    """How many of the messages that a language needs its catalogue translates."""

    language: str
    translated: int
    needed: int
    missing: list[str]

    def __str__(self) -> str:
        return self.in_short(len(self.missing))

    def in_short(self, most: int = MOST_NAMED) -> str:
        """Returns a line that names at most so many of the missing messages."""
        counts = f"{self.language}: {self.translated:,} of {self.needed:,} messages"
        named = [repr(message) for message in self.missing[:most]] + ["…"] * (
            len(self.missing) > most
        )
        return f"{counts}; missing: {', '.join(named)}" if named else counts


def needed_messages(language: str) -> list[SourceMessage]:
    """Returns the messages of a catalogue: all for a language of the desk, else the customers'."""
    is_of_desk = language in settings.DESK_LANGUAGES
    return [*all_messages()] if is_of_desk else [*customer_messages()]


def completeness(language: str) -> Completeness:
    """Returns what the catalogue of a language translates; of a missing catalogue, nothing."""
    needed = needed_messages(language)
    catalogue = read_catalogue(language)
    missing = [message.singular for message in needed if not is_translated(catalogue, message)]
    return Completeness(language, len(needed) - len(missing), len(needed), missing)


def check_completeness(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a message for each of the portal's languages whose catalogue is not complete.

    Otherwise customers would read a page in two languages. It is an error in production, where it
    stops `migrate`. The languages of the desk are not read here: the tests compare them.
    """
    further = [code for code in portal_codes() if code not in settings.DESK_LANGUAGES]
    return [
        kind_of_fault()(
            found.in_short(),
            hint="Translate it, or take the language out of PORTAL_LANGUAGES.",
            id="breachportal.T002",
        )
        for found in map(completeness, further)
        if found.missing
    ]


def read_catalogue(language: str) -> Catalog:
    """Returns the written catalogue of a language (`django.po`); an empty one if it is missing."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=to_locale(language))
    with path.open("rb") as file:
        return read_po(file, locale=to_locale(language))


def write_catalogue(language: str) -> None:
    """Writes the catalogue of a language: the messages that it needs, with what is translated.

    Drafts and comments of translators stay, too. Messages keep their places, so that a change of
    code changes few lines; new ones are at the end. English translates itself.
    """
    needed = dict.fromkeys(needed_messages(language))
    old = read_catalogue(language)
    new = Catalog(locale=to_locale(language))
    new.mime_headers = old.mime_headers  # the plural forms
    kept = [
        SourceMessage(known.id if isinstance(known.id, str) else tuple(known.id), known.context)
        for known in old
        if known.id
    ]
    for message in [*filter(needed.__contains__, kept), *needed]:
        known = old.get(message.singular, message.context)
        string = known.string if known else None
        if language == SOURCE_LANGUAGE:
            string = english(message)
        comments = known.user_comments if known else ()
        added = new.add(message.id, string, context=message.context, user_comments=comments)
        added.flags = known.flags if known else added.flags
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    messages = BytesIO()
    write_po(messages, new, width=0, omit_header=True)
    head = _HEAD.format(locale=to_locale(language), plural_forms=new.plural_forms)
    path.write_bytes(head.encode() + messages.getvalue().rstrip() + b"\n")


def english(message: SourceMessage) -> str | tuple[str, ...]:
    """Returns a message in English: as in the code, but customers' words keep their hyphens.

    See docs/decisions/0096-line-breaks.md.
    """
    if message not in customer_messages():
        return message.id
    forms = [message.id] if isinstance(message.id, str) else message.id
    unbroken = tuple(_PARTED.sub(NO_BREAK_HYPHEN, form) for form in forms)
    return unbroken[0] if isinstance(message.id, str) else unbroken


def catalogue_path(language: str) -> Path:
    """Returns where the written catalogue of a language is, or where it belongs."""
    name = Path(to_locale(language), "LC_MESSAGES", "django.po")
    paths = [Path(folder, name) for folder in settings.LOCALE_PATHS]
    return next(filter(Path.exists, paths), paths[-1])


def is_translated(catalogue: Catalog, message: SourceMessage) -> bool:
    """Returns whether a catalogue has the message with all plural forms, and not as a draft."""
    known: Message | None = catalogue.get(message.singular, message.context)
    if known is None or known.fuzzy:
        return False
    forms = [known.string] if isinstance(known.string, str) else list(known.string or ())
    return bool(forms) and all(forms)


def sources() -> Iterator[Path]:
    """Yields the files of code and templates that may hold messages."""
    for package in PACKAGES:
        folder = Path(settings.BASE_DIR, package)
        pattern = "*" if package == "templates" else "*.py"
        yield from sorted(path for path in folder.rglob(pattern) if path.is_file())


def _messages_in(path: Path, place: str) -> Iterator[SourceMessage]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        text = templatize(text, origin=place)
    for _line, message, _comments, context in extract(
        "python", BytesIO(text.encode()), keywords=_KEYWORDS
    ):
        found = message[:2] if isinstance(message, tuple) else message
        if found:
            yield SourceMessage(found, context)


def _labels() -> Iterator[str]:
    with override(None):  # as the code has them
        for choices in SHOWN_CHOICES:
            yield from map(str, choices.labels)


def _place(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()


def _is_of_desk(place: str) -> bool:
    return any(fnmatch(place, pattern) for pattern in DESK_PATHS)
