"""The stored messages of the import about a whole file, a mapping or an option: why it is refused.

They name files, lines, columns and remedies, but never the value of a cell, which is personal data.
Database rows and commands contain them in English. The desk shows them in the language of the
reader. Those about rows and cells are in row_messages.
"""

from django.utils.translation import gettext_noop as _

from foundations.keys import EncryptionMessages
from foundations.stored_messages import StoredMessages, translate_stored

# Separates the sentences of one line, because a mapping is refused for all its faults at once.
BETWEEN = " · "


class RefusalMessages(StoredMessages):
    """Why a file, a mapping or an option is refused: the one line that the operator reads."""

    # Places, and an error of the operating system
    INSIDE = _("{file}, inside {compression}")
    SYSTEM = _("{file}: {error}")

    # A file that cannot be read
    NO_PATH = _("{path}: {error}; check the path")
    NO_FILE = _("{path}: not a regular file; name one file")
    NO_NAME = _("{file}: the name of the file is no UTF-8 text; rename it")
    EMPTY = _("{file}: the file is empty; export it again")
    CHANGED = _("{file}: changed while it was read; import a copy that stands still")
    BZIP2 = _("{place_words}: compressed with bzip2; decompress it first")
    XZ = _("{place_words}: compressed with xz; decompress it first")
    ENCRYPTED = _(
        "{place_words}: encrypted, or under document security (DRM); have it released first"
    )
    SEVEN_ZIP = _("{place_words}: a 7z archive; unpack it first")
    RAR = _("{place_words}: a RAR archive; unpack it first")
    PDF = _("{place_words}: a PDF document; ask for the data as CSV or as a spreadsheet")
    PICTURE = _("{place_words}: a picture; ask for the data as CSV or as a spreadsheet")
    ARCHIVE = _("{place_words}: an archive that is not read; unpack it first")
    TAR = _("{place_words}: a tar archive; unpack it and import each file")
    UTF32 = _("{place_words}: text in UTF-32; export it again as UTF-8")
    PROGRAM = _("{place_words}: a file of the kind {program}; export the data as CSV")
    MAIL = _("{place_words}: an e-mail message; save the file that is attached to it")
    APPLE_NUMBERS = _("{place_words}: a document of Numbers or Pages; export it as CSV")
    HANGUL = _("{place_words}: a Hangul document; save the table in it as CSV")
    RTF = _("{place_words}: an RTF document; save the table in it as CSV")
    WORD = _("{place_words}: a Word document; save the table in it as CSV")
    SLIDES = _("{place_words}: a presentation; save the table in it as CSV")
    HTML = _(
        "{place_words}: an HTML page, whatever its name says; "
        "open it in a spreadsheet and save it as xlsx or CSV"
    )
    XML_SHEET = _(
        "{place_words}: an XML spreadsheet of 2003; open it in a spreadsheet "
        "and save it as xlsx or CSV"
    )
    XML = _("{place_words}: an XML file; export the data as CSV or as JSON Lines")
    DRAWN = _(
        "{place_words}: a table drawn for reading, as psql and mysql print it; export it as CSV"
    )
    SQL = _("{place_words}: a dump of SQL statements; export each table as CSV")
    PG_DUMP = _(
        "{place_words}: a dump of pg_dump; export each table as CSV, with COPY … CSV HEADER"
    )
    SQLITE = _("{place_words}: an SQLite database; export each table as CSV")
    ACCESS = _("{place_words}: an Access database; export each table as CSV")
    PARQUET = _("{place_words}: a Parquet file; export it as CSV")
    AVRO = _("{place_words}: an Avro file; export it as CSV")
    VCARD = _("{place_words}: a vCard file; export the contacts as CSV")
    LOCKED_SHEET = _("{place_words}: an encrypted spreadsheet; save it without a password")
    OLD_SHEET = _(
        "{place_words}: its texts cannot be decoded, as in workbooks of Excel 95 and older; "
        "open it in a spreadsheet and save it as xlsx or CSV"
    )
    UNCOMPUTED = _(
        "{file}, line {line}: {column} holds a formula whose value was never computed; "
        "open the file in a spreadsheet and save it, so that its cells hold values"
    )
    MERGED = _(
        "{file}, line {line}: {column} is merged with the rows below, which would be blank; "
        "split the cells and give each row its value"
    )
    FROM_1904 = _(
        "{file}: the days of this workbook count from 1904, so {column} would be read four years "
        'too early; format the column as a date, save the file and write "date" in [dates]'
    )
    LOCKED_ZIP = _("{file}: an encrypted ZIP file; unpack it first")
    ZIP_METHOD = _("{file}: a ZIP file with an unknown kind of compression; unpack it first")
    ZIP_MEMBERS = _(
        "{file}: a ZIP file with {number} files ({names}), where one is needed; "
        "unpack it and import each file"
    )
    TOO_MANY_LAYERS = _("{file}: compressed more than three times; decompress it first")
    DAMAGED_SHEET = _(
        "{place_words}: cannot be read as a spreadsheet: damaged, or far too large; "
        "save it as CSV first"
    )
    EMPTY_SHEET = _("{place_words}: a spreadsheet without cells; export it again")
    SHEETS = _(
        "{place_words}: several sheets are filled ({names}); "
        'name one in the mapping: sheet = "<its name>"'
    )
    NO_SHEET = _("{place_words}: no sheet is named {sheet}; it has {names}")
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
    EBCDIC = _("{file}: text in EBCDIC, as mainframes write it; convert it to UTF-8 first")
    UNKNOWN_ENCODING = _(
        "{file}: unknown encoding {encoding}; give a name such as utf-8, cp949 or windows-1252"
    )
    MARKED = _(
        "{file}: said to be {said}, but it begins with a {found} mark; leave the encoding out"
    )
    NEITHER_ENCODING = _(
        "{file}: neither UTF-8 nor CP949 text; export it again as UTF-8, or declare its encoding"
    )
    LOOKS_LIKE = _(
        "{file}: neither UTF-8 nor CP949 text; it looks like {found}, which is a guess: if the "
        'names read right so, write encoding = "{found}" in the mapping'
    )
    LOOKS_LIKE_TWO = _(
        "{file}: neither UTF-8 nor CP949 text; it may be {found} or {other}, which is a guess, and "
        "too few letters show which: write the one in which the names read right, such as "
        'encoding = "{found}", in the mapping'
    )
    OTHER_ENCODING = _(
        "{file}: said to be {said}, but its bytes are {found}; "
        "leave the encoding out, or name the right one"
    )
    ENCODED_TWICE = _(
        "{file}: its text was encoded as UTF-8 twice, so that names are unreadable; export it again"
    )
    NOT_THAT = _("{file}: said to be {said}, but its bytes are not; export it again as UTF-8")

    # The header and the rows
    BLANK = _("{file}: the file holds blank lines only; export it again")
    NO_HEADER = _(
        "{file}, line {line}: this is no header row; "
        "the first line must name the columns, separated by commas"
    )
    PERSON_FIRST = _(
        "{file}, line {line}: an e-mail address or a phone number stands where a column is named, "
        "so that this is no header row; export the file with its header, or name its columns in "
        'the mapping, such as columns = ["member_id", "name"]'
    )
    PREFIXED = _(
        "{file}, line {line}: the number or the file of its line stands before each row, as grep "
        "and cat write them; remove what stands before the rows, or export the file again"
    )
    TOO_MANY_COLUMNS = _(
        "{file}, line {line}: the header names {columns} columns; at most {most} can be read"
    )
    TOO_MANY_KEYS = _("{file}: its first rows name {keys} keys; at most {most} can be read")
    SEVERAL_SEPARATORS = _(
        "{file}: its columns could be separated by {separators}; "
        'write the right one in the mapping, such as separator = ";"'
    )
    SINGLE_QUOTES = _('{file}: its cells stand in single quotes; write quote = "\'" in the mapping')
    DOUBLE_QUOTES = _("{file}: its cells stand in double quotes; leave quote out of the mapping")
    OTHER_QUOTES = _("{file}: its cells stand in {quotes}; export it again with double quotes")
    ESCAPES = _(
        "{file}: backslashes stand in it where MySQL and PostgreSQL write them; write "
        "escape = '\\' in the mapping, or escape = '' if they belong to the values"
    )
    OTHER_WIDTH = _(
        "{file}, line {line}: {columns} columns are named, but the row has {cells} cells, and no "
        "other row has the right number; correct the header or the separator"
    )
    COLUMNS_AND_HEADER = _(
        "{file}, line {line}: the file has a header; remove columns from the mapping"
    )
    HEADER_BELOW = _(
        "{file}, line {line}: the columns of the mapping are named here; "
        "remove the lines above, so that the header is the first line"
    )
    TITLE_ABOVE = _(
        "{file}, line {line}: the columns seem to be named here; "
        "remove the lines above, so that the header is the first line"
    )
    ALIKE = _(
        "{file}, line {line}: the header names columns {columns} alike; "
        "give each column a name of its own"
    )
    HEADER_AGAIN = _(
        "{file}, line {line}: the header stands here again; "
        "remove this line, or import the joined files one by one"
    )
    OTHER_TABLE = _(
        "{file}, line {line}: the header of another table seems to stand here, words where the "
        "rows above hold numbers and addresses; save each table as a file of its own"
    )
    NO_ROWS = _("{file}: no rows; export the file again")
    NO_ROWS_AFTER_HEADER = _("{file}: no rows after the header; export the file again")
    TOO_LONG = _(
        "{file}, line {line}: the row that begins here is longer than "
        "1 MiB; is a quote never closed, or is this no CSV file?"
    )
    NOT_OBJECTS = _(
        "{file}, object {line}: something else than an object; "
        "export one array of objects, or JSON Lines"
    )
    JSON_CUT = _("{file}, object {line}: the file ends here too early; fetch it again")
    WRAPPED = _(
        "{file}, object {line}: the rows stand inside another object; "
        "export the array of rows alone"
    )
    JSON_LIKE = _(
        "{place_words}: text of a program that only looks like JSON; "
        "export one array of objects, or JSON Lines"
    )
    NESTED_COLUMN = _(
        "{file}: {column} holds objects or lists; export it with one text for each key"
    )
    TWO_KEYS = _(
        "{file}: {column} and a key that differs in its spelling only hold different texts; "
        "rename or remove one of them"
    )
    NUL = _(
        "{file}, line {line}: a NUL byte; this is a binary or UTF-16 "
        "file, or a damaged one: export it again as UTF-8 text; bcp writes an empty text so: "
        "export NULLIF(column, '')"
    )
    UNCLOSED_QUOTE = _(
        "{file}, line {line}: the row that begins here ends inside a quote; "
        "the file is cut short, or the quote is never closed"
    )

    # A file that does not fit its mapping
    LONG_FORM = _(
        "{file}: {column} names attributes of a person, such as first_name and email, one a line; "
        "export one row for each person, with a column for each attribute"
    )
    OTHER_FORMAT = _(
        "{file}: {mapping_words} says it is {format}, but it is {found}; "
        "correct the mapping, or name the right file"
    )
    HEADER_LACKS = _(
        "{file}, line 1: the header lacks {columns}, which {mapping_words} names; "
        "correct the mapping, or export the file with its header"
    )
    ONE_CELL = _(
        "{file}, line 1: the header is one cell and lacks {columns}, which {mapping_words} names; "
        "name the separator in the mapping, or export the data as CSV: a log, columns of fixed "
        "width and rows in one cell each are not read"
    )
    ROWS_LACK = _(
        "{file}: its first rows lack {columns}, which {mapping_words} names; "
        "correct the mapping, or export the file with its header"
    )
    SWAPPED = _(
        "{file}: {mapping_words} takes column {column} for {meant_words}, but "
        "{number} of {cells} cells hold {kind_words}; "
        'correct the mapping, or accept "{code}"'
    )
    UNUSABLE = _(
        "{file}: {mapping_words} takes column {column} for {meant_words}, but "
        "{number} of {cells} cells are none that can be used; "
        'correct the mapping, or accept "{code}" if it leaked like this'
    )
    LIKELY_ENCODING = _(
        "{file}: read as {said}, but its letters are those of text in {found}; correct the "
        'encoding in the mapping, or accept "{code}" if the names are right as they are'
    )
    READ_WRONGLY = _(
        "{file}: its letters are those of text in {found} that a program has read as "
        'windows-1252; export it again, or accept "{code}" if it leaked like this'
    )
    WITHOUT_ZERO = _(
        "{file}: {mapping_words} takes column {column} for {meant_words}, but {number} of {cells} "
        "cells are numbers without their first zero; write lost_zeros = true in the mapping, or "
        'accept "{code}" if it leaked like this'
    )
    UNUSED = _(
        "{file}: {number} of {cells} cells of column {column} hold {kind_words}, but "
        "{mapping_words} does not use it, so that it finds nobody; map it as a contact, "
        'or accept "{code}" if it belongs to others'
    )
    UNUSED_JSON = _(
        "{file}: {number} of {cells} cells of column {column} are JSON with {kind_words} that no "
        "other cell of the row holds, so that its owner is not found; export it as a column and "
        'name that in {mapping_words}, or accept "{code}" if it belongs to others'
    )
    RESIDENT_NUMBER = _("a resident registration number")
    POSTAL_ADDRESS = _("a postal address")
    EMAIL, PHONE, NAME = _("an e-mail address"), _("a phone number"), _("a name")

    ENCODED = _(
        "{file}: {number} of {cells} cells of column {column} hold their text encoded or marked, "
        'as in &#44032; %EA%B0%80 \\uac00 or ="text"; export it as plain text, '
        'or accept "{code}" if it leaked like this'
    )
    LOST = _(
        "{file}: {number} of {cells} cells of column {column} hold signs such as ??? "
        "in place of letters that an export lost; export it again as UTF-8, "
        'or accept "{code}" if it leaked like this'
    )

    OTHER_IDS = _(
        "{file}: most rows are of unknown people, but {column} is known in another spelling: "
        "ids look like numbers with .0 or with zeros lost; set the column to text and export again"
    )

    JOINED = _(
        "{file}: other files with people of this one were loaded since its check; upload it again"
    )

    # The mapping. MAPPING is the name of a mapping that was entered on the desk.
    MAPPING = _("mapping")
    TABLE = _("{mapping_words}, {table}")
    BLOCK = _("{mapping_words}, {table} no. {number}")
    NEAR = _("did you mean {near}?")
    CHOICES = _("use one of: {choices_words}")
    NONE = _("none")
    NO_CLASS = _("{mapping_words}: {name} is no data class; {advice_words}")
    NOT_OF_INCIDENT = _("{mapping_words}: languages names {given}; the incident has {known}")
    NOT_TOML = _("{mapping_words}: not TOML: {error}")
    LONG_MAPPING = _("{mapping_words}: longer than {most} characters; name each column once")
    USED_TOO_OFTEN = _(
        "{mapping_words}: column {column} is used more than {most} times; use it less often"
    )
    LONG_LITERALS = _(
        "{mapping_words}: the texts between the columns of all values have more than "
        "{most} characters together; shorten them"
    )
    MANY_FORMATS = _(
        "{mapping_words}, [dates]: a column has more than {most} formats; name those that occur"
    )
    MORE_FAULTS = _("{mapping_words}: there are more faults; correct these first")
    DEEP_TOML = _("{mapping_words}: nested too deeply; see docs/import.md")
    NO_FORMAT = _(
        '{mapping_words}, format: not known; write format = "csv", "jsonl" or "spreadsheet"'
    )
    NO_SEPARATOR = _(
        '{place_words}, separator: must be one character that separates columns, such as ";"'
    )
    NO_QUOTE = _("{place_words}, quote: must be '\"', \"'\", or '' if cells have no quotes")
    NO_ESCAPE = _("{place_words}, escape: must be '\\', or '' if backslashes belong to the values")
    BAD_COLUMNS = _("{place_words}, columns: give each column a name of its own")
    BOTH_RECIPIENTS = _(
        "{mapping_words}: [person] and [second_person] are both recipients; map the file twice"
    )
    NOT_AMONG = _("{place_words}, {key}: {advice_words}")
    RECIPIENT_REFERENCE = _(
        "{place_words}, reference: a recipient is known by phone; remove this line"
    )
    JOINED_IDENTITY = _(
        "{place_words}, {key}: must be one column, because it identifies the person; "
        "join the columns in the file"
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
        "{place_words}, contact_leaked: {name} is none of its columns; {advice_words}"
    )
    NO_DATE_FORMAT = _(
        "{place_words}, {key}: {name} is no format of a date; write date, datetime, excel, unix, "
        "unix_ms or a format such as %d/%m/%Y"
    )
    NO_LANGUAGE = _(
        "{place_words}, {key}: {name} is no language code; write a code such as ko or zh-hant"
    )
    NO_REGION = _("{place_words}, region: {name} is no region; write two letters such as KR or GB")
    NO_DATE = _('{place_words}, date: {column} is not declared; add {column} = "date" to [dates]')
    NO_COLUMN_IN_VALUE = _(
        "{place_words}, {key}: names no column; "
        'write column names in braces, such as "{{address1}} {{address2}}"'
    )
    NO_KEY = _("{place_words}: lacks {key}; add it")
    NO_TABLE = _("{place_words}: lacks [{key}]; see docs/import.md")
    NOT_TEXT = _("{place_words}, {key}: must be text in quotes")
    NOT_BOOLEAN = _("{place_words}, {key}: must be true or false")
    NOT_LIST = _("{place_words}, {key}: must be a list in brackets")
    NOT_TABLE = _("{place_words}, {key}: must be a table")
    NOT_BLOCKS = _("{place_words}, {key}: write it as {table} blocks with class and value")
    UNKNOWN_KEY = _("{place_words}: unknown key {key}; {advice_words}")

    UNDECIDED = _(
        "{file}: {column} holds languages without a text in the incident: {counts}; decide what "
        "these people get and write it in {mapping_words}, such as languages = {{ {example} }}. "
        "With --accept {code}, their rows are rejected"
    )

    # Scope versions and their files
    LOADED = _(
        "{file}: already loaded as {name} in scope version {number} of {incident}; nothing to do"
    )
    BUSY = _("{incident}: a file is being imported; try again when it is done")
    VALUES_DELETED = _(
        "{incident}: the retention plan has deleted its values; nothing is loaded any more"
    )
    OPEN_IS = _("{incident}: scope version {wanted} takes no files; open is version {number}")
    NEXT_IS = _("{incident}: scope version {wanted} takes no files; next is version {number}")
    NOTHING_LOADED = _("{batch}: no file is loaded; import one first")
    FAILED_FILES = _(
        "{batch}: {files} failed and was not loaded since; "
        "import it again, or let two people write it off on the desk"
    )
    UNSETTLED = _(
        "{batch}: {rows} rejected rows of {files} are neither loaded nor written off; correct and "
        "import the reject files, or let two people write the rows off on the desk"
    )
    STORE_FAULTS = _(
        "{batch}: {number} faults in what is stored; "
        "run manage.py check_store {incident}, which names them, or withdraw this version"
    )
    NO_VERSION_OPEN = _(
        "{file}: every scope version is closed, so that the portal still counts without this file; "
        "the next version closes only when the file is loaded or written off"
    )
    NOT_OPEN = _("{batch}: not open; nothing to close")
    WITHDRAWN = _("{batch}: withdrawn already")
    HELD = _("{batch}: a legal hold is in force; nothing is withdrawn until it is released")
    NOT_DECIDED = _(
        "{batch}: a withdrawal takes two people; one proposes it on the desk, another confirms it"
    )
    WITHDRAWAL_WAITS = _("{batch}: a withdrawal is proposed already; a second person confirms it")
    OUTDATED_WITHDRAWAL = _(
        "{batch}: files were loaded since the withdrawal was proposed; it has to be proposed again"
    )
    ASKED_BEFORE = _("{batch}: a worker has it already")

    # A reject file that comes back
    NO_LINE = _(
        "{file}, line {line}: the column line of a reject file must hold the number that the "
        "import wrote; restore it, or remove the columns line and reason"
    )
    NONE_CORRECTED = _(
        "{file}: a reject file, but no file of {incident} rejected all of its lines; "
        "name the right incident, or remove the columns line and reason"
    )
    MANY_CORRECTED = _(
        "{file}: several files of {incident} rejected these lines; "
        "give the reject file the name again that the import gave it"
    )
    SETTLED = _(
        "{file}: line {line} of {of} is loaded already with {name}; remove this row and others "
        "that are loaded"
    )

    # Errors during the import
    NOTHING_TAKEN = _(
        "{file}: none of its {rows} rows could be taken, so it is not loaded; the reject file "
        "{rejects} says why: correct the mapping or the rows, and import it again"
    )
    STOPPED = _("{file}: stopped; nothing of it is loaded")
    CONNECTION_LOST = _(
        "{file}: the connection to the database was lost; nothing of it is loaded: "
        "import it again when the database is back"
    )
    DATABASE_FULL = _("{file}: the disk of the database is full; nothing of it is loaded")
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
