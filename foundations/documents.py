"""PDF documents, and pictures: data in, bytes out. Typst sets them (document.typ beside this file).

Tagged for screen readers, with their language named and a Korean font embedded as far as it is
used, so that they read the same on any machine. Values come in as data and are never markup.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import pylopdf_fonts_ko
import typst
from django.http import HttpResponse

_LAYOUT = Path(__file__).with_name("document.typ")


@dataclass(frozen=True)
class Heading:
    """A heading of a part."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Text; a line break stays one."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Rows of a name and what is said of it."""

    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A head, and rows of as many cells."""

    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class DocumentImage:
    """An SVG that leads somewhere, what it shows in words, and the text that stands beside it."""

    svg: str
    alt: str
    url: str
    beside: list[str]


Block = Heading | Paragraph | Facts | Table | DocumentImage


@dataclass(frozen=True)
class Document:
    """What is printed: in `language`, with `footer` at the foot of every page."""

    title: str
    language: str
    footer: str
    made_at: datetime
    blocks: list[Block] = field(default_factory=list)


def pdf(document: Document) -> bytes:
    """The document as PDF; the same document gives the same bytes."""
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
        # PDF/UA refuses a letter that the font does not have, such as Thai in somebody's name.
        return _compiled(inputs, document.made_at, accessible=[])


def png(layout: Path, inputs: dict[str, str]) -> bytes:
    """The one page of a Typst `layout` as a picture of a pixel a point."""
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
        timestamp=made_at.replace(microsecond=0),  # Typst takes whole seconds
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """Noto Sans KR and nothing of the machine's, so that every machine makes the same bytes."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[pylopdf_fonts_ko.sans_path().parent],
    )
