"""PDF documents and PNG images: data in, bytes out. Typst renders them with document.typ.

A PDF is tagged for screen readers and states its language. It embeds the glyphs of a Korean font
that it uses, so that it looks the same on every machine. Values are passed as data and are never
read as markup.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import typst
from django.http import HttpResponse

_LAYOUT = Path(__file__).with_name("document.typ")
_FONTS = Path(__file__).with_name("fonts")


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
        "language": document.language,
        "footer": document.footer,
        "blocks": [{"kind": type(block).__name__, **asdict(block)} for block in document.blocks],
    }
    inputs = {"data": json.dumps(data)}
    try:
        return _compiled(inputs, document.made_at, accessible=["ua-1"])
    except typst.TypstError:
        # PDF/UA rejects a letter that the font does not have, such as Thai in a person's name.
        return _compiled(inputs, document.made_at, accessible=[])


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


def _compiled(
    inputs: dict[str, str], made_at: datetime, *, accessible: "typst.PDFStandards"
) -> bytes:
    compiler = typst.Compiler(_LAYOUT, root=_LAYOUT.parent, font_paths=_fonts())
    made = compiler.compile(
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=accessible,
        timestamp=made_at.replace(microsecond=0),  # Typst accepts whole seconds only
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """Returns Noto Sans KR only. System fonts would make the bytes differ between machines."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[_FONTS],
    )
