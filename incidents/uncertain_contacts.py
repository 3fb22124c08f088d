"""Finds what a cell with an uncertain contact may say, and whose contact that may be.

A cell of which it is not certain what it says finds no person (docs/decisions/0020). Its owner must
not read that they are not among the leaked data all the same. So the import keeps the blind indexes
of every address or number that the cell may mean (UnreadContact), and of a pattern where parts are
hidden or lost: `mi*@b.example` for `mi***@b.example`, `*6781` for `010-****-6781`. Both sides use
the same texts: `contacts_meant` returns those of a cell, `meant_by` those of a verified contact.
Twins of an address (accounts.twin_mailboxes) are one address here, and patterns hold no dots. They
open no row. See docs/decisions/0077.
"""

import base64
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher

from accounts.contacts import (
    is_phone,
    is_usable_email,
    normalise_email,
    read_emails,
    read_phones,
    without_added_end,
)
from accounts.domain_typos import has_known_end, meant_domain
from accounts.twin_mailboxes import main_spelling, twins_of

MOST_CHARACTERS = 2_000  # of a cell that is searched
MOST_MEANT = 100  # texts of one cell
_SHOWN = 3  # characters that a pattern of an address keeps, at most
# Signs for hidden characters: \u2580 to \u25ff are blocks, squares and circles.
_HIDDEN = r"*\u2022\u00d7\u2026\u203b\u2580-\u25ff\u2605\u2606\u2731"
# Cyrillic letters that look like Latin ones, and the i that Turkish programs make of others.
_LIKE_LATIN = "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u051b\u051d\u0458\u04bb\u0501"
_READ_AS = str.maketrans(
    dict(zip(_LIKE_LATIN + "\u0130\u0131", "aeopcyxisqwjhdii", strict=True))
    | dict.fromkeys("\u200c\u200d", "")
)
_CIRCLED_A = "\u24d0"  # which people write against collectors of addresses
_MARK = re.compile(r"[<>\"'`()\[\]{}]")
# The time is linear: the text has no two spaces side by side, and the brackets are blank.
_AT = re.compile(
    r" ?[_-]* ?(?:(?<![^\W_])(?:at|arroba|klammeraffe)(?![^\W_])|골뱅이|앳|아트|=40) ?[_-]* ?",
    re.IGNORECASE,
)
_AT_IN_BRACKETS = re.compile(
    r"([a-z0-9]+(?:\.[a-z0-9]+)*)[(\[{<]at?[)\]}>]([a-z0-9]+(?:\.[a-z0-9]+)+)", re.ASCII
)
_DOT = re.compile(r"[ _-](?:dot|점|punkt|point)[ _-]", re.IGNORECASE)
_AT_WITHIN = re.compile(r"\.at\.(?=[^@]*$)|(?<=[a-z0-9])AT(?=[a-z0-9-]+\.)")  # a.at.b.com, aATb.com
# A text that may name an address without the sign: "minji_at_naver.com", "minji at naver dot com".
_IN_WORDS = re.compile(
    r"[\w.+-]*[\w+-](?:[\W_]{1,3}(?i:at|arroba)[\W_]{1,3}|(?<=[a-z0-9])AT(?=[a-z0-9])|\W{0,2}골뱅이\W{0,2})"
    r"[A-Za-z0-9][\w-]*(?:\W?\.\W?|[\W_]{1,3}(?i:dot)[\W_]{1,3})\w[\w.-]*",
)
_AROUND_SIGN = re.compile(r" ?([@.]) ?")
_IN_LOCAL = r"[\w.!#$%&*+=?^{|}~'-]"
_ADDRESS = re.compile(rf"(?<!{_IN_LOCAL}){_IN_LOCAL}+@[\w-]+(?:\.[\w-]+)+")
_LIKE_ADDRESS = re.compile(r"(?<![^\s@,;/|<>])([^\s@,;/|<>]*)@([^\s@,;/|<>]*)")
_HEXADECIMAL = re.compile(r"(?:0x|\\x|x')?((?:[0-9a-f]{2}){6,320})'?", re.ASCII | re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,430}={0,2}")
# Users of one domain: "minji/seojun@b.example". The parts of an address with such a sign are users
# too, if people wrote it.
_USERS = re.compile(r"([\w.-]+) ?[,;/|&\u00b7] ?([\w.-]+)@([\w.-]+)")
_SIGN_OF_USERS = re.compile(r"[/|&]")
_TWO_SIGNS = re.compile(r"([\w.+-]{1,64})@([\w.-]{1,60})@([\w.-]{1,60})", re.ASCII)
# A sign beside the @ on a keyboard, if it is the only one: "q#b.example".
_MISTYPED = re.compile(r"(?<=\w)[#$%*!&](?=[\w-]+(?:\.[\w-]+)+$)")
_PROVIDERS = r"(?:naver|gmail|hanmail|daum|nate|kakao|yahoo|hotmail|outlook|icloud|qq|163|126)"
_WITHOUT_SIGN = re.compile(rf"^([\w.+-]*?\w)[2\".,_-]?({_PROVIDERS}\.[a-z.]+)$", re.IGNORECASE)
_BETWEEN_SCRIPTS = re.compile(r"(?<=[A-Za-z0-9])(?=[^\x00-\x7f])|(?<=[^\x00-\x7f])(?=[A-Za-z0-9])")
# What stands before or after the user name of a closed account, and marks of a list before one.
_CLOSED = r"(?:del(?:eted?)?|withdr[a-z]+|removed?|old|closed|disabled)"
_ADDED = re.compile(rf"^[^a-z0-9]+|^{_CLOSED}\d*[._-]+|[._-]+{_CLOSED}(?:[._-]?\d+)?$")
# Of `minji_gmail.com#ext#`, a guest, and of `minji%gmail.com`, which old gateways write.
_GUEST = re.compile(r"(.+)(?:_(?=[^_%]*#ext#$)|%)([^_%#]+)(?:#ext#)?")
_BEFORE_USER = re.compile(r"[+-]")
_MOST_STARTS = 8
_LAST_WORD = re.compile(r"[^=/?&]+$")  # of "?mail=q"
_AFTER_DOMAIN = re.compile(r"(@[^\s@_]+)_\S*")  # "q@b.example_old"
_MASKED_CELL = re.compile(rf"[\w.+-]*[{_HIDDEN}][\w.+{_HIDDEN}-]*@[\w.-]+")
_USER_NAME = re.compile(r"[a-z0-9._%+-]{4,64}", re.ASCII | re.IGNORECASE)
_HIDES = re.compile(
    rf"[{_HIDDEN}#]|\.{{3}}|\?{{2,}}|x{{3,}}|_{{3,}}(?=@|$)|-{{3,}}(?=@|$)", re.IGNORECASE
)
_NUMBER = re.compile(rf"\+?[\d{_HIDDEN}#?_xX][\d{_HIDDEN}#?_xX ().-]{{5,}}")
_HIDDEN_DIGITS = re.compile(rf"[{_HIDDEN}]|[xX#?_]{{2,}}")
_SHORTENED = re.compile(r"[+-]?(\d)[.,](\d+)E\+?(\d{1,3})", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
# A number, and the ends of others that begin like it: "010-2345-6781/6782", "010-2345-6781~2".
_ENDS = re.compile(
    r"(\+?\(?\d[\d ().-]{7,18}?\d)((?: ?(?:[/~,;|&+(\u00b7\u223c-]|or|및|또는) ?\d{1,4}\)?){1,8})"
)
_LAST_LINES = re.compile(r" ?[/~] ?\d{1,2}$")  # of "0171/2345612/13"
_LIKE_DIGITS = str.maketrans("OoIl|", "00111")
_WITHOUT_SEPARATORS = str.maketrans("", "", " ().-")
_DIGIT = re.compile(r"\d")
_FEWEST_OF_START = 4  # characters, with the `+`
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15  # of a number with its country code
# The digits of a number, and the signs that may stand between them.
_MANY_DIGITS = re.compile(rf"(?:\d[\W_xX\u30fc]*){{{_FEWEST_DIGITS}}}")
# The same with letters that are typed for digits, where a word does not end in them.
_MANY_LIKE_DIGITS = re.compile(rf"(?<![^\W_])(?:[\dOoIl|][\W_xX\u30fc]*){{{_FEWEST_DIGITS}}}")


def meant_by(contact: str) -> list[str]:
    """Returns the texts under which uncertain cells may hold a verified contact.

    `contact` is a normalised address or a number in E.164; it is the first of the texts.
    """
    if is_phone(contact):
        starts = [f"{contact[:size]}*" for size in range(_FEWEST_OF_START, len(contact))]
        return [contact, mention_of(contact), f"*{contact[-4:]}", *starts, "*"]
    main = main_spelling(contact)
    local, _at, domain = main.rpartition("@")
    plain = local.replace(".", "")
    sizes = range(1, min(_SHOWN, len(plain)) + 1)
    shown = [f"{plain[:size]}*" for size in sizes] + [f"*{plain[-size:]}" for size in sizes]
    patterns = [f"{part}@{end}" for part in shown for end in (domain, "*")]
    own = [contact, *twins_of(contact), mention_of(contact)]
    return [*own, f"{local}+*@{domain}", f"{plain}@*", *patterns]


def mention_of(text: str) -> str:
    """Returns the text under which a contact is kept that a file only mentions.

    It is a pattern, so that it is stored once a file and counts for no row. `text` is a normalised
    address, a number in E.164 or a pattern.
    """
    if is_pattern(text):
        return text
    return f"{text if is_phone(text) else main_spelling(text)}*"


def is_pattern(text: str) -> bool:
    """Returns whether a text that a cell may mean is a pattern, which many contacts match."""
    return "*" in text


def contacts_meant(cell: str, region: str) -> tuple[list[str], list[str]]:
    """Returns the addresses and the numbers that a cell may mean, and the patterns of others.

    The cell is not certain as an address or as a number. `region` is that of numbers without a
    country code.
    """
    emails, numbers = _contacts_meant(cell[:MOST_CHARACTERS], region)
    return list(emails), list(numbers)


@lru_cache(maxsize=1 << 10)  # many cells hold the same word, such as "none"
def _contacts_meant(cell: str, region: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    plain = unquote(html.unescape(cell)).replace(_CIRCLED_A, "@")
    text = unicodedata.normalize("NFKC", plain)
    if not text.isascii():
        text = "".join(map(_plain_digit, text)).translate(_READ_AS)
        text = text.encode("utf-8", "ignore").decode()  # half a character of JSON means nothing
    text = " ".join(text.split())
    if address := _in_brackets(text):  # its digits are no part of a number, unless it is one
        user = address.partition("@")[0]
        return (address,), tuple(phone.number for phone in read_phones(user, region).phones)
    emails = _emails(text)
    numbers = _numbers_meant(text, region, emails)
    return tuple(emails[:MOST_MEANT]), tuple(numbers[:MOST_MEANT])


def contacts_held(cell: str, region: str) -> tuple[list[str], list[str]]:
    """Returns what `contacts_meant` does, for a cell of a column that is not for contacts.

    If it is certain what the cell says, that is all.
    """
    emails = list(read_emails(cell).addresses) if "@" in cell else []
    numbers = [phone.number for phone in read_phones(cell, region).phones]
    return (emails, numbers) if emails or numbers else contacts_meant(cell, region)


def is_in_words(text: str) -> bool:
    """Returns whether the whole text is an address in words, as `minji_at_naver.com`; fast."""
    has_dot = "." in text or "dot" in text or "DOT" in text
    return has_dot and _IN_WORDS.fullmatch(text.strip()) is not None


def pattern_of_user_name(cell: str) -> str:
    """Returns the pattern of an address of which a cell holds the user name alone; "" if none.

    The domain was cut off, or is in another column. A part of the name may be cut off too, but not
    of one of digits, as those of QQ are.
    """
    if not _USER_NAME.fullmatch(cell) or is_in_words(cell):
        return ""
    plain = cell.lower().replace(".", "")
    if not (plain.isdecimal() or any(map(str.isalpha, plain))):  # such as a date
        return ""
    return f"{plain}@*" if plain.isdecimal() else f"{plain[:_SHOWN]}*@*"


def has_addition(email: str) -> bool:
    """Returns whether `meant_beside` may find anything in an address in its usual form; fast."""
    if "+" in email or "=" in email or "del" in email or "old" in email or not email[0].isalnum():
        return True
    return "withdr" in email or "remove" in email or "closed" in email or "abled" in email


def meant_beside(email: str) -> list[str]:
    """Returns what a normalised address may mean besides itself, for the import to keep.

    That is a pattern for an address with a part after `+`: at most providers the address without
    that part reaches the same mailbox, but not at all. It is a pattern for an address whose
    top-level domain does not exist. And it is the address without the mark of a list, or without
    the word that a program adds to the address of a closed account, and an address that a program
    has written into the local part. Of `minji/seojun@b.example` they are those of both users.
    """
    local, _at, domain = main_spelling(email).rpartition("@")
    user, plus, _tag = local.partition("+")
    patterns = [f"{user}+*@{domain}"] if plus and user else []
    if not has_known_end(domain):
        patterns.append(f"{user.replace('.', '')}@*")
    local, _at, domain = email.rpartition("@")
    plain = _ADDED.sub("", local)
    is_other = plain != local and any(map(str.isalpha, plain))
    other = f"{plain}@{domain}"
    others = [other] if is_other else []
    others += [f"{part}@{domain}" for part in _SIGN_OF_USERS.split(local) if part != local]
    meant = dict.fromkeys([*others, *_within(local, domain)])
    return [*patterns, *filter(is_usable_email, meant)]


def _within(local: str, domain: str) -> Iterator[str]:
    """Yields the address that a program has written into the local part of another one.

    Microsoft does so for guests of an organisation, and mail servers for mail that was forwarded
    (SRS) or may be returned (BATV, VERP). Where the user name begins may not be certain.
    """
    if guest := _GUEST.fullmatch(local):
        yield f"{guest[1]}@{guest[2]}"
    head, sign, end = local.rpartition("=")
    if local.startswith("prvs="):
        yield f"{end}@{domain}"
    elif local.startswith("srs"):
        yield f"{end}@{head.rpartition('=')[2]}"
    elif sign and "." in end:
        starts = [0, *(mark.end() for mark in _BEFORE_USER.finditer(head))]
        yield from (f"{head[start:]}@{end}" for start in starts[-_MOST_STARTS:])


def _plain_digit(sign: str) -> str:
    return sign if sign.isascii() else str(unicodedata.decimal(sign, sign))


# ---------------------------------------------------------------- e-mail addresses


def _emails(text: str) -> list[str]:
    if _MASKED_CELL.fullmatch(text):  # in an export of masked addresses each cell is one
        return list(_patterns(text, only_hidden=True))
    spellings = dict.fromkeys(_spellings(text))
    found = dict.fromkeys(address for one in spellings for address in addresses_in(one))
    if "@" in text and (not found or _HIDES.search(text)):
        found |= dict.fromkeys(_patterns(text, only_hidden=bool(found)))
    return list(found)


def _in_brackets(text: str) -> str:
    """Returns the address in a text such as `minji(at)b.com`, which `_spellings` reads alike."""
    written = _AT_IN_BRACKETS.fullmatch(text)
    if written is None or len(_AT.findall(text)) > 1:
        return ""
    local, domain = written.groups()
    address = f"{local}@{domain}"
    is_other = without_added_end(domain) != domain or meant_domain(domain)
    return address if is_usable_email(address) and not is_other else ""


def _spellings(text: str) -> Iterator[str]:
    """Yields the text, and the ways in which a person may have written an address in it."""
    yield text
    blank = " ".join(_MARK.sub(" ", text).split())
    plain = _DOT.sub(".", _AT.sub("@", blank))
    yield plain
    joined = re.sub("@+", "@", re.sub(r"\.{2,}", ".", _AROUND_SIGN.sub(r"\1", plain)))
    yield joined
    yield joined.replace(",", ".")
    yield joined.lower().replace("ß", "ss")  # as the first rules of IDNA read it
    if "@" not in blank:
        yield _AT_WITHIN.sub("@", blank)
        yield _decoded(text)
        yield _MISTYPED.sub("@", blank)
        yield _WITHOUT_SIGN.sub(r"\1@\2", blank)
    yield from _parted(joined)
    yield _USERS.sub(r"\1@\3 \2@\3", joined)
    if not joined.isascii():
        yield _BETWEEN_SCRIPTS.sub(" ", joined)
    yield _AFTER_DOMAIN.sub(r"\1 ", joined)
    if joined.count("@") == 1:
        yield "".join(joined.split())


def _decoded(text: str) -> str:
    """Returns the text that a database or a program has written in hexadecimal digits or base64."""
    try:
        if digits := _HEXADECIMAL.fullmatch(text):
            return bytes.fromhex(digits[1]).decode("ascii")
        if _BASE64.fullmatch(text):
            return base64.b64decode(text).decode("ascii")
    except ValueError:
        pass
    return ""


def _parted(text: str) -> Iterator[str]:
    """Yields the ways to part two addresses without anything between them."""
    if glued := _TWO_SIGNS.fullmatch(text):
        local, between, domain = glued.groups()
        for place in range(between.find(".") + 2, len(between)):
            yield f"{local}@{between[:place]} {between[place:]}@{domain}"


def addresses_in(text: str) -> Iterator[str]:
    """Yields the addresses that can be used in a text of any length, as they may be meant."""
    for piece in _ADDRESS.findall(text) if "@" in text else ():
        address = normalise_email(piece.strip(".-'"))
        local, _at, domain = address.rpartition("@")
        last = _LAST_WORD.search(local)
        plain = without_added_end(domain)
        for end in filter(None, (plain, meant_domain(plain))):
            whole = f"{local}@{end}"
            for one in (whole, whole.lstrip("-~*!'.#/"), f"{last[0] if last else ''}@{end}"):
                if is_usable_email(one):
                    yield one


def _patterns(text: str, *, only_hidden: bool) -> Iterator[str]:
    """Yields the pattern of each address of which characters are hidden, or cut off.

    An address of which no character before the `@` is shown has none: it would match each address
    of its domain.
    """
    for local, domain in _LIKE_ADDRESS.findall(text.lower()):
        if only_hidden and not (_HIDES.search(local) or _HIDES.search(domain)):
            continue
        whole = normalise_email(f"a@{domain}".rstrip(".-)]}'\"`"))
        is_whole = is_usable_email(whole) and not _HIDES.search(domain)
        end = main_spelling(whole).partition("@")[2] if is_whole else "*"
        shown = _shown_of(local, is_whole=is_whole)
        # No person signs in with a local part in another script, or of signs only.
        if shown.isascii() and any(map(str.isalnum, shown)):
            yield f"{shown}@{end}"


def _shown_of(local: str, *, is_whole: bool) -> str:
    """Returns what a pattern keeps of a local part; "" if no character of it is shown.

    Of an address whose domain is cut off, that is the local part if nothing of it is hidden.
    """
    plain = local.strip("\"'`([{").replace("...", "\u2026").replace(".", "")
    hidden = list(_HIDES.finditer(plain))
    if not hidden:
        return f"{plain[:_SHOWN]}*" if is_whole and plain else plain
    start, end = plain[: hidden[0].start()], plain[hidden[-1].end() :]
    return f"{start[:_SHOWN]}*" if start else end and f"*{end[-_SHOWN:]}"


# ---------------------------------------------------------------- phone numbers


def _numbers_meant(text: str, region: str, emails: Iterable[str]) -> list[str]:
    """Returns the numbers that a text may hold, which may also hold `emails`."""
    if not _may_be_number(text):
        return []
    patterns = dict.fromkeys(_number_patterns(text, region))
    if patterns and _NUMBER.fullmatch(text.strip()):
        return list(patterns)
    readings = dict.fromkeys(_readings(text))
    found = dict.fromkeys(number for one in readings for number in _numbers(one, region))
    digits = re.sub(r"\D", "", text)
    is_of_address = "@" in text or any(digits in email for email in emails)
    if not (patterns or is_of_address) and _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        # A digit may be missing, at the end too, or another region meant.
        starts = (_pattern_of_start(digits, lost, region) for lost in (1, 2))
        patterns = dict.fromkeys([f"*{digits[-4:]}", *starts])
        patterns.pop("*", None)
    return list(found | patterns)


def _may_be_number(text: str) -> bool:
    """Returns whether a text has enough digits, or signs for them; fast, for addresses in words."""
    if len(_DIGIT.findall(text)) >= _FEWEST_DIGITS or _SHORTENED.fullmatch(text):
        return True
    is_hidden = _HIDDEN_DIGITS.search(text.translate(_WITHOUT_SEPARATORS))
    return bool(is_hidden or _MANY_LIKE_DIGITS.search(text))


def _readings(text: str) -> Iterator[str]:
    """Yields the text, and the ways in which a person may have written a number in it."""
    yield text
    yield text.translate(_LIKE_DIGITS)
    yield _LETTERS.sub(" ", text)
    yield _LAST_LINES.sub("", text)
    yield " ; ".join(_with_whole_ends(text))
    digits = re.sub(r"\D", "", text)
    if len(text) / 2 <= len(digits) <= _MOST_DIGITS:
        yield digits
    half, rest = divmod(len(digits), 2)
    if not rest and half > _FEWEST_DIGITS:  # two numbers without anything between them
        yield f"{digits[:half]} ; {digits[half:]}"


def _with_whole_ends(text: str) -> list[str]:
    """Returns the numbers of a text that holds one, and only the last digits of others."""
    if not (written := _ENDS.fullmatch(text)):
        return []
    first, ends = written[1], re.findall(r"\d+", written[2])
    return [first, *(f"{first[: -len(end)]}{end}" for end in ends)]


def numbers_by_ends(cell: str, region: str) -> list[str]:
    """Returns the numbers of which a cell holds the last digits only, after one that is certain.

    `010-2345-6781~2` is read as the first number, and another one may be a person's, too.
    """
    others = _with_whole_ends(" ".join(unicodedata.normalize("NFKC", cell).split()))[1:]
    return [phone.number for other in others for phone in read_phones(other, region).phones]


def _numbers(text: str, region: str) -> Iterator[str]:
    if not _MANY_DIGITS.search(text):  # the search for numbers takes 50 times longer
        return
    for phone in read_phones(text, region, has_lost_zeros=True).phones:
        yield phone.number
    if text.isdecimal():
        return
    for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID, max_tries=MOST_MEANT):
        match.number.extension = None
        yield phonenumbers.format_number(match.number, PhoneNumberFormat.E164)


def _number_patterns(text: str, region: str) -> Iterator[str]:
    """Yields the pattern of each number of which digits are hidden or lost."""
    shortened = _SHORTENED.fullmatch(text)
    if shortened and int(shortened[3]) < _MOST_DIGITS:
        start, hidden = shortened[1] + shortened[2], int(shortened[3]) - len(shortened[2])
        yield _pattern_of_start(start, hidden, region)
    for piece in _NUMBER.findall(text):
        digits = piece.translate(_WITHOUT_SEPARATORS)
        first = _HIDDEN_DIGITS.search(digits)
        if not first or not any(map(str.isdigit, digits)):
            continue
        if read_phones(re.sub(r"[^\d+]", "", digits), region).phones:
            continue  # a whole number beside a sign
        if digits[-4:].isdigit():
            yield f"*{digits[-4:]}"
            continue
        start = digits[: first.start()]
        yield _pattern_of_start(start, len(digits) - len(start), region)


def _pattern_of_start(start: str, hidden: int, region: str) -> str:
    """Returns the pattern of a number of which the first digits are shown; "*" if it is unclear."""
    filled = "1234567890123456"[: max(0, hidden)]
    for text in (f"{start}{filled}", f"+{start.lstrip('+')}{filled}"):
        for phone in read_phones(text, region, has_lost_zeros=True).phones:
            shown = phone.number[: len(phone.number) - len(filled)]
            if len(shown) >= _FEWEST_OF_START:
                return f"{shown}*"
    return "*"
