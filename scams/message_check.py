"""The message check: answers "Is this message from us?" from the ledger and the published texts.

The answer is "we sent this" or "we have no record of sending this". It is never "safe", because a
code can be copied and a sender can be forged. The pasted text is not stored. The answer does not
depend on the recipient, so a code shows a stranger no more than its message does.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.policy import SMTP
from email.utils import parseaddr
from functools import cached_property, lru_cache, reduce
from itertools import islice
from operator import or_

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from accounts.contacts import formatted_phone
from accounts.mail_codes import MadeMail, made_mail
from accounts.typed_codes import DIGITS
from incidents.models import Incident
from notices.message_codes import delivery_of_code
from notices.models import Chunk, Delivery, Notice
from notices.models.states import WAITING_STATES
from scams import look_alikes, mail_source, pasted_text, reader_heads
from scams.address_patterns import EMAIL
from scams.look_alikes import SuspicionReason
from scams.pasted_text import Trace, TraceKind
from statements import markdown
from statements.models import Advisory, StatementVersion

State = Delivery.State
MOST_MESSAGES = 3  # messages of ours in one pasted text
MOST_NOTICES = 5  # named for an address or number of ours
MOST_UNKNOWN_TRACES = 60  # shown in an answer; each is compared with all hosts of ours
# Characters that a pasted text may have beside an address or number and still count as only that.
_CHARACTERS_BESIDE = 40
_SIGN_IN_CODE = re.compile(rf"^[> \t*]*\d{{4}} ?\d{{{DIGITS - 4}}}[ \t*]*$", re.MULTILINE)
_BOUND_CODE = re.compile(rf"^@\S+ #(\d{{{DIGITS}}})\s*$", re.MULTILINE)
_ENVELOPE = re.compile(r"(?:bounce\+[0-9a-z]{12}-[0-9a-f]{20}|[0-9a-f]{40})@(.+)")


class MessageVerdict(TextChoices):
    """The verdict at the top of the answer."""

    SENT = "sent"  # the code is ours, and there is no unknown trace
    # The code is ours. What is unknown may come from the reader: their own address, the addresses
    # of those who forwarded the message, or links that their mail filter rewrote.
    ASK = "ask"
    ALTERED = "altered"  # the code is ours, and there are unknown traces
    CONTACT = "contact"  # an address or a number of ours, without a message
    NO_RECORD = "no_record"


@dataclass(frozen=True)
class SentMessage:
    """A message of ours: its notice, and when it was sent."""

    notice: Notice
    at: datetime
    is_in_doubt: bool
    is_possible_duplicate: bool
    is_letter: bool = False  # printed for a person whom the message did not reach


@dataclass(frozen=True)
class UnknownTrace:
    """A trace that is not ours, and why it is suspect."""

    shown: str  # a number as its digits
    reason: SuspicionReason
    kind: TraceKind

    @property
    def readable(self) -> str:
        """Returns `shown` as the page shows it: a phone number in groups."""
        is_number = self.kind == TraceKind.NUMBER
        return (formatted_phone(self.shown) if is_number else None) or self.shown


@dataclass(frozen=True)
class Answer:
    """The content of the answer page."""

    verdict: MessageVerdict
    sent: list[SentMessage] = field(default_factory=list)
    account_mails: list[MadeMail] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    strange: list[UnknownTrace] = field(default_factory=list)
    is_compared: bool = False  # whether there was more text than a code
    is_whole: bool = True  # whether all parts of a mail's source could be read

    @property
    def is_scam(self) -> bool:
        """Returns whether the page tells the reader to treat the message as a scam."""
        return self.verdict in (MessageVerdict.ALTERED, MessageVerdict.NO_RECORD)

    @property
    def asks_about_addresses(self) -> bool:
        """Returns whether an unknown trace is an address."""
        return any(one.kind == TraceKind.EMAIL for one in self.strange)

    @property
    def asks_about_links(self) -> bool:
        """Returns whether an unknown trace is a link that a mail filter rewrote."""
        return any(one.reason == SuspicionReason.REWRITTEN for one in self.strange)


@dataclass(frozen=True)
class KnownTraces:
    """The links, addresses and numbers that are ours."""

    traces: frozenset[Trace]
    links: frozenset[str] = frozenset()  # whole, with their pages

    @classmethod
    def of(cls, texts: Iterable[str]) -> "KnownTraces":
        """Returns the traces in `texts`, and the portal's host, senders and mail domains."""
        plain = [pasted_text.readable(text) for text in (*texts, settings.SMS_SENDER)]
        found = {trace for text in plain for trace in pasted_text.traces_in(text)}
        portal = Trace(TraceKind.LINK, pasted_text.normal_host(settings.PORTAL_HOST))
        sender = Trace(
            TraceKind.EMAIL, pasted_text.normal_email(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
        )
        # Gmail shows below a sender by which domain a mail was sent.
        domains = sender.value.rpartition("@")[2], settings.MAIL_DOMAIN
        mail = (Trace(TraceKind.LINK, pasted_text.normal_host(one)) for one in domains if one)
        links = frozenset(link for text in plain for link in pasted_text.links_in(text))
        return cls(frozenset({portal, sender, *mail, *found}), links)

    def __or__(self, other: "KnownTraces") -> "KnownTraces":
        """Returns the traces and links of both."""
        return KnownTraces(self.traces | other.traces, self.links | other.links)

    @cached_property
    def hosts(self) -> list[str]:
        """Returns the hosts of our links and addresses, which an imitation would imitate."""
        emails = (
            one.value.rpartition("@")[2] for one in self.traces if one.kind == TraceKind.EMAIL
        )
        links = (one.value.split("/")[0] for one in self.traces if one.kind == TraceKind.LINK)
        return sorted({*emails, *links})

    def has(self, trace: Trace) -> bool:
        """Returns whether a trace is ours. Another host within a domain of ours is not."""
        if trace.kind == TraceKind.EMAIL and (envelope := _ENVELOPE.fullmatch(trace.value)):
            return envelope[1] == pasted_text.normal_host(settings.MAIL_DOMAIN)
        bare = Trace(trace.kind, trace.value.removeprefix("www."))
        named = Trace(trace.kind, f"www.{trace.value}")
        return not {trace, bare, named}.isdisjoint(self.traces)

    def may_be_part(self, trace: UnknownTrace) -> bool:
        """Returns whether an unknown trace may be a part of a link, address or number of ours, in
        which an escape stands.
        """
        part = trace.shown.partition(" (")[0]
        wholes = {*self.links, *(one.value for one in self.traces)}
        if trace.kind == TraceKind.NUMBER:
            wholes = {re.sub(r"\D", "", whole) for whole in wholes}
        return any(part in whole for whole in wholes)

    def unknown(self, traces: Iterable[Trace]) -> list[UnknownTrace]:
        """Returns the first MOST_UNKNOWN_TRACES of `traces` that are not ours, with the reasons."""
        unknown = (trace for trace in traces if not self.has(trace))
        return [self._unknown_trace(trace) for trace in islice(unknown, MOST_UNKNOWN_TRACES)]

    def _unknown_trace(self, trace: Trace) -> UnknownTrace:
        if trace.kind == TraceKind.NUMBER:
            return UnknownTrace(trace.value, SuspicionReason.OTHER, trace.kind)
        if trace.kind == TraceKind.EMAIL:
            local, _at, host = trace.value.rpartition("@")
            reason = look_alikes.suspicion_reason(host, self.hosts)
            if reason in (SuspicionReason.HIDDEN, SuspicionReason.BARE):
                reason = SuspicionReason.OTHER  # these two reasons are about links
            return UnknownTrace(f"{local}@{look_alikes.displayed_host(host)}", reason, trace.kind)
        *scheme, target = trace.value.split("://")
        host, slash, page = target.partition("/")
        shown = "://".join([*scheme, look_alikes.displayed_host(host)]) + slash + page
        return UnknownTrace(shown, look_alikes.suspicion_reason(host, self.hosts), trace.kind)


def answer_for(text: str) -> Answer:
    """Returns the answer to a pasted text: a code, a message, a sender, a link or a number."""
    return answer_for_mail(mail_source.read(text))


def answer_for_mail(mail: mail_source.PastedMail) -> Answer:
    """Returns the answer to what a reader sees of a message."""
    text = pasted_text.readable(mail.text)
    traces = pasted_text.traces_in(text)
    found = pasted_text.message_codes_in(text)
    sent, account_mails = list(_sent(found)), list(_account_mails(found))
    official = KnownTraces.of(_official_texts())
    if sent or account_mails:
        known = reduce(or_, [_known_traces(one.notice) for one in sent] or [official])
        has_code = any(one.has_sign_in_code for one in account_mails)
        sign_in_codes = _sign_in_codes(text) if has_code else []
        verdict, unknown = verdict_on(mail, known, sign_in_codes)
        return Answer(
            verdict,
            sent,
            account_mails,
            strange=unknown,
            is_compared=len(text.strip()) > _CHARACTERS_BESIDE,
            is_whole=mail.is_whole,
        )
    hidden = [*_hidden_traces(mail, text), *_traces_of(mail.beside)]
    is_whole = mail.is_whole and not official.unknown(hidden)
    unknown = official.unknown(dict.fromkeys([*traces, *hidden]))
    if traces and is_whole and _is_nothing_else(text, traces):
        naming = [notice for notice in _notices() if _names_all(notice, traces)]
        if naming or not unknown:
            return Answer(MessageVerdict.CONTACT, notices=naming[:MOST_NOTICES])
    return Answer(MessageVerdict.NO_RECORD, strange=unknown)


def verdict_on(
    mail: mail_source.PastedMail, known: KnownTraces, expected: Collection[Trace] = ()
) -> tuple[MessageVerdict, list[UnknownTrace]]:
    """Returns the verdict on a mail with a code of ours, and its traces that are neither known nor
    expected.
    """
    text = pasted_text.readable(mail.text)
    traces = pasted_text.traces_in(text)
    unknown = known.unknown(trace for trace in traces if trace not in expected)
    verdict = _verdict_on(unknown, text, known)
    if verdict == MessageVerdict.ALTERED:
        return verdict, unknown
    hidden = known.unknown(one for one in _hidden_traces(mail, text) if one not in traces)
    if not all(_is_rewritten(one) or known.may_be_part(one) for one in hidden):
        return MessageVerdict.ALTERED, [*unknown, *hidden]
    hidden = [one for one in hidden if one.kind != TraceKind.NUMBER]  # of a link of ours
    beside = known.unknown(one for one in _traces_of(mail.beside) if one not in traces)
    unknown = list(dict.fromkeys([*unknown, *hidden, *beside]))
    return MessageVerdict.ASK if unknown or not mail.is_whole else verdict, unknown


def _traces_of(text: str) -> list[Trace]:
    return pasted_text.traces_in(pasted_text.readable(text))


def _hidden_traces(mail: mail_source.PastedMail, shown: str) -> list[Trace]:
    """Returns the traces between the escapes of an encoded text, which is `shown` decoded."""
    if not mail.between:
        return []
    recipients = pasted_text.recipients_in(shown)
    return pasted_text.traces_in(pasted_text.readable(mail.between), recipients)


def _sign_in_codes(text: str) -> list[Trace]:
    """Returns the sign-in code of an account message as a trace.

    In a mail it is the first line that is one, in a text message the end of the last line.
    """
    match = _SIGN_IN_CODE.search(text) or _BOUND_CODE.search(text)
    return [Trace(TraceKind.NUMBER, re.sub(r"\D", "", match[match.re.groups]))] if match else []


def _verdict_on(unknown: list[UnknownTrace], text: str, known: KnownTraces) -> MessageVerdict:
    """Returns the verdict on a text with a code of ours.

    People paste a whole mail, with their own address in its header, and with those of people who
    forwarded it. A verdict "scam" on that would teach them to distrust genuine messages.
    """
    if not unknown:
        return MessageVerdict.SENT
    forwarders = _forwarders(text, known)
    asked = [one for one in unknown if one.shown not in forwarders and not _is_rewritten(one)]
    is_asked = not asked or _is_one_address_alone(asked, text)
    return MessageVerdict.ASK if is_asked else MessageVerdict.ALTERED


def _is_rewritten(trace: UnknownTrace) -> bool:
    return trace.reason == SuspicionReason.REWRITTEN


def _is_one_address_alone(unknown: list[UnknownTrace], text: str) -> bool:
    """Returns whether the one unknown trace is an address alone on its line.

    An address within a sentence may be one that the scam asks to write to.
    """
    is_one_address = [one.kind for one in unknown] == [TraceKind.EMAIL]
    is_plain = unknown[0].reason == SuspicionReason.OTHER
    is_alone = unknown[0].shown in {line.strip(" \t<>").lower() for line in text.splitlines()}
    return is_one_address and is_plain and is_alone


def _forwarders(text: str, known: KnownTraces) -> set[str]:
    """Returns the addresses of those who forwarded the message: senders in heads before the last;
    and that of a page's owner.

    The last head is that of the innermost message, so its sender has to be ours. An address that
    also occurs outside heads is not among them, nor one that imitates ours.
    """
    heads = reader_heads.heads_in(text, within=reader_heads.lines_above_message(text))
    if heads.senders and not known.has(_email_trace(heads.senders[-1])):
        return set()
    all_addresses = Counter(match[0].lower() for match in EMAIL.finditer(text))
    readers = [*heads.senders, *filter(None, [heads.owner])]
    in_heads = Counter(readers) + heads.recipients
    return {
        pasted_text.normal_email(one)
        for one in readers
        if all_addresses[one] == in_heads[one]
        and look_alikes.suspicion_reason(one.rpartition("@")[2], known.hosts)
        == SuspicionReason.OTHER
    }


def _email_trace(address: str) -> Trace:
    return Trace(TraceKind.EMAIL, pasted_text.normal_email(address))


def first_unknown_trace(text: str) -> str:
    """Returns the first trace of a report that is not ours, by which reports like it are found.

    It is written as kind and value, such as "link:evil.example"; "" if there is none.
    """
    unknown = unknown_traces(text)
    return f"{unknown[0].kind}:{unknown[0].value}" if unknown else ""


def unknown_traces(text: str) -> list[Trace]:
    """Returns the traces of a text, as it was pasted, that are not among our official contacts."""
    known = KnownTraces.of(_official_texts())
    shown = pasted_text.readable(mail_source.read(text).text)
    return [trace for trace in pasted_text.traces_in(shown) if not known.has(trace)]


def _account_mails(candidates: Iterable[str]) -> Iterator[MadeMail]:
    """Yields the account mails of ours with one of the codes `candidates`."""
    yield from islice(filter(None, map(made_mail, candidates)), MOST_MESSAGES)


def _sent(candidates: Iterable[str]) -> Iterator[SentMessage]:
    """Yields the messages of the codes `candidates` that a server may have accepted, and letters
    that a print house may have got.

    A message that waits, or was cancelled before it was sent, is treated like an unknown code:
    no person can have received it.
    """
    keys = [key for code in candidates if (key := delivery_of_code(code)) is not None]
    related = "letter", "notice__incident", "notice__version__statement__incident"
    for delivery in Delivery.objects.filter(pk__in=keys[:MOST_MESSAGES]).select_related(*related):
        is_accepted = delivery.state == State.ACCEPTED or _came_back(delivery)
        is_on_the_wire = delivery.state in WAITING_STATES and _is_on_the_wire(delivery)
        if is_accepted or is_on_the_wire or _may_have_been_taken(delivery):
            notice = delivery.notice
            started_at = notice.planned_at or notice.approved_at or notice.created_at
            yield SentMessage(
                notice=notice,
                at=timezone.now() if is_on_the_wire else delivery.ended_at or started_at,
                is_in_doubt=not is_accepted,
                is_possible_duplicate=delivery.is_possible_duplicate,
            )
        letter = getattr(delivery, "letter", None)
        if letter is not None:
            yield SentMessage(
                notice=delivery.notice,
                at=letter.exported_at,
                is_in_doubt=False,
                is_possible_duplicate=False,
                is_letter=True,
            )


def _came_back(delivery: Delivery) -> bool:
    """Returns whether a server accepted the message and returned it later.

    It may have been forwarded to a person who still has it. No reader has seen the code of a mail
    that was refused at once. The answer does not show the bounce, because that is about the
    recipient.
    """
    was_taken = bool(delivery.data_classes) or not delivery.notice.is_mandatory
    return delivery.state == State.BOUNCED and was_taken


def _may_have_been_taken(delivery: Delivery) -> bool:
    """Returns whether the reply to an attempt was lost, so that a person may have the message."""
    return delivery.state == State.IN_DOUBT or delivery.is_possible_duplicate


def _is_on_the_wire(delivery: Delivery) -> bool:
    """Returns whether the message is being sent now, or was when its worker died.

    Its chunk then lists it in `on_wire`.
    """
    leased = Chunk.objects.filter(notice=delivery.notice_id, state=Chunk.State.LEASED)
    return leased.filter(on_wire__contains=[delivery.pk]).exists()


def _is_nothing_else(text: str, traces: list[Trace]) -> bool:
    """Returns whether a text is one or two addresses or numbers and hardly anything else."""
    room = sum(len(trace.value) + 12 for trace in traces)
    return len(traces) <= 2 and len(text.split()) <= 8 and len(text) <= room + _CHARACTERS_BESIDE


def _names_all(notice: Notice, traces: list[Trace]) -> bool:
    """Returns whether messages of the notice may name all of `traces`."""
    known = _known_traces(notice)
    return all(known.has(trace) for trace in traces)


def _notices() -> list[Notice]:
    """Returns the 20 newest notices about public incidents with an accepted message."""
    sent = Notice.objects.real().filter(accepted__gt=0, incident__is_public=True)
    related = sent.select_related("incident", "version__statement__incident")
    return list(related.order_by("-planned_at", "-pk")[:20])


def _official_texts() -> Iterator[str]:
    for incident in Incident.objects.public():
        yield from _contacts(incident)


def _contacts(incident: Incident) -> Iterator[str]:
    yield incident.contact_phone
    yield incident.contact_email
    yield from incident.official_contacts.by_language().values()


def _known_traces(notice: Notice) -> KnownTraces:
    """Returns what a message of this notice may name: its traces, our contacts and the portal."""
    return KnownTraces.of(_contacts(notice.incident)) | _message_traces(notice.pk)


@lru_cache(maxsize=256)
def _message_traces(notice_id: int) -> KnownTraces:
    """Returns the traces in the texts of an approved notice in all languages. They never change."""
    notice = Notice.objects.select_related("version").get(pk=notice_id)
    messages = (_plain_text(bytes(message.mime)) for message in notice.messages.all())
    return KnownTraces.of([*_version_texts(notice.version), *messages])


def _plain_text(template: bytes) -> str:
    """Returns the text of a message template: the plain part of a mail, or the whole SMS."""
    if b"MIME-Version:" not in template:
        return template.decode(errors="replace")
    part = message_from_bytes(template, policy=SMTP).get_body(("plain",))
    return str(part.get_content()) if part else ""


def _version_texts(version: StatementVersion) -> Iterator[str]:
    yield from version.title.by_language().values()
    yield from version.change_reason.by_language().values()
    for section in version.sections.all():
        yield from map(markdown.plain, section.body.by_language().values())
    advisory = Advisory.objects.filter(statement=version.statement_id).first()
    if advisory:
        yield advisory.hotline
        yield advisory.original_url
