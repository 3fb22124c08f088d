"""The stored messages of the import: why a file is refused, and why a row is rejected.

They name files, lines, columns and remedies, but never the value of a cell, which is personal data.
Database rows, reject files and commands contain them in English. The desk shows them in the
language of the reader.
"""

from django.utils.translation import gettext_noop as _

from foundations.keys import EncryptionMessages
from foundations.stored_messages import StoredMessages, translate_stored

# Separates the sentences of one line, because a mapping is refused for all its faults at once.
BETWEEN = " · "


class RejectMessages(StoredMessages):
    """Why a row is rejected: the `reason` in the reject file."""

    WRONG_NUMBER = _("wrong number of columns")
    MISPLACED_QUOTE = _("misplaced quote")
    MISPLACED_BREAK = _("misplaced line break")
    NOT_AN_OBJECT = _("not a JSON object")
    UNDECODABLE = _("undecodable bytes")
    MISSING = _("missing {column}")
    BAD_DATE = _("bad date")
    NO_PHONE = _("{column} is no phone number")
    UNKNOWN = _("unknown {column}")
    OTHER_EMAIL = _("conflict: {column} already read with another e-mail")
    OTHER_PHONE = _("conflict: {column} already read with another phone")


class RefusalMessages(StoredMessages):
    """Why a file, a mapping or an option is refused: the one line that the operator reads."""

    # Places, and an error of the operating system
    INSIDE = _("{file}, inside {compression}")
    SYSTEM = _("{file}: {error}")

    # A file that cannot be read
    NO_PATH = _("{path}: {error}; check the path")
    NO_FILE = _("{path}: not a regular file; name one file")
    EMPTY = _("{file}: the file is empty; export it again")
    CHANGED = _("{file}: changed while it was read; import a copy that stands still")
    ZIP = _("{place_words}: a ZIP or Excel file; save it as CSV first")
    OLD_EXCEL = _("{place_words}: an old Excel file; save it as CSV first")
    BZIP2 = _("{place_words}: compressed with bzip2; decompress it first")
    XZ = _("{place_words}: compressed with xz; decompress it first")
    UTF16 = _("{place_words}: UTF-16; save it as UTF-8 first")
    NOT_COMPRESSED = _(
        "{file}: named {suffix} but not compressed with {compression}; "
        "fetch it again, or rename it if it is plain CSV"
    )
    NOTHING_INSIDE = _("{file}: nothing inside the {compression} file; export it again")
    DAMAGED = _("{place_words}: the {compression} data is cut short or damaged; fetch it again")
    BOMB = _(
        "{place_words}: more than {times} times its size comes out of it, which "
        "no dump does; decompress it where there is room, and look what it is"
    )

    # The encoding
    UNKNOWN_ENCODING = _("{file}: unknown encoding {encoding}; give utf-8 or cp949")
    MARKED = _("{file}: said to be cp949, but it begins with a UTF-8 mark; leave the encoding out")
    NEITHER_ENCODING = _("{file}: neither UTF-8 nor CP949 text; export it again as UTF-8")
    OTHER_ENCODING = _(
        "{file}: said to be {said}, but its bytes are {found}; "
        "leave the encoding out, or name the right one"
    )

    # The header and the rows
    BLANK = _("{file}: the file holds blank lines only; export it again")
    NO_HEADER = _(
        "{file}, line {line}: this is no header row; "
        "the first line must name the columns, separated by commas"
    )
    TOO_MANY_COLUMNS = _(
        "{file}, line {line}: the header names {columns} columns; at most {most} can be read"
    )
    TOO_MANY_KEYS = _("{file}: its first rows name {keys} keys; at most {most} can be read")
    ONE_COLUMN = _(
        "{file}, line {line}: one column only, with {separators_words} in "
        "its name; export the file again with commas between the columns"
    )
    SEMICOLONS, TABS, BARS = _("semicolons"), _("tabs"), _("bars")
    ALIKE = _(
        "{file}, line {line}: the header names columns {columns} alike; "
        "give each column a name of its own"
    )
    HEADER_AGAIN = _(
        "{file}, line {line}: the header stands here again; "
        "remove this line, or import the joined files one by one"
    )
    NO_ROWS = _("{file}: no rows; export the file again")
    NO_ROWS_AFTER_HEADER = _("{file}: no rows after the header; export the file again")
    TOO_LONG = _(
        "{file}, line {line}: the row that begins here is longer than "
        "1 MiB; is a quote never closed, or is this no CSV file?"
    )
    NUL = _(
        "{file}, line {line}: a NUL byte; this is a binary or UTF-16 "
        "file, or a damaged one: export it again as UTF-8 text"
    )
    UNCLOSED_QUOTE = _(
        "{file}, line {line}: the row that begins here ends inside a quote; "
        "the file is cut short, or the quote is never closed"
    )

    # A file that does not fit its mapping
    OTHER_FORMAT = _(
        "{file}: {mapping_words} says it is {format}, but it is {found}; "
        "correct the mapping, or name the right file"
    )
    HEADER_LACKS = _(
        "{file}, line 1: the header lacks {columns}, which {mapping_words} names; "
        "correct the mapping, or export the file with its header"
    )
    ROWS_LACK = _(
        "{file}: its first rows lack {columns}, which {mapping_words} names; "
        "correct the mapping, or export the file with its header"
    )
    SWAPPED = _(
        "{file}: {mapping_words} takes column {column} for {meant_words}, but "
        "{number} of its first {cells} cells hold {kind_words}; are columns swapped?"
    )
    EMAIL, PHONE, NAME = _("an e-mail address"), _("a phone number"), _("a name")

    # The mapping. MAPPING is the name of a mapping that was entered on the desk.
    MAPPING = _("mapping")
    TABLE = _("{mapping_words}, {table}")
    BLOCK = _("{mapping_words}, {table} no. {number}")
    NEAR = _("did you mean {near}?")
    CHOICES = _("use one of: {choices_words}")
    NONE = _("none")
    NO_CLASS = _("{mapping_words}: {name} is no data class; {mend_words}")
    NOT_TOML = _("{mapping_words}: not TOML: {error}")
    NO_FORMAT = _('{mapping_words}, format: not known; write format = "csv" or "jsonl"')
    BOTH_RECIPIENTS = _(
        "{mapping_words}: [person] and [second_person] are both recipients; map the file twice"
    )
    NOT_AMONG = _("{place_words}, {key}: {mend_words}")
    RECIPIENT_REFERENCE = _(
        "{place_words}, reference: a recipient is known by phone; remove this line"
    )
    SECOND_EMAIL = _(
        "{place_words}, email: a second person is known by phone only; "
        'declare it as [[second_person.leaked]] with class = "email-addresses"'
    )
    NO_IDENTITY = _('{place_words}: lacks {key}; write {key} = "<the column it stands in>"')
    NO_CONTACT_LEAKED = _(
        "{place_words}: lacks contact_leaked; say which of these columns leaked, "
        "such as contact_leaked = [{columns}], or [] if none did"
    )
    NO_SUCH_CONTACT = _(
        "{place_words}, contact_leaked: {name} is none of its columns; {mend_words}"
    )
    NO_DATE = _('{place_words}, date: {column} is not declared; add {column} = "date" to [dates]')
    NO_COLUMN_IN_VALUE = _(
        "{place_words}, value: names no column; "
        'write column names in braces, such as "{{address1}} {{address2}}"'
    )
    NO_KEY = _("{place_words}: lacks {key}; add it")
    NO_TABLE = _("{place_words}: lacks [{key}]; see docs/import.md")
    NOT_TEXT = _("{place_words}, {key}: must be text in quotes")
    NOT_BOOLEAN = _("{place_words}, {key}: must be true or false")
    NOT_LIST = _("{place_words}, {key}: must be a list in brackets")
    NOT_TABLE = _("{place_words}, {key}: must be a table")
    NOT_BLOCKS = _("{place_words}, {key}: write it as {table} blocks with class and value")
    UNKNOWN_KEY = _("{place_words}: unknown key {key}; {mend_words}")

    # Scope versions and their files
    LOADED = _(
        "{file}: already loaded as {name} in scope version {number} of {incident}; nothing to do"
    )
    BUSY = _("{incident}: a file is being imported; try again when it is done")
    OPEN_IS = _("{incident}: scope version {wanted} takes no files; open is version {number}")
    NEXT_IS = _("{incident}: scope version {wanted} takes no files; next is version {number}")
    NOTHING_LOADED = _("{batch}: no file is loaded; import one first")
    FAILED_FILES = _(
        "{batch}: {files} failed and was not loaded since; "
        "import it again, or close with --despite-failed"
    )
    NOT_OPEN = _("{batch}: not open; nothing to close")
    NOT_CLOSED = _("{batch}: not closed; nothing to withdraw")
    ASKED_BEFORE = _("{batch}: a worker has it already")

    # Errors during the import
    WORKER_LOST = _("{file}: a worker process was ended; is there enough memory?")
    NOT_ALL_HERE = _("{file}: not all of it is here; upload it again")
    PORTAL = _("{name}: an error of the portal; tell who runs it")
    THERE_ALREADY = _("{path}: already there; name another reject file")
    NO_DIRECTORY = _("{path}: its directory does not exist; make it first")
    CANNOT_WRITE = _("{path}: {error}; name another reject file with --rejects")


def translate_refusal(stored: str) -> str:
    """Returns a stored refusal in the active language, sentence by sentence."""
    return BETWEEN.join(
        translate_stored(one, RefusalMessages, EncryptionMessages) for one in stored.split(BETWEEN)
    )


def translate_reject(stored: str) -> str:
    """Returns a stored reject reason in the active language."""
    return translate_stored(stored, RejectMessages)
