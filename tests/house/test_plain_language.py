"""Comments, docstrings and documents are in plain English (CONTRIBUTING.md, docs/glossary.md).

The list of words is short: each is archaic or hides who acts, and has almost no correct use here.
Code in backticks, quoted text and link targets are not read, because they repeat other texts.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
PRODUCTION = [name for name in PACKAGES if name not in ("tests", "harness", "benchmarks")]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs"]

# {what to write instead: pattern}. A space in a pattern also matches a line break.
PATTERNS = {
    "the actor's role: a user, a worker, the caller": (
        r"who(?:m|so)?ever|whichever|somebody|nobody|anybody|everybody"
    ),
    "so that … not": r"lest",
    "before": r"ere",
    "on": r"upon",
    "again": r"anew",
    "among, while": r"amongst|whilst",
    "a sentence of its own": (
        r"there(?:of|in|upon)|where(?:in|of|upon)|here(?:of|in|upon)|hence(?:forth)?"
        r"|hither(?:to)?|thither|thence|whence|so be it|which see|nay|ever after|of old"
    ),
    "permanently": r"for good(?! reason)|once and for all",
    "without success": r"in vain",
    "correct, repair": r"mend(?:s|ed|ing)?",
    "disconnected, closed": r"hung up on|hangs up on",
    "encrypt, decrypt; digest for a ledger": r"(?:un|re)?seal(?:s|ed|ing)?",
}
_COMPILED = {
    instead: re.compile(
        r"(?<![\w@.-])(?:" + pattern.replace(" ", r"\s+") + r")(?![\w@-])", re.IGNORECASE
    )
    for instead, pattern in PATTERNS.items()
}
_NOT_READ = re.compile(r"`[^`]*`|\"[^\"\n]*\"|“[^”]*”|\]\([^)]*\)|https?://\S+")
_TEMPLATE_COMMENT = re.compile(
    r"{#(.*?)#}|{% comment.*?%}(.*?){% endcomment %}|<!--(.*?)-->", re.DOTALL
)
# A docstring that starts with one of these does not say what the function does.
FIRST_WORDS = ("What", "Whether", "Whom", "Whose", "Who", "How", "Why", "Where", "Which")
Text = tuple[int, str]  # first line, text with the line breaks of the file


def comments(source: str) -> Iterator[Text]:
    """Yields the comments of a module; comments on consecutive lines are one text."""
    block: list[str] = []
    begin = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if block and line != last + 1:
            yield begin, "\n".join(block)
            block = []
        begin, last = begin if block else line, line
        block.append(token.string.lstrip("#"))
    if block:
        yield begin, "\n".join(block)


def docstrings(source: str) -> Iterator[Text]:
    """Yields the docstrings of a module, its classes and its functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text is not None:
                yield node.body[0].lineno, text


def document(source: str) -> Iterator[Text]:
    """Yields the whole Markdown text; code blocks are replaced by empty lines."""
    blank = lambda found: "\n" * found[0].count("\n")  # noqa: E731
    yield 1, re.sub(r"^ *```.*?^ *```", blank, source, flags=re.DOTALL | re.MULTILINE)


def template_comments(source: str) -> Iterator[Text]:
    """Yields the comments of a template."""
    for found in _TEMPLATE_COMMENT.finditer(source):
        text = next(group for group in found.groups() if group is not None)
        yield source.count("\n", 0, found.start()) + 1, text


def texts_of(path: Path) -> Iterator[Text]:
    """Yields all texts of a file that must be in plain English."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from comments(source)
        yield from docstrings(source)
    elif path.suffix == ".md":
        yield from document(source)
    else:
        yield from template_comments(source)


def objections(text: str) -> Iterator[tuple[int, str, str]]:
    """Yields (line of the text from 0, word found, what to write instead)."""
    read = _NOT_READ.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for instead, pattern in _COMPILED.items():
        for found in pattern.finditer(read):
            yield read.count("\n", 0, found.start()), found[0], instead


def files_of(name: str) -> list[Path]:
    """Returns the files of a package, of docs or of the templates, or one document."""
    path = ROOT / name
    if path.is_file():
        return [path]
    suffixes = {"docs": {".md"}, "templates": {".html", ".txt"}}.get(name, {".py"})
    found = [each for each in path.rglob("*") if each.suffix in suffixes]
    return sorted(each for each in found if "migrations" not in each.parts)


@pytest.mark.parametrize("name", [*PACKAGES, *DOCUMENTS, "templates"])
def test_texts_are_in_plain_english(name):
    found = [
        f"{path.relative_to(ROOT)}:{first + line}: {word!r}; write: {instead}"
        for path in files_of(name)
        for first, text in texts_of(path)
        for line, word, instead in objections(text)
    ]
    assert not found, f"{len(found)} places:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Whoever asks", 0),
        ("It is kept\nonce and\nfor all", 1),
        ("resealed", 0),
        ("(Nobody's)", 0),
    ],
)
def test_an_archaic_word_is_found_with_its_line(text, line):
    assert [found[0] for found in objections(text)] == [line]


@pytest.mark.parametrize(
    "text",
    [
        "mail to nobody@example.com",
        'the button "Publish for good"',
        "the key `sealed`",
        "[a decision](0013-bulk-sealing.md)",
        "here, where and recommend",
        "The amendment thereby",
    ],
)
def test_quoted_text_code_and_other_words_pass(text):
    assert not list(objections(text))


def public_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yields the public functions of a module, and the public methods of its public classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bodies = [tree.body, *(each.body for each in classes if not each.name.startswith("_"))]
    for node in (node for body in bodies for node in body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node


def is_overriding(path: Path) -> bool:
    """Returns whether the methods of a module mostly override Django's, which documents them."""
    names = ("admin", "forms", "commands", "migrations")
    return any(part in names for part in path.with_suffix("").parts) or path.name in (
        *("apps.py", "feeds.py"),
    )


@pytest.mark.parametrize("name", PRODUCTION)
def test_the_docstring_of_a_public_function_says_what_it_does(name):
    wrong = []
    for path in files_of(name):
        for node in public_functions(path):
            docstring = ast.get_docstring(node) or ""
            is_missing = not docstring and not is_overriding(path.relative_to(ROOT))
            if is_missing or docstring.partition(" ")[0].strip(",:;") in FIRST_WORDS:
                first = docstring.partition("\n")[0] or "no docstring"
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}: {first}")
    assert not wrong, f"{len(wrong)} functions:\n" + "\n".join(wrong)
