"""From a draft to published words: what is checked, what is frozen, and how it is proven.

A published version is immutable (database triggers), numbered, and hashed over everything it says.
Its hash covers the hash of the version before, so that none can be altered, dropped or slipped in
without the chain showing it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from foundations import page_cache
from foundations.languages import in_language
from incidents.models import DataClass, Incident, IncidentDataClass
from incidents.unclaimed import unclaimed_classes
from statements.findings import Finding, Severity
from statements.legal import review
from statements.models import (
    Advisory,
    DutyWaiver,
    Section,
    Statement,
    StatementVersion,
    WithdrawnWaiver,
)

# The posting time counts from publication, which may be weeks after the draft: be generous.
DRAFT_DISPLAY = timedelta(days=365)
LANGUAGES = [code for code, _name in settings.LANGUAGES]


class PublishingRefusedError(Exception):
    """The draft is not fit to be published; `findings` says why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(str(finding.why) for finding in findings))
        self.findings = findings


def draft_next(statement: Statement, *, by: User) -> StatementVersion:
    """The statement's draft: the open one, else a new one with the last version's words.

    A statement's first draft holds the sections that its kind must have, empty.
    """
    with transaction.atomic():
        Statement.objects.select_for_update().get(pk=statement.pk)
        last = statement.versions.order_by("-number").first()
        if last and not last.is_published:
            return last
        draft = StatementVersion.objects.create(
            statement=statement,
            number=last.number + 1 if last else 1,
            title_ko=last.title_ko if last else "",
            title_en=last.title_en if last else review.prescribed_title(statement),
            display_until=timezone.localdate() + DRAFT_DISPLAY,
            created_by=by,
        )
        Section.objects.bulk_create(_copied(last, draft) if last else _laid_out(draft))
    return draft


def _copied(last: StatementVersion, draft: StatementVersion) -> Iterator[Section]:
    for section in last.sections.all():
        section.pk = None
        section.version = draft
        yield section


def _laid_out(draft: StatementVersion) -> Iterator[Section]:
    keys = review.prescribed_sections(draft.statement) or {Section.Key.BODY: ""}
    for position, (key, heading) in enumerate(keys.items(), 1):
        yield Section(version=draft, key=key, position=position, heading_en=heading)


def publishing_findings(version: StatementVersion, *, by: User) -> list[Finding]:
    """All there is to say against `by` publishing this draft now; what blocks refuses it."""
    refused = [*_check_state(version), *_check_second_person(version, by)]
    return refused + draft_findings(version)


def draft_findings(
    version: StatementVersion, sections: list[Section] | None = None
) -> list[Finding]:
    """All there is to say against the words of this draft, whoever publishes them.

    `sections` are those that somebody is writing, if they are not the saved ones.
    """
    if sections is None:
        sections = list(version.sections.all())
    return list(
        chain(
            _check_languages(version, sections),
            _check_display(version),
            _check_advisory(version.statement),
            _check_classes_stated(version.statement, sections),
            _check_classes_named(version.statement, sections),
            review.review(version, sections),
        )
    )


def _refusal(rule: str, why: str, *, section: str = "") -> Finding:
    return Finding(rule=rule, severity=Severity.BLOCK, why=why, section=section)


def _check_state(version: StatementVersion) -> Iterator[Finding]:
    if version.is_published:
        yield _refusal("published", _("This version is published already."))


def _check_second_person(version: StatementVersion, by: User) -> Iterator[Finding]:
    if has_contributed(version, by):
        yield _refusal(
            "second_person",
            _("You wrote or edited this version. A second person has to publish it."),
        )


def has_contributed(version: StatementVersion, by: User) -> bool:
    """Whether some of what this version makes public is by them (a trigger asks the same)."""
    statement = version.statement
    return (
        by.pk == version.created_by_id
        or version.editors.contains(by)
        or (statement.editors.contains(by) and not statement.is_published())
    )


def _check_languages(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    if not sections:
        yield _refusal("empty", _("There is no section."))
    texts: list[tuple[Model, str, str, str]] = [
        (version, "title", _("The title"), review.TITLE),
    ]
    if version.number > 1:
        texts.append((version, "change_reason", _("The reason for the change"), ""))
    for section in sections:
        name = f"“{section.get_key_display()}”"
        text = _("The text of {section}").format(section=name)
        texts.append((section, "body", text, section.key))
        if section.heading_ko or section.heading_en:
            text = _("The heading of {section}").format(section=name)
            texts.append((section, "heading", text, section.key))
    for instance, field, name, key in texts:
        for language in LANGUAGES:
            if not getattr(instance, f"{field}_{language}").strip():
                yield _missing(name, language, key)


def _missing(name: str, language: str, key: str) -> Finding:
    text = {
        "ko": _("{text} is missing in Korean."),
        "en": _("{text} is missing in English."),
    }[language]
    return _refusal("language", text.format(text=name), section=key)


def _check_display(version: StatementVersion) -> Iterator[Finding]:
    days = review.display_days(version.statement)
    earliest = timezone.localdate() + timedelta(days=days)
    if version.display_until < earliest:
        text = _("It must be shown for at least {days} days: until {date} or later.")
        yield _refusal("display", text.format(days=days, date=date_format(earliest)))


def _check_advisory(statement: Statement) -> Iterator[Finding]:
    is_advisory = statement.kind == Statement.Kind.ADVISORY
    if is_advisory and not Advisory.objects.filter(statement=statement).exists():
        yield _refusal("advisory", _("An advisory needs its issuer, date and severity."))


def _check_classes_stated(statement: Statement, sections: list[Section]) -> Iterator[Finding]:
    """What the imported data holds has to be stated of the incident before anybody lists it."""
    lists_items = any(section.key == Section.Key.DATA_ITEMS for section in sections)
    if statement.kind != Statement.Kind.NOTICE and not lists_items:
        return
    for data_class in unclaimed_classes(statement.incident):
        text = _("The imported data holds “{name}”, which the incident does not say leaked.")
        why = text.format(name=data_class.name)
        suggestion = _("State it on the incident's page, and name it here.")
        yield replace(_refusal("class", why, section=Section.Key.DATA_ITEMS), suggestion=suggestion)


def _check_classes_named(statement: Statement, sections: list[Section]) -> Iterator[Finding]:
    """A list of what leaked must be the whole list, in each language by the class's own name."""
    listing = [section for section in sections if section.key == Section.Key.DATA_ITEMS]
    if not listing:
        return
    claims = statement.incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    involved = [claim.data_class for claim in claims.select_related("data_class")]
    for language in LANGUAGES:
        words = "\n".join(getattr(section, f"body_{language}") for section in listing).casefold()
        every_name = [in_language(other, "name", language) for other in DataClass.objects.all()]
        for name in (in_language(data_class, "name", language) for data_class in involved):
            if not _is_named(name.casefold(), words, every_name):
                text = _("“{section}” does not name “{name}”, which leaked.")
                label = Section.Key.DATA_ITEMS.label
                why = text.format(section=label, name=name)
                yield _refusal("class", why, section=Section.Key.DATA_ITEMS)


def _is_named(name: str, words: str, every_name: list[str]) -> bool:
    """Whether `name` stands in `words` by itself: "e-mail address" does not name "address"."""
    for other in map(str.casefold, every_name):
        if name in other and name != other:
            words = words.replace(other, "")
    return name in words


def publish(version: StatementVersion, *, by: User, seen: str | None = None) -> StatementVersion:
    """Publishes the draft; returns it as it now stands for good.

    `seen` is the fingerprint of the words that `by` has read, if a person asks: words that were
    changed meanwhile are refused. Raises PublishingRefusedError. Of two people who publish at
    once, one is refused.
    """
    with transaction.atomic():
        # The locks hold off whoever edits the statement, its advisory or a section (triggers).
        statement = Statement.objects.select_for_update().get(pk=version.statement_id)
        draft = StatementVersion.objects.select_for_update().get(pk=version.pk)
        draft.statement = statement
        findings = [finding for finding in publishing_findings(draft, by=by) if finding.blocks]
        if seen not in (None, fingerprint(draft)):
            findings.append(_refusal("changed", _("The draft was changed while you read it.")))
        if findings:
            raise PublishingRefusedError(findings)
        _freeze(draft, by=by)
        transaction.on_commit(page_cache.forget)
    return draft


def waive(version: StatementVersion, *, rule: str, reason: dict[str, str], by: User) -> DutyWaiver:
    """Lets the draft be published against a duty or a rule of wording; the log says why.

    `reason` is by language. Raises PublishingRefusedError for `by` having written it, for what is
    published, and for a rule that is not waivable or blocks nothing.
    """
    with transaction.atomic():
        draft = StatementVersion.objects.select_for_update().get(pk=version.pk)
        refused = [*_check_state(draft), *_check_second_person(draft, by)]
        if rule not in review.waivable(draft):
            refused.append(_refusal("waiver", _("This cannot be waived.")))
        if refused:
            raise PublishingRefusedError(refused)
        return DutyWaiver.objects.create(
            version=draft,
            rule=rule,
            reason_ko=reason["ko"],
            reason_en=reason["en"],
            waived_by=by,
        )


def withdraw_waiver(version: StatementVersion, *, rule: str, reason: str, by: User) -> bool:
    """Takes a draft's waiver back, and keeps both on record; False if there is none to take back.

    What is published stands as it was: its waivers are covered by its hash.
    """
    with transaction.atomic():
        draft = StatementVersion.objects.select_for_update().get(pk=version.pk)
        waiver = draft.waivers.filter(rule=rule).first()
        if draft.is_published or waiver is None:
            return False
        WithdrawnWaiver.objects.create(
            version=draft,
            rule=rule,
            reason_ko=waiver.reason_ko,
            reason_en=waiver.reason_en,
            waived_by=waiver.waived_by,
            waived_at=waiver.waived_at,
            withdrawn_by=by,
            withdrawn_reason=reason,
        )
        waiver.delete()
    return True


def objection_to_hiding(incident: Incident) -> str | None:
    """Returns why the incident has to stay public: a published version is to be shown for longer.

    The trigger `incident_stays_public` refuses the same. Dates are UTC there and here.
    """
    today = datetime.now(UTC).date()
    shown = StatementVersion.objects.filter(
        statement__incident=incident,
        state=StatementVersion.State.PUBLISHED,
        display_until__gte=today,
    )
    if not shown.exists():
        return None
    return _("A published statement has to be shown for longer: the incident stays public.")


def _freeze(draft: StatementVersion, *, by: User) -> None:
    previous = draft.statement.versions.filter(number=draft.number - 1).first()
    claims = draft.statement.incident.class_states.select_related("data_class")
    draft.class_states = [
        {"class": claim.data_class.slug, "state": claim.state, "basis": claim.basis}
        for claim in claims
    ]
    draft.state = StatementVersion.State.PUBLISHED
    draft.approved_by = by
    draft.published_at = timezone.now()
    draft.previous_hash = previous.hash if previous else ""
    draft.hash = compute_hash(draft)
    draft.save()


def fingerprint(version: StatementVersion) -> str:
    """SHA-256, in hex, of a version's words: what a person has read before publishing."""
    return _digest(_words(version))


def compute_hash(version: StatementVersion) -> str:
    """SHA-256, in hex, of the version's record."""
    return _digest(_record(version))


def canonical_record(version: StatementVersion) -> bytes:
    """All that a published version says, when, and after which other, as JSON in UTF-8.

    The version's hash is the SHA-256 of exactly these bytes (docs/records.md). What they hold, and
    in which form, is fixed: a change breaks the proof of what stands.
    """
    return _canonical(_record(version))


def _record(version: StatementVersion) -> dict[str, Any]:
    return _words(version) | {
        "classes": version.class_states,
        "published_at": _utc(version.published_at),
        "previous_hash": version.previous_hash,
    }


def _canonical(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(record)).hexdigest()


def _words(version: StatementVersion) -> dict[str, Any]:
    statement = version.statement
    waivers = {waiver.rule: _both(waiver, "reason") for waiver in version.waivers.all()}
    return ({"waivers": waivers} if waivers else {}) | {
        "incident": statement.incident.slug,
        "statement": statement.slug,
        "kind": statement.kind,
        "advisory": _advisory_record(statement),
        "number": version.number,
        "title": _both(version, "title"),
        "change_reason": _both(version, "change_reason"),
        "sections": [
            {
                "key": section.key,
                "basis": section.basis,
                "heading": _both(section, "heading"),
                "body": _both(section, "body"),
            }
            for section in version.sections.all()
        ],
        "display_until": version.display_until.isoformat(),
    }


def _advisory_record(statement: Statement) -> dict[str, Any] | None:
    try:
        advisory = statement.advisory
    except Advisory.DoesNotExist:
        return None
    return {
        "issuer": _both(advisory, "issuer"),
        "issued_on": advisory.issued_on.isoformat(),
        "original_url": advisory.original_url,
        "hotline": advisory.hotline,
        "severity": advisory.severity,
    }


def _both(
    instance: StatementVersion | Section | Advisory | DutyWaiver, name: str
) -> dict[str, str]:
    return {language: getattr(instance, f"{name}_{language}") for language in LANGUAGES}


def _utc(moment: datetime | None) -> str:
    if moment is None:
        raise ValueError("a draft has no hash")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def verify_statement(statement: Statement) -> list[str]:
    """What is wrong with the statement's published versions, one sentence each; empty if nothing.

    Finds an altered word, a version that is missing or out of its order, and a broken chain.
    """
    published = StatementVersion.objects.filter(
        statement_id=statement.pk, state=StatementVersion.State.PUBLISHED
    ).select_related("statement__incident", "statement__advisory")
    return [problem for problems in verified(published).values() for problem in problems]


def verified(versions: Iterable[StatementVersion]) -> dict[StatementVersion, list[str]]:
    """What is wrong with each of the published versions of one statement, as `verify` says it."""
    found = {}
    last_number, last_hash = 0, ""
    for version in sorted(versions, key=lambda version: version.number):
        problems = []
        if version.number != last_number + 1:
            problems.append(_("Version {number} is missing.").format(number=last_number + 1))
        elif version.previous_hash != last_hash:
            text = _("Version {number} does not follow the one before.")
            problems.append(text.format(number=version.number))
        if compute_hash(version) != version.hash:
            text = _("Version {number} is not what was published.")
            problems.append(text.format(number=version.number))
        found[version] = problems
        last_number, last_hash = version.number, version.hash
    return found
