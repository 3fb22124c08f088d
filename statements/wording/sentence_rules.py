"""The lint rules that look at one sentence each, in any language that has rules.

RULES holds the reasons, and WORDING_RULES the words of each language.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from incidents.models import Basis
from statements.findings import Severity
from statements.wording.class_names import ClassNames
from statements.wording.language_rules import Hit, LanguageRules
from statements.wording.plain_text import Sentence


@dataclass(frozen=True, kw_only=True)
class LintContext:
    """The arguments of `lint` that rules read besides the text."""

    words: LanguageRules  # of the language of the text
    involved: ClassNames  # the names of the leaked data classes
    is_mandatory: bool  # the text is part of a mandatory notice
    basis: str  # the Basis of the section


def _exposed(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    names_class = bool(context.involved.in_sentence(sentence.text))
    yield from context.words.exposed(sentence.text, names_class=names_class)


def _hedge(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    """Yields a hedge about data that is known to have leaked.

    The sentence names a leaked class, or writes "your data" without a statement that facts are
    unknown.
    """
    text, words = sentence.text, context.words
    hedge = words.hedge.search(text)
    if not hedge or not context.involved:
        return
    is_vague = words.personal_data.search(text) and not words.unknown.search(text)
    if is_vague or context.involved.in_sentence(text):
        yield Hit("hedge", hedge.start(), hedge.end())


def _phrases(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    for phrase in context.words.phrases:
        if not (phrase.unless and phrase.unless.search(sentence.text)):
            for match in phrase.pattern.finditer(sentence.text):
                yield Hit(phrase.rule, match.start(), match.end())


def _marketing(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    text, words = sentence.text, context.words
    if words.scam.search(text):
        return  # a warning about scams, such as "Messages that promise a coupon are scams"
    classes = " ".join(context.involved.in_sentence(text))
    for match in words.hard_sell.finditer(text):
        if match[0] not in classes:  # the data that leaked may be coupon codes
            severity = Severity.BLOCK if context.is_mandatory else Severity.WARN
            yield Hit("marketing", match.start(), match.end(), severity)
    for match in words.soft_sell.finditer(text):
        yield Hit("marketing", match.start(), match.end())


def _allegation(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    """Yields an allegation that is stated as a fact."""
    text, words = sentence.text, context.words
    if context.basis == Basis.CONFIRMED or words.label.search(text):
        return
    for match in words.culprit.finditer(text):
        yield Hit("allegation", match.start(), match.end())
    for match in words.actor.finditer(text):
        if not words.possibility.search(text):
            yield Hit("allegation", match.start(), match.end())


def _too_long(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    if context.words.is_long(sentence.text):
        yield Hit("long_sentence", 0, len(sentence.text))


SENTENCE_RULES: list[Callable[[Sentence, LintContext], Iterator[Hit]]] = [
    _exposed,
    _hedge,
    _phrases,
    _marketing,
    _allegation,
    _too_long,
]
