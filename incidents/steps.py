"""What a person can do about their leaked data, step by step, and what they marked as done."""

from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from foundations.languages import LocalizedText
from incidents.country_steps import country_steps
from incidents.models import AffectedPerson, DataClass, DoneStep, Incident

# The app of Android decodes a link before it splits it at `&`, and then decodes it once more. So an
# `&` in the text would end it, a `+` would become a space, and a `%` would stop the app.
_SAFE_IN_SMS = str.maketrans("&%+", "＆％＋")


class Step(NamedTuple):
    """One step in the active language, and whether the user marked it as done."""

    key: str  # 16 hex digits: the same in every language
    text: str
    is_done: bool


class WordsToSend(NamedTuple):
    """What a member sends to people whose addresses they saved. It names none of them."""

    subject: str
    text: str

    @property
    def sms_link(self) -> str:
        """Returns the link that opens an app for text messages with the text and no recipient.

        RFC 5724 wants a recipient and `?body=`. The app of iOS reads a body only after `&`, and
        that of Android (AOSP) one after `?` or `&`, so `?&body=` suits both.
        """
        return f"sms:?&body={quote(self.text.translate(_SAFE_IN_SMS), safe='')}"


class StepPlan(NamedTuple):
    """The steps of one part of "my data", as the page shows them."""

    steps: tuple[Step, ...]
    slug: str  # of the incident
    is_reminded: bool  # a mail will remind of the steps
    words: WordsToSend | None = None

    @property
    def done_count(self) -> int:
        """Returns how many of the steps the user marked as done."""
        return sum(step.is_done for step in self.steps)

    @property
    def next_step(self) -> Step | None:
        """Returns the most urgent step that is not done, or None."""
        return next((step for step in self.steps if not step.is_done), None)

    @property
    def other_steps(self) -> list[Step]:
        """Returns the steps without `next_step`: those to do, then the done ones."""
        others = [step for step in self.steps if step != self.next_step]
        return sorted(others, key=lambda step: step.is_done)

    @property
    def more_count(self) -> int:
        """Returns how many of `other_steps` are to do."""
        return sum(not step.is_done for step in self.other_steps)


def steps_for(
    data_classes: Iterable[DataClass], done: Collection[str], jurisdictions: Collection[str]
) -> list[Step]:
    """Returns the steps about all classes, each once, those of the most sensitive class first.

    `jurisdictions` are those of the incident: their steps follow those of the class.
    """
    in_order = sorted(data_classes, key=lambda data_class: -data_class.sensitivity)
    texts = {text: key for entry in in_order for key, text in _keyed(entry, jurisdictions)}
    return [Step(key, text, key in done) for text, key in texts.items()]


def words_to_send(
    incident: Incident, relation: int, data_classes: Iterable[DataClass]
) -> WordsToSend | None:
    """Returns the words for people in the address book of a member whose addresses leaked.

    None for any other row. How many people these are is not known: docs/decisions/0002.
    """
    is_member = relation != AffectedPerson.Relation.RECIPIENT
    if not (is_member and any(one.masking == DataClass.Masking.ADDRESS for one in data_classes)):
        return None
    names = {"company": incident.company, "portal_host": settings.PORTAL_HOST}
    return WordsToSend(
        _("Data leaked at %(company)s") % names,
        _(
            "Data leaked at %(company)s. I had saved your name, phone number and address there, so "
            "they may have leaked, too. To look it up, type %(portal_host)s into your browser. "
            "Give no caller a code or a password."
        )
        % names,
    )


def mark_step(user: User, incident: Incident, key: str, *, is_done: bool) -> None:
    """Records that the user has done a step, or deletes the record. Ignores an unknown step."""
    if "\0" in key:
        return  # PostgreSQL refuses it in a statement
    if not is_done:
        DoneStep.objects.filter(user=user, incident=incident, step=key).delete()
    elif key in _known_keys(incident):
        done = DoneStep(user=user, incident=incident, step=key)
        DoneStep.objects.bulk_create([done], ignore_conflicts=True)


def _known_keys(incident: Incident) -> set[str]:
    names = [each.jurisdiction for each in incident.jurisdictions.all()]
    return {key for entry in DataClass.objects.all() for key, _text in _keyed(entry, names)}


def _keyed(data_class: DataClass, jurisdictions: Collection[str]) -> list[tuple[str, str]]:
    """Returns (key, text) of each line. The key is a hash of the line in the portal's language."""
    texts = [data_class.actions, *country_steps(data_class.slug, jurisdictions)]
    return [keyed for text in texts for keyed in _keyed_lines(text)]


def _keyed_lines(steps: LocalizedText) -> list[tuple[str, str]]:
    texts = steps.in_order()
    source = texts[0][1].splitlines() if texts else []
    lines = steps.lines
    if len(source) != len(lines):  # the languages do not say the same: each has steps of its own
        source = lines
    return [(_key(line), text) for line, text in zip(source, lines, strict=True)]


def _key(line: str) -> str:
    return blake2b(line.strip().encode(), digest_size=8).hexdigest()
