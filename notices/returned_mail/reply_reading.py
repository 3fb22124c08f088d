"""Reads the cause of a failure from a server's words and codes, which are judged together.

The narrower one wins. A reply may hold the status of another server (`5.1.1`) beside words that
name the sender (`550 5.7.1 blacklisted`): only words and codes that name the recipient say that an
address is bad. Words come first, because servers choose them with more care than codes. RFC 3463
and its registry define the codes.
"""

import re
from enum import Enum, auto

from notices.returned_mail.phrases import (
    PLAIN_WORDS,
    RECIPIENT,
    cause_pattern,
    plain_pattern,
    shape_pattern,
)


class Cause(Enum):
    """The cause of a permanent failure."""

    ADDRESS = auto()  # there is no such mailbox or domain, or not any more
    MAILBOX = auto()  # the mailbox exists but takes no mail: full, suspended
    SENDER = auto()  # we are refused: policy, reputation, authentication, relay, rate
    CONTENT = auto()  # the message is refused: size, spam, virus
    EXPIRED = auto()  # the server gave up after delays
    NETWORK = auto()  # the other server or the way to it is broken
    UNCLEAR = auto()


_OF_RECIPIENT = (Cause.ADDRESS, Cause.MAILBOX)
MOST_CHARACTERS = 4_000
STORED_CHARACTERS = 500
STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,4})(?![\d.]*\.\d)")

# In this order. Words that name the sender come before words that name the recipient.
_WORDS = [
    (Cause.NETWORK, cause_pattern("temporary")),
    (Cause.EXPIRED, cause_pattern("given_up")),
    (Cause.UNCLEAR, cause_pattern("unclear")),
    (Cause.MAILBOX, cause_pattern("recipients_mailbox")),
    (Cause.SENDER, cause_pattern("sender")),
    (Cause.MAILBOX, cause_pattern("full")),
    (Cause.CONTENT, cause_pattern("content")),
    (Cause.MAILBOX, cause_pattern("suspended")),
    (Cause.ADDRESS, cause_pattern("address")),
    (Cause.EXPIRED, cause_pattern("expired")),
    (Cause.NETWORK, cause_pattern("network")),
]
_LINK = re.compile(r"https?://\S+")
# Names are no words of the server: user.unknown@example.com, host antispam.example.com[192.0.2.1].
_ADDRESS = re.compile(r"<?[^\s<>@;:,()'\"]{1,64}@[\w.-]{1,255}>?")
_HOST = re.compile(
    r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}(?=\.? ?[\[(][\da-f.:]{7,45}[\])]| said\b)", re.IGNORECASE
)
_TEMPORARY = re.compile(r"(?<![\w.])4(?:[25]\d|\.\d{1,3}\.\d{1,4})(?=[ \-,:)\]]|$)")
_PERMANENT = re.compile(r"(?<![\w.])5(?:\d\d|\.\d{1,3}\.\d{1,4})(?=[ \-,:)\]]|$)")
_SENDERS_ADDRESS = re.compile(r"(?<![\d.])5\.1\.[789](?![\d.])")
_POLICY = re.compile(r"(?<![\d.])5\.7\.\d{1,4}(?![\d.])")
_NAMES_SENDER = shape_pattern("names_sender")
_NAMES_OTHER = shape_pattern("names_other")
_OF_POSTMASTER = re.compile(
    r"<?(?:(?:post|host|web)master|abuse|mailer-daemon|(?:no|do-?not)[-_.]?reply)@", re.IGNORECASE
)
# Relays put a tag or the address of their own before it (BATV, SRS).
_OF_US = re.compile(r"(?:\S*[=+]|<?)bounce\+", re.IGNORECASE)
# A server that answers us with this word may have looked up our domain.
_MX_IN_REPLY = re.compile(r"\b5\d\d\b.{0,200}\bmx\b", re.IGNORECASE)
_NAMES_DOMAIN = shape_pattern("names_domain")
_RECIPIENTS_DOMAIN = shape_pattern("recipients_domain")
# Mobile carriers say so of a user who exists, but whose filter does not let the message in.
_AFTER_CONTENT = re.compile(r"\b(?:in reply to|after) end of data\b|>>> data\b", re.IGNORECASE)
_COMMAND = re.compile(r"\b(?:in reply to|after) (?:pipelined )?mail from\b", re.IGNORECASE)
_UNKNOWN_USER = re.compile(r"\bunknown user|\buser unknown", re.IGNORECASE)
_OTHER_ADDRESS = re.compile(r"(?<![\d.])5\.1\.0(?![\d.])")
_GREYLISTED = re.compile(r"gr[ae]y[- ]?list", re.IGNORECASE)
_FOR_NOW = shape_pattern("for_now")
_AGAIN = shape_pattern("again")
_TEMPORARY_STATUS = re.compile(r"(?<![\d.])4\.\d{1,3}\.\d{1,4}(?![\d.]*\.\d)")
_MAILBOX_STATUS = re.compile(r"(?<![\d.])4\.[12]\.\d{1,3}(?![\d.]*\.\d)")
_MAILBOX = re.compile(rf"\b{RECIPIENT}\b", re.IGNORECASE)
_CODES = {
    **dict.fromkeys(("1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4", "4.310"), Cause.ADDRESS),
    **dict.fromkeys(("1.7", "1.8", "1.9", "4.5", "5.3"), Cause.SENDER),
    **dict.fromkeys(("2.2",), Cause.MAILBOX),
    **dict.fromkeys(("2.3", "3.4"), Cause.CONTENT),
    **dict.fromkeys(("4.7", "4.1"), Cause.EXPIRED),
}
_PLAIN_CODES = ("0.0", "1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4")
_PLAIN, _FORMS, _HEADS, _UNFINISHED = (
    plain_pattern(name) for name in ("phrases", "forms", "heads", "unfinished")
)
_DOTTED = re.compile(r"(?<![\w.-])[a-z\d_-]+(?:\.[a-z\d_-]+)*\.[a-z]{2,7}(?![\w.])")
_NETWORK_ADDRESS = re.compile(r"[\[(][\da-f.:]{3,45}[\])]")
_ANY_CODE = re.compile(r"(?<![\w.])[245](?:\d\d|\.\d{1,3}\.\d{1,4})(?![\w.])-?")
_RUN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_IDENTIFIER = re.compile(r"(?=[a-z]*\d)[a-z\d]+")
_SUBJECTS = {"7": Cause.SENDER, "6": Cause.CONTENT, "3": Cause.NETWORK, "4": Cause.NETWORK}


def cause_of(reply: str) -> Cause:
    """Returns the cause that a server's reply names, with its codes."""
    text = " ".join(_without_names(reply[:MOST_CHARACTERS]).split())
    if _is_temporary(text):
        text = _COMMAND.sub(" ", text)  # it refuses us for now, whatever command it answered
    return Cause.ADDRESS if _FORMS.fullmatch(text) else _cause_of_words(text)


def _cause_of_words(text: str) -> Cause:
    by_codes = _cause_of_codes(text)
    by_words = next((cause for cause, words in _WORDS if words.search(text)), by_codes)
    if by_words is Cause.ADDRESS and _SENDERS_ADDRESS.search(text):
        return Cause.SENDER
    if by_words in _OF_RECIPIENT and (may_mean_sender(text) or _NAMES_OTHER.search(text)):
        return Cause.UNCLEAR
    if by_words is Cause.ADDRESS and by_codes is not by_words and _is_ambiguous(text):
        return Cause.UNCLEAR
    if by_words is Cause.ADDRESS and _OTHER_ADDRESS.search(text) and not _MAILBOX.search(text):
        return Cause.UNCLEAR  # 5.1.0 is also used for the address of the sender
    is_of_code = not any(words.search(text) for _cause, words in _WORDS)
    if by_words is Cause.ADDRESS and (
        _FOR_NOW.search(text) or (is_of_code and _AGAIN.search(text))
    ):
        by_words = Cause.UNCLEAR
    if by_words in (Cause.NETWORK, Cause.UNCLEAR) and _is_temporary(text):
        return Cause.EXPIRED  # a temporary refusal is final only if the server gave up
    return by_words


def names_only_the_recipient(reply: str) -> bool:
    """Returns whether a stored reply, which calls an address bad, can mean no other address.

    It has to be a known form as a whole, or its words have to say so, and each of its codes and
    words has to be one of a bad address (`plain` in phrases.toml). So a word that the portal does
    not know makes this False, whatever it means. An address, too, because that of the recipient is
    left out of stored replies; and a reply that may go on.
    """
    if _ADDRESS.search(reply) or len(reply) >= STORED_CHARACTERS:
        return False
    text = _without_names(reply).casefold().replace("’", "'")
    text = " ".join(text.split())
    if _FORMS.fullmatch(text.lstrip("…")):
        return True
    if text[:1] == "…" or cause_of(reply) is not Cause.ADDRESS:
        return False
    if head := _HEADS.match(text):
        text = text[head.end() :]
    return not _UNFINISHED.search(text) and _is_plain(text)


def _is_plain(text: str) -> bool:
    """Returns whether each code and word of a reply in small letters is one of a bad address."""
    codes = [(digit, f"{subject}.{detail}") for digit, subject, detail in STATUS.findall(text)]
    if any(digit != "5" or code not in _PLAIN_CODES for digit, code in codes):
        return False
    text = " ".join(_ANY_CODE.sub(" ", _NETWORK_ADDRESS.sub(" ", text)).split())
    if _RUN.search(text) and cause_of(text) is not Cause.ADDRESS:
        return False  # only a code says so, and the words may go on
    words = _RUN.findall(_PLAIN.sub(" ", " ".join(_DOTTED.sub(" ", text).split())))
    return all(word in PLAIN_WORDS or _IDENTIFIER.fullmatch(word) for word in words)


def after_content(reply: str, *, most: int) -> str:
    """Returns a refusal of the whole message in at most `most` characters, with the command that it
    answers if `cause_of` needs that to tell a recipient's filter from a bad address.
    """
    if not _UNKNOWN_USER.search(reply):
        return reply[:most]
    command = " (in reply to end of DATA)"
    return reply[: most - len(command)] + command


def asks_for_later(reply: str) -> bool:
    """Returns whether a refusal says that a later attempt may succeed, whatever its code is.

    Words for us or for the content count more. So do words for a bad
    address, if no word says "for now".
    """
    text = " ".join(_without_names(reply[:MOST_CHARACTERS]).split())
    if _GREYLISTED.search(text):
        return True
    is_later = _FOR_NOW.search(text) or _AGAIN.search(text) or _TEMPORARY_STATUS.search(text)
    return bool(is_later) and cause_of(text) not in (Cause.SENDER, Cause.CONTENT, Cause.ADDRESS)


def is_of_recipient_for_now(reply: str) -> bool:
    """Returns whether a refusal for now is the recipient's own: by greylisting, or of a mailbox."""
    is_named = _GREYLISTED.search(reply) or _MAILBOX_STATUS.search(reply)
    return bool(is_named) or cause_of(reply) is Cause.MAILBOX


def _is_ambiguous(text: str) -> bool:
    """Returns whether words for a bad address may mean our domain, or a filter of the recipient."""
    is_domain = _NAMES_DOMAIN.search(text) and not _RECIPIENTS_DOMAIN.search(text)
    is_filter = _AFTER_CONTENT.search(text) and _UNKNOWN_USER.search(text)
    return bool(is_domain or is_filter or _MX_IN_REPLY.search(text))


def may_mean_sender(reply: str) -> bool:
    """Returns whether a reply has a word for the sender, or names a policy and no recipient."""
    names_policy = _POLICY.search(reply) and not _MAILBOX.search(reply)  # 5.7.x
    return bool(_NAMES_SENDER.search(reply) or names_policy)


def _is_temporary(text: str) -> bool:
    """Returns whether a reply has codes, and only those of temporary refusals."""
    return bool(_TEMPORARY.search(text)) and not _PERMANENT.search(text)


def _without_names(text: str) -> str:
    """Returns a reply without links, hosts and addresses, whose parts may look like words."""
    text = _ADDRESS.sub(_word_for, _LINK.sub(" ", text)).replace("<<…>>", "<…>")
    return _HOST.sub("host", text)


def _word_for(address: re.Match[str]) -> str:
    """Returns what stands for an address: neither ours nor the postmaster's is the recipient's."""
    if _OF_US.match(address[0]):
        return "<sender>"
    return "postmaster" if _OF_POSTMASTER.match(address[0]) else "<…>"


def _cause_of_codes(text: str) -> Cause:
    """Returns the cause of the narrowest status code. One that names the sender comes first."""
    found = [_cause_of_code(*match.groups()) for match in STATUS.finditer(text)]
    for cause in (Cause.SENDER, Cause.CONTENT, Cause.MAILBOX, Cause.ADDRESS, Cause.EXPIRED):
        if cause in found:
            return cause
    return Cause.NETWORK if Cause.NETWORK in found else Cause.UNCLEAR


def _cause_of_code(digit: str, subject: str, detail: str) -> Cause:
    cause = _CODES.get(f"{subject}.{detail}") or _SUBJECTS.get(subject, Cause.UNCLEAR)
    if digit == "4" and cause in (Cause.ADDRESS, Cause.NETWORK, Cause.UNCLEAR):
        return Cause.EXPIRED  # a temporary refusal is final only if the server gave up
    return cause
