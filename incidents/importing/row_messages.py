"""The stored messages of the import about rows and cells: why they are rejected, or left out.

They name columns and remedies, but never the value of a cell. Database rows, reject files and
commands contain them in English. The desk shows them in the language of the reader.
"""

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages, translate_stored


class RejectMessages(StoredMessages):
    """Why a row is rejected: the `reason` in the reject file."""

    WRONG_NUMBER = _("wrong number of columns")
    MISPLACED_QUOTE = _("misplaced quote")
    MISPLACED_BREAK = _("misplaced line break")
    UNKNOWN_ESCAPE = _("a backslash before a letter or digit that no database escapes")
    NOT_AN_OBJECT = _("not a JSON object")
    DUPLICATE_KEY = _("a key occurs twice")
    NESTED = _("{column} is no single text")
    UNDECODABLE = _("undecodable bytes")
    OTHER_ENCODING = _("text in UTF-8 in a CP949 file")
    UTF8_INSIDE = _("text in UTF-8 in a file of {encoding}")
    MISSING = _("missing {column}")
    PLACEHOLDER = _(
        "{column} is a placeholder, no reference; give each person a reference of their own"
    )
    SHORTENED = _(
        "{column} is a number without its last digits, as a spreadsheet shows it; "
        "export the column as text"
    )
    FOOTER = _(
        "{column} is no reference: the row holds totals, labels or the end of a report; "
        "write it off if it is no person"
    )
    OTHER_TABLE = _(
        "the cells are unlike those of the other rows: is the row of another table, or are cells "
        "moved? Correct it or, if it is right, import it again as it is; write it off if it is no "
        "person"
    )
    MOVED = _("{column} holds an e-mail address that no e-mail column has; are cells moved?")
    LINE_BREAK = _(
        "line break in {column}; is there a quote that joins rows? Correct each line, or join them"
    )
    ROWS_INSIDE = _(
        "{column} holds lines that look like rows; is there a quote that joins rows? "
        "Correct each line, or join them"
    )
    BAD_DATE = _("bad date")
    LANGUAGE = _(
        "{column} holds a language without a text in the incident; "
        "say in the mapping, with languages, what its people get"
    )
    NO_PHONE = _("{column} is no phone number")
    UNKNOWN = _("unknown {column}")
    OTHER_EMAIL = _("conflict: {column} already read with another e-mail")
    OTHER_PHONE = _("conflict: {column} already read with another phone")
    OTHER_NAME = _("conflict: {column} already read with another name and no contact in common")


_JOINED = "is there a quote that joins rows? Correct each line, or join them"
_WITH_QUOTES = (RejectMessages.MISPLACED_QUOTE.value, RejectMessages.MISPLACED_BREAK.value)


def may_join_rows(reason: str) -> bool:
    """Returns whether a stored reject reason says that a quote may have joined several rows."""
    return reason.endswith(_JOINED) or reason in _WITH_QUOTES


class CellMessages(StoredMessages):
    """What an import leaves out of rows that it takes: the summary counts the cells by column."""

    MASKED_EMAIL = _("{column}: {number} masked e-mail addresses, kept as they leaked")
    NO_EMAIL = _("{column}: {number} cells that are no e-mail address for certain")
    MISTYPED_EMAIL = _(
        "{column}: {number} addresses with a typing mistake in the domain, such as gmail.con; "
        "they find no person"
    )
    NO_PHONE = _("{column}: {number} cells that are no valid phone number for certain")
    NO_PERSONS_PHONE = _("{column}: {number} numbers that cannot be one person's")
    LOST_ZERO = _(
        "{column}: {number} numbers that do not begin with a zero; if a spreadsheet "
        "removed it, write lost_zeros = true in the mapping"
    )
    NO_DAY = _(
        "{column}: {number} dates left out, because their day is not certain; "
        "write their format in [dates]"
    )
    UNDECODABLE = _("{column}: {number} cells left out, because their bytes cannot be decoded")
    LINES = _("{lines} lines made {rows} rows")


def translate_reject(stored: str) -> str:
    """Returns a stored reject reason in the active language."""
    return translate_stored(stored, RejectMessages)
