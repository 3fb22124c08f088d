"""The lint: finds wording that a regulator objected to, or that is hard to understand.

Runs the rules of sentence_rules.py on each sentence of a text, and checks the links. Words that are
alone between quotation marks are a quotation and are not reported.
"""

from collections.abc import Collection, Iterator

from incidents.models import Basis
from statements.findings import Finding, Severity
from statements.wording.class_names import ClassNames
from statements.wording.plain_text import Link, PlainText, Sentence, is_within, links, plain_text_of
from statements.wording.rules import RULES
from statements.wording.sentence_rules import SENTENCE_RULES, Hit, LintContext

_QUOTES = "\"'“”‘’「」『』«»"


def lint(
    text: str,
    *,
    language: str,
    is_mandatory: bool,
    involved_classes: Collection[str] = (),
    other_classes: Collection[str] = (),
    own_domains: Collection[str] = (),
    shop_domains: Collection[str] = (),
    basis: str = Basis.COMPANY,
) -> list[Finding]:
    """Returns the findings about the wording of one section, heading or message, by place.

    `text` is Markdown in `language` ("ko" or "en"). `involved_classes` are the names of the leaked
    data classes, `other_classes` those of the incident's other classes, both in that language.
    A mandatory notice may link to `own_domains` only. `basis` is the Basis of the section.
    """
    context = LintContext(
        language=language,
        involved=ClassNames(language, involved_classes, other_classes),
        own_domains=own_domains,
        shop_domains=shop_domains,
        is_mandatory=is_mandatory,
        basis=basis,
    )
    plain = plain_text_of(text)
    found = {
        _finding(plain, sentence, hit, context)
        for sentence in plain.sentences()
        for rule in SENTENCE_RULES
        for hit in rule(sentence, context)
        if not _is_quoted(sentence.text, hit)
    }
    found |= {_link_finding(rule, link, context) for link, rule in _bad_links(text, context)}
    return sorted(found, key=lambda finding: (finding.span or (0, 0), finding.rule))


def _finding(plain: PlainText, sentence: Sentence, hit: Hit, context: LintContext) -> Finding:
    start, end = plain.span(sentence.start + hit.start, sentence.start + hit.end)
    rule = RULES[hit.rule]
    return Finding(
        rule=hit.rule,
        severity=hit.severity or rule.severity,
        why=rule.why,
        suggestion=rule.suggestion(context.language),
        quote=plain.source[start:end],
        span=(start, end),
        language=context.language,
    )


def _is_quoted(sentence: str, hit: Hit) -> bool:
    before, after = sentence[: hit.start][-1:], sentence[hit.end : hit.end + 1]
    return bool(before and after) and before in _QUOTES and after in _QUOTES


def _bad_links(text: str, context: LintContext) -> Iterator[tuple[Link, str]]:
    """Yields the links to domains that the text must not link to, each with the rule's name."""
    for link in links(text):
        if link.is_email or is_within(link.host, context.own_domains):
            continue
        if is_within(link.host, context.shop_domains):
            yield link, "shop_link"
        elif context.is_mandatory:
            yield link, "foreign_link"


def _link_finding(name: str, link: Link, context: LintContext) -> Finding:
    rule = RULES[name]
    return Finding(
        rule=name,
        severity=Severity.BLOCK if context.is_mandatory else rule.severity,
        why=rule.why,
        suggestion=rule.suggestion(context.language),
        quote=link.text,
        span=link.span,
        language=context.language,
    )
