"""Answers "is this message from us?" from the ledger and from what was published.

The answer is "we sent this" or "we have no record of sending this", never "safe": a code can be
copied, a sender forged. Nothing of the question is kept, and nothing in the answer depends on who
the recipient was, so a code tells a stranger no more than the message it stands in.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.policy import SMTP
from email.utils import parseaddr
from functools import cached_property, lru_cache
from itertools import islice

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from incidents.models import Incident
from notices.message_codes import delivery_of_code
from notices.models import Chunk, Delivery, Notice
from notices.models.states import WAITING_STATES
from scams import look_alikes, pasted_text
from scams.look_alikes import SuspicionReason
from scams.pasted_text import Trace, TraceKind
from statements import markdown
from statements.models import Advisory, StatementVersion

State = Delivery.State
MOST_MESSAGES = 3  # of ours in one pasted text
NOTICES_NAMED = 5
STRANGE_SHOWN = 60  # links, addresses and numbers that are not ours; each costs a comparison
# What a pasted text may hold beside an address or a number and still be only that.
_WORDS_BESIDE = 40
_ENVELOPE = re.compile(r"(?:bounce\+[0-9a-z]{12}-[0-9a-f]{20}|[0-9a-f]{40})@(.+)")


class MessageVerdict(TextChoices):
    """What is said at the top of the answer."""

    SENT = "sent"  # the code is ours, and nothing in the text is not
    ADDRESS = "address"  # the code is ours; a mail address is not, and may be the reader's own
    ALTERED = "altered"  # the code is ours, and something else in the text is not
    CONTACT = "contact"  # an address or a number of ours, without a message
    NO_RECORD = "no_record"


@dataclass(frozen=True)
class Sent:
    """One message of ours: what it said, when it went out, and over which channel."""

    notice: Notice
    at: datetime
    is_in_doubt: bool
    is_possible_duplicate: bool


@dataclass(frozen=True)
class UnknownTrace:
    """Something in the text that is not ours, and why one should be wary of it."""

    shown: str
    reason: SuspicionReason
    kind: TraceKind


@dataclass(frozen=True)
class Answer:
    """All that the page says."""

    verdict: MessageVerdict
    sent: list[Sent] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    strange: list[UnknownTrace] = field(default_factory=list)
    is_compared: bool = False  # whether there was more than a code to look at


@dataclass(frozen=True)
class KnownTraces:
    """The hosts, addresses and numbers that are ours, in the spelling of scams.pasted_text."""

    traces: frozenset[Trace]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "KnownTraces":
        """Those that stand in `texts`, and the portal's own."""
        found = {
            trace for text in texts for trace in pasted_text.traces(pasted_text.readable(text))
        }
        portal = Trace(TraceKind.LINK, pasted_text.host(settings.PORTAL_HOST))
        sender = Trace(
            TraceKind.EMAIL, pasted_text.email(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
        )
        return cls(frozenset({portal, sender, *found}))

    @cached_property
    def hosts(self) -> list[str]:
        """What an imitation would imitate: hosts of links and of mail addresses."""
        emails = (
            one.value.rpartition("@")[2] for one in self.traces if one.kind == TraceKind.EMAIL
        )
        links = (one.value.split("/")[0] for one in self.traces if one.kind == TraceKind.LINK)
        return sorted({*emails, *links})

    def has(self, trace: Trace) -> bool:
        """Whether it is ours: the very host, not another within its domain."""
        if trace.kind == TraceKind.EMAIL and (envelope := _ENVELOPE.fullmatch(trace.value)):
            return envelope[1] == pasted_text.host(settings.MAIL_DOMAIN)
        bare = Trace(trace.kind, trace.value.removeprefix("www."))
        named = Trace(trace.kind, f"www.{trace.value}")
        return not {trace, bare, named}.isdisjoint(self.traces)

    def strange(self, traces: Iterable[Trace]) -> list[UnknownTrace]:
        """Those of `traces` that are not ours, the first ones, each with the reason."""
        theirs = (trace for trace in traces if not self.has(trace))
        return [self._strange(trace) for trace in islice(theirs, STRANGE_SHOWN)]

    def _strange(self, trace: Trace) -> UnknownTrace:
        if trace.kind == TraceKind.NUMBER:
            return UnknownTrace(trace.value, SuspicionReason.OTHER, trace.kind)
        if trace.kind == TraceKind.EMAIL:
            local, _at, host = trace.value.rpartition("@")
            why = look_alikes.suspicion_reason(host, self.hosts)
            why = (
                SuspicionReason.OTHER
                if why in (SuspicionReason.HIDDEN, SuspicionReason.BARE)
                else why
            )
            return UnknownTrace(f"{local}@{look_alikes.displayed_host(host)}", why, trace.kind)
        *scheme, place = trace.value.split("://")
        host, slash, page = place.partition("/")
        shown = "://".join([*scheme, look_alikes.displayed_host(host)]) + slash + page
        return UnknownTrace(shown, look_alikes.suspicion_reason(host, self.hosts), trace.kind)


def answer_for(text: str) -> Answer:
    """What is to be said of a pasted text: a code, a message, a sender, a link or a number."""
    text = pasted_text.readable(text)
    traces = pasted_text.traces(text)
    sent = list(_sent(text))
    if sent:
        known = KnownTraces(frozenset().union(*(_known_of(one.notice).traces for one in sent)))
        strange = known.strange(traces)
        return Answer(
            _verdict_on(strange, text),
            sent,
            strange=strange,
            is_compared=len(text.strip()) > _WORDS_BESIDE,
        )
    known = KnownTraces.of(_official_texts())
    strange = known.strange(traces)
    if traces and _is_nothing_else(text, traces):
        naming = [notice for notice in _notices() if _names(notice, traces)]
        if naming or not strange:
            return Answer(MessageVerdict.CONTACT, notices=naming[:NOTICES_NAMED])
    return Answer(MessageVerdict.NO_RECORD, strange=strange)


def _verdict_on(strange: list[UnknownTrace], text: str) -> MessageVerdict:
    """Of a text with a code of ours. People paste a whole mail, with their own address in its head:
    to call that a scam would teach them to distrust true messages, and us. An address among words
    is another matter: the words may say to write to it.
    """
    if not strange:
        return MessageVerdict.SENT
    is_one_address = [one.kind for one in strange] == [TraceKind.EMAIL]
    is_plain = strange[0].reason == SuspicionReason.OTHER
    is_alone = strange[0].shown in {line.strip(" \t<>").lower() for line in text.splitlines()}
    return (
        MessageVerdict.ADDRESS
        if is_one_address and is_plain and is_alone
        else MessageVerdict.ALTERED
    )


def first_unknown_trace(text: str) -> str:
    """What a report is about, for finding others like it: the first link, address or number in it
    that is not ours; empty if there is none.
    """
    strange = unknown_traces(text)
    return f"{strange[0].kind}:{strange[0].value}" if strange else ""


def unknown_traces(text: str) -> list[Trace]:
    """The links, addresses and numbers in a text as it came that are not officially ours."""
    known = KnownTraces.of(_official_texts())
    return [
        trace for trace in pasted_text.traces(pasted_text.readable(text)) if not known.has(trace)
    ]


def _sent(text: str) -> Iterator[Sent]:
    """The messages of ours whose codes stand in `text`, and which a mail server may have taken.

    One that waits, or was cancelled before it went out, is as unknown as a code that never was:
    nobody can have got it.
    """
    keys = [key for code in pasted_text.codes(text) if (key := delivery_of_code(code)) is not None]
    related = "notice__incident", "notice__version__statement__incident"
    for delivery in Delivery.objects.filter(pk__in=keys[:MOST_MESSAGES]).select_related(*related):
        is_accepted = delivery.state == State.ACCEPTED or _came_back(delivery)
        is_on_the_wire = delivery.state in WAITING_STATES and _is_on_the_wire(delivery)
        if is_accepted or is_on_the_wire or _may_have_been_taken(delivery):
            notice = delivery.notice
            begun = notice.planned_at or notice.approved_at or notice.created_at
            yield Sent(
                notice=notice,
                at=timezone.now() if is_on_the_wire else delivery.ended_at or begun,
                is_in_doubt=not is_accepted,
                is_possible_duplicate=delivery.is_possible_duplicate,
            )


def _came_back(delivery: Delivery) -> bool:
    """Whether a server took it and returned it later: somebody it was forwarded to may hold it.

    Of a mail refused at once no reader has ever seen the code. That it came back is not said: it
    would be about the recipient.
    """
    was_taken = bool(delivery.data_classes) or not delivery.notice.is_mandatory
    return delivery.state == State.BOUNCED and was_taken


def _may_have_been_taken(delivery: Delivery) -> bool:
    """Whether an attempt ended without an answer: then somebody may hold the message."""
    return delivery.state == State.IN_DOUBT or delivery.is_possible_duplicate


def _is_on_the_wire(delivery: Delivery) -> bool:
    """Whether it is going out at this moment, or was when a worker died: its chunk names it."""
    leased = Chunk.objects.filter(notice=delivery.notice_id, state=Chunk.State.LEASED)
    return leased.filter(on_wire__contains=[delivery.pk]).exists()


def _is_nothing_else(text: str, traces: list[Trace]) -> bool:
    """Whether somebody typed an address or a number and hardly a word more."""
    room = sum(len(trace.value) + 12 for trace in traces)
    return len(traces) <= 2 and len(text.split()) <= 8 and len(text) <= room + _WORDS_BESIDE


def _names(notice: Notice, traces: list[Trace]) -> bool:
    known = _known_of(notice)
    return all(known.has(trace) for trace in traces)


def _notices() -> list[Notice]:
    """The newest notices that went out about public incidents."""
    went_out = Notice.objects.real().filter(accepted__gt=0, incident__is_public=True)
    related = went_out.select_related("incident", "version__statement__incident")
    return list(related.order_by("-planned_at", "-pk")[:20])


def _official_texts() -> Iterator[str]:
    for incident in Incident.objects.public():
        yield from _contacts(incident)


def _contacts(incident: Incident) -> Iterator[str]:
    yield incident.contact_phone
    yield incident.contact_email
    yield incident.official_contacts_ko
    yield incident.official_contacts_en


def _known_of(notice: Notice) -> KnownTraces:
    """All that a message of this notice may name: its frozen text, the contacts, the portal."""
    return KnownTraces(KnownTraces.of(_contacts(notice.incident)).traces | _frozen(notice.pk))


@lru_cache(maxsize=256)
def _frozen(notice_id: int) -> frozenset[Trace]:
    """What the words of an approved notice name, in every language; they never change."""
    notice = Notice.objects.select_related("version").get(pk=notice_id)
    messages = (_plain(bytes(message.mime)) for message in notice.messages.all())
    return KnownTraces.of([*_words(notice.version), *messages]).traces


def _plain(frozen: bytes) -> str:
    """The text of a frozen message: a mail's plain part, or a text message as it is."""
    if b"MIME-Version:" not in frozen:
        return frozen.decode(errors="replace")
    part = message_from_bytes(frozen, policy=SMTP).get_body(("plain",))
    return str(part.get_content()) if part else ""


def _words(version: StatementVersion) -> Iterator[str]:
    for language, _name in settings.LANGUAGES:
        yield getattr(version, f"title_{language}")
        yield getattr(version, f"change_reason_{language}")
        for section in version.sections.all():
            yield markdown.plain(getattr(section, f"body_{language}"))
    advisory = Advisory.objects.filter(statement=version.statement_id).first()
    if advisory:
        yield advisory.hotline
        yield advisory.original_url
