"""The blocks of a PDF: document.typ draws each kind of block of documents.py."""

import subprocess
from datetime import UTC, datetime
from typing import get_args

import pytest

from foundations import documents

BLOCKS = [
    documents.Heading("a heading"),
    documents.Paragraph("a paragraph"),
    documents.Facts([("a name", "its value")]),
    documents.Table(["a column"], [["a cell"]]),
    documents.DocumentImage(
        '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
        alt="a square",
        url="https://portal.example/checked",
        beside=["beside the image"],
    ),
]


def text_of(block: documents.Block) -> str:
    document = documents.Document("Title", "en", "footer", datetime(2025, 11, 29, tzinfo=UTC))
    document.blocks.append(block)
    run = ["pdftotext", "-", "-"]
    done = subprocess.run(run, input=documents.pdf(document), capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("block", "words"),
    list(
        zip(
            BLOCKS,
            ["a heading", "a paragraph", "its value", "a cell", "beside the image"],
            strict=True,
        )
    ),
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_block_is_drawn(block, words):
    assert words in text_of(block)


def test_every_kind_of_block_is_tried():
    assert {type(block) for block in BLOCKS} == set(get_args(documents.Block))
