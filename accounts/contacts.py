"""The normal form of e-mail addresses and phone numbers.

Look-ups by blind index depend on these functions: the import, the sign-in form and the suppression
list use them. After a change here all blind indexes must be computed again. Phone numbers are in
accounts.phones.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.domain_typos import has_known_end, meant_domain
from accounts.phones import Phone, PhoneCell, formatted_phone, normalise_phone, read_phones

__all__ = [
    "MASKED",
    "MISTYPED",
    "NOT_AN_ADDRESS",
    "EmailCell",
    "Phone",
    "PhoneCell",
    "formatted_phone",
    "is_departments",
    "is_phone",
    "is_usable_email",
    "normalise_email",
    "normalise_phone",
    "read_emails",
    "read_phones",
    "readable_contact",
    "usual_email",
]

MASKED, NOT_AN_ADDRESS, MISTYPED = "masked", "not an address", "mistyped domain"
# Those of RFC 2142, and those of programs.
_NO_PERSONS_MAILBOXES = {
    *("info", "marketing", "sales", "support", "abuse", "noc", "security", "postmaster"),
    *("hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp", "mailer-daemon", "root"),
    *("admin", "administrator", "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply"),
}
MOST_ADDRESSES = 9  # a cell with more is a list, and no person's contact
# The time of NFKC can grow with the square of the length. No address is longer than this.
_MOST_CHARACTERS = 320
_LONGEST_LOCAL_PART = 64
_MOST_CELL_CHARACTERS = MOST_ADDRESSES * _MOST_CHARACTERS
# The local parts that all mail servers accept (the dot-string of RFC 5321), in lower case.
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Lower-case letters of ASCII, digits and hyphens.
_PLAIN_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
# Characters that no reader sees, in an address that was copied. The joiners U+200C and U+200D are
# not here, because they make another word in some scripts.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
# The form in which nearly all addresses are written. Nothing has to be peeled from it.
_LABEL = r"[Ee]?-?[Mm][Aa][Ii][Ll]"
_USUAL = re.compile(
    rf"((?!{_LABEL}=)[\w+=-]+(?:\.[\w+=-]+)*)(?<!___)(?<!---)@([A-Za-z0-9.-]+)", re.ASCII
)
# Exports also mask with signs that an address may hold. A user may still sign in with such an
# address, but a cell with one is not certain.
_MASKED_END = re.compile(r"(?:_{3}|-{3}|\?\?)@")
# What programs add to the domain of an account that is closed, or copied for a test (Salesforce).
# It is no domain, and the address without it belongs to a person.
_PUT_OUT = re.compile(
    r"\.(?:invalid|deleted?|del|removed|disabled|deactivated|inactive|withdrawn|closed|old|bak)"
    r"(?:[._-]?\d+)?$"
)
_LABELS = re.compile(rf"(?:{_LABEL}\s*[=:]\s*)+")
# A text in the syntax of Python or SQL: b'a@b', N'a@b', _binary 'a@b'.
_TEXT_LITERAL = re.compile(r"""(?:[bune]|_[a-z0-9]{2,12} ?)(['"])([^'"]*)\1""", re.IGNORECASE)
# Addresses of a mailbox as Exchange lists them, beside others that are no e-mail addresses:
# SMTP:a@b;smtp:c@d;X500:/o=Corp/cn=kim
_KIND_OF_PROXY = re.compile(r"(?<![^;,|\s])(smtp|x500|x400|sip|eum|spo):", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\[([^\[\]]*)\]\((mailto:[^()]*)\)")
_ANGLE = re.compile(r"<([^<>]*)>")
# The small form of U+0130, the capital i of Turkish, which programs make of `i`. No registry takes
# it: a domain that holds it, as GMAİL.COM, is another one in DNS and nearly never what was meant.
_DOTTED_I = "i\u0307"
# The i without a dot, which Turkish programs make of the I in GMAIL.COM. If it is the only foreign
# letter of a domain, the domain was nearly certainly changed so, and belongs to another person.
_DOTLESS_I = "\u0131"
_AROUND = " \t\u00a0\u3000'\"`\u2018\u2019\u201c\u201d.,;:"


class EmailCell(NamedTuple):
    """The addresses in a text, or why there is none."""

    addresses: tuple[str, ...]  # normalised, each one usable
    oddity: str  # MASKED, MISTYPED or NOT_AN_ADDRESS; "" if there is an address


def is_phone(contact: str) -> bool:
    """Returns whether a normalised contact is a number, and no e-mail address."""
    return contact.startswith("+") and "@" not in contact


def readable_contact(contact: str) -> str:
    """Returns a normalised contact as people write it: a number in groups of digits."""
    return (formatted_phone(contact) if is_phone(contact) else None) or contact


def normalise_email(text: str) -> str:
    """Returns the address in NFKC and lower case, without surrounding spaces.

    Invisible characters are removed, and the domain is in the form that DNS looks up (xn--). A part
    after `+` stays in the address. Returns "" if the text is too long for an address.
    """
    text = text.strip()
    if len(text) > _MOST_CHARACTERS:
        return ""
    if text.isascii():
        return text.lower()
    # `lower` can undo NFKC (U+0130 becomes two characters), so NFKC is applied after it again.
    lowered = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).lower()
    normalised = unicodedata.normalize("NFKC", lowered).strip()
    local, at, domain = normalised.rpartition("@")
    if at:
        normalised = f"{local}@{_domain_in_dns(domain)}"
    return normalised if len(normalised) <= _MOST_CHARACTERS else ""


@lru_cache(maxsize=1 << 12)
def _domain_in_dns(domain: str) -> str:
    """Returns the domain with its labels as xn--, or unchanged if DNS would look up another one."""
    if domain.isascii() or _was_lowered_in_turkish(domain):
        return domain
    with_dots = domain.replace("\u3002", ".")
    try:
        encoded = with_dots.encode("idna").decode("ascii")
        return encoded if encoded.encode().decode("idna") == with_dots else domain
    except UnicodeError:
        return domain


def _was_lowered_in_turkish(domain: str) -> bool:
    """Returns whether a program with Turkish rules probably made the domain of another one."""
    return _DOTTED_I in domain or (
        _DOTLESS_I in domain and domain.replace(_DOTLESS_I, "i").isascii()
    )


def is_departments(email: str) -> bool:
    """Returns whether a normalised address is the mailbox of a server or a department."""
    return email.partition("@")[0].partition("+")[0] in _NO_PERSONS_MAILBOXES


def is_usable_email(normalised: str) -> bool:
    """Returns whether the spelling is that of one address, for every mail server.

    If a mail server could read an address as another one, its owner would receive or see the data
    of the other. `normalised` comes from `normalise_email`.
    """
    local, _at, domain = normalised.rpartition("@")
    if (
        len(normalised) > 254
        or len(local) > _LONGEST_LOCAL_PART
        or not _LOCAL_PART.fullmatch(local)
    ):
        return False
    # Mail programs decode =?…?= in a header; * and ## stand for characters that were masked.
    is_plain = "=?" not in local and "*" not in local and "##" not in local
    return is_plain and _is_usable_domain(domain)


# Cached, because most addresses are at a few domains.
@lru_cache(maxsize=1 << 14)
def _is_usable_domain(domain: str) -> bool:
    if _was_lowered_in_turkish(domain):
        return False
    if "." not in domain:  # Django accepts `localhost`, which is a mailbox of the portal itself
        return False
    return _is_domain(domain) and _stays_the_same_in_dns(domain)


def _is_domain(domain: str) -> bool:
    """Returns whether Django takes the domain for one of an address."""
    if _PLAIN_DOMAIN.fullmatch(domain):  # Django's pattern takes 0.05 s to compile
        return True
    try:
        validate_email(f"a@{domain}")
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=1 << 14)
def _is_certain_domain(domain: str) -> bool:
    """Returns whether a domain in a file is usable, not mistyped, and no program has added to it.

    The owner of a mistyped domain is a stranger; see accounts.domain_typos.
    """
    is_whole = _is_usable_domain(domain) and without_added_end(domain) == domain
    return is_whole and not meant_domain(domain)


@lru_cache(maxsize=1 << 14)
def _is_usual_domain(domain: str) -> bool:
    return _is_certain_domain(domain) and has_known_end(domain)


def without_added_end(domain: str) -> str:
    """Returns the domain without what programs add to that of a closed account."""
    return _PUT_OUT.sub("", domain)


def _stays_the_same_in_dns(domain: str) -> bool:
    """Returns whether DNS looks up the domain as it is written.

    Mail to `straße.example`, for example, is sent to `strasse.example`.
    """
    try:
        ascii_domain = domain.encode("idna")
        is_unchanged = domain.isascii() or ascii_domain.decode("idna") == domain
    except UnicodeError:
        return False
    return is_unchanged and re.fullmatch(rb"[a-z0-9.-]+", ascii_domain) is not None


# ---------------------------------------------------------------- cells of an export


def read_emails(text: str) -> EmailCell:
    """Returns the different addresses in a text, in their order.

    Reads `Name <a@b>`, `mailto:a@b`, `email=a@b`, links of Markdown, quotes and marks around an
    address, and several addresses between `;`, `,`, `|`, spaces or slashes. If one of them is
    unreadable, all are: a part of "minji,kim@example.com" could be the address of another person.
    """
    if address := usual_email(text):
        return EmailCell((address,), "")
    if len(text) > _MOST_CELL_CHARACTERS:
        return EmailCell((), NOT_AN_ADDRESS)
    plain = unicodedata.normalize("NFKC", text)
    if "@" in plain:
        plain = _unwrapped(_INVISIBLE.sub("", plain).strip())
    if "@" not in plain:
        return EmailCell((), NOT_AN_ADDRESS)
    found = [_read_address(piece) for piece in _pieces(plain)]
    if not found or "" in found or len(found) > MOST_ADDRESSES:
        return EmailCell((), _oddity(plain))
    return EmailCell(tuple(dict.fromkeys(found)), "")


def _oddity(plain: str) -> str:
    """Returns why a text with an @ is not certain."""
    if is_masked(plain):
        return MASKED
    domain = normalise_email(plain).rpartition("@")[2]
    return MISTYPED if _is_usable_domain(domain) and meant_domain(domain) else NOT_AN_ADDRESS


def _unwrapped(text: str) -> str:
    """Returns a cell without what programs write around an address."""
    if literal := _TEXT_LITERAL.fullmatch(text):
        text = literal[2]
    plain = _without_label(text.strip(_AROUND)).strip(_AROUND)
    return _MARKDOWN_LINK.sub(r"\1 <\2>", _of_exchange(plain) or plain)


def _of_exchange(plain: str) -> str:
    """Returns the e-mail addresses of a list that Exchange wrote; "" if the text is no such list.

    An address without its kind before it, as the second of "smtp:a@b;c@d", is not certain.
    """
    before, *parts = _KIND_OF_PROXY.split(plain)
    listed: list[str] = []
    for kind, text in zip(parts[::2], parts[1::2], strict=True):
        first, *others = _split(text) or [""]
        is_by_mail = kind.lower() == "smtp"
        if before or (others and is_by_mail) or any("@" in other for other in others):
            return ""
        if is_by_mail and first:
            listed.append(first)
    return ";".join(listed)


def _without_label(text: str) -> str:
    label = _LABELS.match(text)
    return text[label.end() :] if label else text


def usual_email(text: str) -> str:
    """Returns what `read_emails` does for one address in its usual form, in less time; else "".

    An address whose top-level domain does not exist has no usual form.
    """
    if (usual := _USUAL.fullmatch(text)) is None:
        return ""
    if len(text) > _LONGEST_LOCAL_PART and (len(text) > 254 or usual.end(1) > _LONGEST_LOCAL_PART):
        return ""
    address = text.lower()
    return address if _is_usual_domain(address[usual.start(2) :]) else ""


def is_masked(text: str) -> bool:
    """Returns whether the text is an address of which characters were replaced, as `k***@b.com`."""
    return "@" in text and _MASK.search(text) is not None


_MASK = re.compile(rf"[*\u2022\u2580-\u25ff\u00d7]|\.{{3}}|\u2026|{_MASKED_END.pattern}")


def _pieces(plain: str) -> list[str]:
    """Returns the parts of a cell that must each be an address; [] if that is not certain."""
    if is_usable_email(normalise_email(plain)):
        return [plain]
    if in_angles := _ANGLE.findall(plain):
        beside = _ANGLE.sub(" ", plain)
        if "@" in beside and "<" not in beside:  # Outlook writes the address as the name
            named = {_read_address(piece) for piece in _split(beside)}
            return in_angles if named == {_read_address(piece) for piece in in_angles} else []
        return in_angles if "<" not in beside else []
    pieces = _split(plain)
    if len(pieces) == 1 and plain.count("@") > 1:
        pieces = plain.split("/")
    return pieces


def _split(text: str) -> list[str]:
    return [piece for piece in re.split(r"[;,|\s]+", text) if piece.strip(_AROUND + "/-")]


def _read_address(piece: str) -> str:
    """Returns the usable address that a part of a cell is, or ""."""
    plain = _without_label(piece.strip(_AROUND))
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].partition("?")[0]
    normalised = normalise_email(plain.strip(_AROUND))
    is_certain = (
        is_usable_email(normalised)
        and not _MASKED_END.search(normalised)
        and _is_certain_domain(normalised.rpartition("@")[2])
    )
    return normalised if is_certain else ""
