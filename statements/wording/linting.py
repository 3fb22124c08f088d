"""The lint: finds wording that a regulator objected to, or that is hard to understand.

Runs the rules of sentence_rules.py on each sentence of a text, and checks the links. Words that are
alone between quotation marks are a quotation and are not reported.
"""

from collections.abc import Collection, Iterator

from django.utils.text import format_lazy

from foundations.languages import translated_name
from incidents.models import Basis
from statements.findings import Finding, Severity
from statements.wording.by_language import WORDING_RULES
from statements.wording.class_names import ClassNames
from statements.wording.figures import COMPARED_LANGUAGES
from statements.wording.language_rules import Hit
from statements.wording.plain_text import Link, PlainText, Sentence, is_within, links, plain_text_of
from statements.wording.rules import RULES
from statements.wording.sentence_rules import SENTENCE_RULES, LintContext

_LANGUAGES = WORDING_RULES.keys() & COMPARED_LANGUAGES
_QUOTES = "\"'“”‘’「」『』«»"


def has_rules(language: str) -> bool:
    """Returns whether the lint and the parity check have rules for the language."""
    return language in _LANGUAGES


def no_rules(language: str) -> Finding:
    """Returns the finding that a language has no rules, so that its texts do not pass silently."""
    rule = RULES["no_rules"]
    why = format_lazy("{language}: {why}", language=translated_name(language), why=rule.why)
    return Finding(rule="no_rules", severity=rule.severity, why=why, language=language)


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

    `text` is Markdown in `language`. A language without rules (`has_rules`) gets the check of links
    only; `no_rules` is the finding for that. `involved_classes` are the names of the leaked
    data classes, `other_classes` those of the incident's other classes, both in that language.
    A mandatory notice may link to `own_domains` only. `basis` is the Basis of the section.
    """
    plain, found = plain_text_of(text), set[Finding]()
    if has_rules(language):
        words = WORDING_RULES[language]
        involved = ClassNames(words, involved_classes, other_classes)
        context = LintContext(
            words=words, involved=involved, is_mandatory=is_mandatory, basis=basis
        )
        found |= {
            _finding(plain, sentence, hit, language)
            for sentence in plain.sentences()
            for rule in SENTENCE_RULES
            for hit in rule(sentence, context)
            if not _is_quoted(sentence.text, hit)
        }
    bad = _bad_links(text, own_domains, shop_domains, is_mandatory=is_mandatory)
    found |= {_link_finding(rule, link, language, is_mandatory=is_mandatory) for link, rule in bad}
    return sorted(found, key=lambda finding: (finding.span or (0, 0), finding.rule))


def _finding(plain: PlainText, sentence: Sentence, hit: Hit, language: str) -> Finding:
    start, end = plain.span(sentence.start + hit.start, sentence.start + hit.end)
    rule = RULES[hit.rule]
    return Finding(
        rule=hit.rule,
        severity=hit.severity or rule.severity,
        why=rule.why,
        suggestion=rule.suggestion(language),
        quote=plain.source[start:end],
        span=(start, end),
        language=language,
    )


def _is_quoted(sentence: str, hit: Hit) -> bool:
    before, after = sentence[: hit.start][-1:], sentence[hit.end : hit.end + 1]
    return bool(before and after) and before in _QUOTES and after in _QUOTES


def _bad_links(
    text: str, own: Collection[str], shop: Collection[str], *, is_mandatory: bool
) -> Iterator[tuple[Link, str]]:
    """Yields the links to domains that the text must not link to, each with the rule's name."""
    for link in links(text):
        if link.is_email or is_within(link.host, own):
            continue
        if is_within(link.host, shop):
            yield link, "shop_link"
        elif is_mandatory:
            yield link, "foreign_link"


def _link_finding(name: str, link: Link, language: str, *, is_mandatory: bool) -> Finding:
    rule = RULES[name]
    return Finding(
        rule=name,
        severity=Severity.BLOCK if is_mandatory else rule.severity,
        why=rule.why,
        suggestion=rule.suggestion(language),
        quote=link.text,
        span=link.span,
        language=language,
    )
