"""Markdown in statements, as a page shows it and as plain text in a mail."""

import pytest

from statements import markdown


def test_paragraphs_lists_and_emphasis_are_shown():
    html = markdown.render("**이름**이 유출되었습니다.\n\n- 주소\n- 전화번호")
    assert html == (
        "<p><strong>이름</strong>이 유출되었습니다.</p>\n"
        "<ul>\n<li>주소</li>\n<li>전화번호</li>\n</ul>"
    )


def test_headings_are_below_the_level_of_the_section():
    html = markdown.render("# One\n\n## Two\n\n##### Five")
    assert html == "<h3>One</h3>\n<h4>Two</h4>\n<h6>Five</h6>"


def test_tables_are_shown():
    assert "<td>24 June</td>" in markdown.render("| What | When |\n|---|---|\n| Access | 24 June |")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        "<a href='javascript:alert(1)'>refund</a>",
        "<iframe src='https://scam.example'></iframe>",
        "<style>body { display: none }</style>",
    ],
)
def test_raw_html_is_escaped(attack):
    html = markdown.render(f"before {attack} after\n\n{attack}\n")
    assert "<script" not in html
    assert "<img" not in html
    assert "<a" not in html
    assert "<iframe" not in html
    assert "<style" not in html
    assert "&lt;" in html


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:msgbox(1)",
        "http://scam.example/",
        "//scam.example/",
        "/admin/",
        "file:///etc/passwd",
    ],
)
def test_only_safe_addresses_become_links(target):
    assert "href" not in markdown.render(f"[refund]({target})")
    assert "href" not in markdown.render(f"[refund][1]\n\n[1]: {target}")


def test_links_have_rel_noopener():
    html = markdown.render("[KISA](https://www.boho.or.kr/)")
    assert html == '<p><a href="https://www.boho.or.kr/" rel="noopener">KISA</a></p>'


@pytest.mark.parametrize("target", ["mailto:privacy@hanbit.example", "tel:118"])
def test_addresses_and_numbers_become_links(target):
    assert f'href="{target}"' in markdown.render(f"[Ask us]({target})")


def test_pictures_are_never_loaded():
    html = markdown.render("![pixel](https://scam.example/p.gif)")
    assert "<img" not in html


def test_list_items_are_those_of_the_first_list():
    items = markdown.list_items("Do this:\n\n1. **Change** the code\n2. Tell `118`\n\n- not this")
    assert items == ("<strong>Change</strong> the code", "Tell <code>118</code>")


def test_text_without_a_list_has_no_items():
    assert markdown.list_items("Only words.") == ()


WRITTEN = """\
## What to do

**Change** the *code*, and read
[the warning](https://www.boho.or.kr/).

- Ask <privacy@hanbit.example>
- Dial [118](tel:118)
  - or write

3. three
4. four

> quoted
"""
READ = """\
What to do

Change the code, and read the warning (https://www.boho.or.kr/).

- Ask privacy@hanbit.example
- Dial 118
  - or write

3. three
4. four

quoted"""


def test_plain_text_reads_well():
    assert markdown.plain(WRITTEN) == READ


def test_plain_text_keeps_unsafe_links_as_words():
    assert markdown.plain("[refund](http://scam.example/)") == "refund"


def test_plain_text_writes_tables_in_rows():
    assert markdown.plain("| a | b |\n|---|---|\n| 1 | 2 |") == "a | b\n1 | 2"


def test_links_have_no_words_that_show_on_hovering_only():
    html = markdown.render('[KISA](https://www.boho.or.kr/ "call 0000")')
    assert html == '<p><a href="https://www.boho.or.kr/" rel="noopener">KISA</a></p>'
