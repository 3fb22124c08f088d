"""PDF documents and PNG images: data in, bytes out. Typst renders them with document.typ.

A PDF is tagged for screen readers and states its language. It embeds the glyphs that it uses: of
the fonts in the repository, which cover most alphabets, and of those in settings.DOCUMENT_FONTS,
which cover the rest. A character that no font has is written by its number and explained. Values
are passed as data and are never read as markup.
"""

import json
import logging
import re
import tomllib
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext, override

from foundations.languages import SOURCE_LANGUAGE
from foundations.shown_text import JOINERS, composed

_JOINING = f"{JOINERS}\ufe0f"  # with the selector of an emoji's coloured form
_LAYOUT = Path(__file__).with_name("document.typ")
_FONTS = Path(__file__).with_name("fonts")
_FAMILIES = tomllib.loads((_FONTS / "families.toml").read_text(encoding="utf-8"))
# Typst lists each character that no font has, as Rust writes it: "\u{947}".
_WITHOUT_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heading:
    """The heading of a part of the document."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Text. A line break in it starts a new paragraph."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Rows of a name and its value."""

    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table: its column headings, and rows with one cell for each column."""

    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class DocumentImage:
    """An SVG image that links to `url`, its text alternative, and the paragraphs beside it."""

    svg: str
    alt: str
    url: str
    beside: list[str]


Block = Heading | Paragraph | Facts | Table | DocumentImage


@dataclass(frozen=True)
class Document:
    """The content of a PDF. `language` is a code such as "ko"; `footer` is on every page."""

    title: str
    language: str
    footer: str
    made_at: datetime
    blocks: list[Block] = field(default_factory=list)


def pdf(document: Document) -> bytes:
    """Returns the document as a PDF. The same document gives the same bytes."""
    data = {
        "title": document.title,
        **typography(document.language),
        "footer": document.footer,
        "blocks": [{"kind": type(block).__name__, **asdict(block)} for block in document.blocks],
    }
    text = composed(json.dumps(data, ensure_ascii=False))
    try:
        return _compiled(text, document.made_at)
    except typst.TypstError as error:
        # PDF/UA rejects a character without a glyph, which would be printed as a box.
        if not (missing := _without_glyph(error)):
            raise
    missing -= _shown_alone(missing)
    logger.warning("no font has %s; see DOCUMENT_FONTS", ", ".join(map(_number, sorted(missing))))
    data["blocks"] += [{"kind": "Paragraph", "text": _explanation(document.language)}]
    return _with_numbers(data, missing, document.made_at)


def _with_numbers(data: dict[str, Any], missing: set[str], made_at: datetime) -> bytes:
    """Returns the PDF of `data`, with each missing character as its number.

    What joins a missing character to others, as in an emoji of several, is left out. The same
    joiners in words of other scripts stay.
    """
    signs = "".join(missing - set(_JOINING)) or _JOINING
    pattern = re.compile(f"[{_JOINING}]*([{re.escape(signs)}])[{_JOINING}]*")
    text = composed(json.dumps(data, ensure_ascii=False))
    return _compiled(pattern.sub(lambda sign: f"[{_number(sign[1])}]", text), made_at)


def missing_glyphs(text: str) -> set[str]:
    """Returns the characters of a text that no font has, of the repository or of the system."""
    data = {"title": text, **typography(SOURCE_LANGUAGE), "footer": "", "blocks": []}
    try:
        _compiled(json.dumps(data), datetime(2000, 1, 1, tzinfo=UTC))
    except typst.TypstError as error:
        return _without_glyph(error)
    return set()


def typography(language: str) -> dict[str, Any]:
    """Returns how Typst sets a language: its code, script, region and families of fonts."""
    code, *subtags = language.split("-")
    return {
        "language": code,
        "script": next((each for each in subtags if len(each) == 4), None),
        "region": next((each.upper() for each in subtags if len(each) == 2), None),
        "fonts": [*_FAMILIES.get(language, _FAMILIES.get(code, [])), *_FAMILIES["every"]],
    }


def _without_glyph(error: typst.TypstError) -> set[str]:
    """Returns the characters that the error says no font has; empty for another error."""
    found = _WITHOUT_GLYPH.findall(error.diagnostic)
    texts = (_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) for text in found)
    return {char for text in texts for char in text}


def _shown_alone(missing: set[str]) -> set[str]:
    """Returns those of the characters that a font has if no mark of another font stands on them.

    Typst names the whole cluster, such as the digit of a keycap emoji. A number in place of the
    digit would replace it in the whole document.
    """
    letters = {char for char in missing if unicodedata.category(char)[0] not in "MC"}
    return letters - missing_glyphs(" ".join(letters))


def _number(char: str) -> str:
    return f"U+{ord(char):04X}"


def _explanation(language: str) -> str:
    with override(language):
        return gettext(
            "A character that the fonts of this document do not have is written as its number in "
            "Unicode, such as [U+0041]."
        )


def png(layout: Path, inputs: dict[str, str]) -> bytes:
    """Returns the single page of the Typst file `layout` as a PNG, with one pixel for each point.

    `inputs` are the strings that the layout reads from `sys.inputs`. Raises TypeError if the layout
    has more than one page.
    """
    compiler = typst.Compiler(layout, root=layout.parent, font_paths=_fonts())
    made = compiler.compile(format="png", ppi=72, sys_inputs=inputs)
    if not isinstance(made, bytes):
        raise TypeError("a picture is one page")
    return made


def pdf_response(document: Document, name: str) -> HttpResponse:
    """Returns the document as a PDF that the browser saves as `name`.pdf."""
    return HttpResponse(
        pdf(document),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'},
    )


def _compiled(data: str, made_at: datetime) -> bytes:
    compiler = typst.Compiler(_LAYOUT, root=_LAYOUT.parent, font_paths=_fonts())
    made = compiler.compile(
        format="pdf",
        sys_inputs={"data": data},
        pdf_standards=["ua-1"],
        timestamp=made_at.replace(microsecond=0),  # Typst accepts whole seconds only
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """Returns the fonts of the repository and of settings.DOCUMENT_FONTS.

    The repository's come first in every text, so that the bytes of most documents are the same on
    every machine.
    """
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[_FONTS, *filter(Path.is_dir, map(Path, settings.DOCUMENT_FONTS))],
    )
