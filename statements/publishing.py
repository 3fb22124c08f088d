"""Publishing: drafts, the findings about them, waivers, and the hash chain of published versions.

A published version is immutable (database triggers) and numbered. Its SHA-256 covers its whole
record, which holds the hash of the previous version. Verifying the chain therefore shows if a
version was changed, removed or inserted.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import second_person
from accounts.models import User
from foundations import page_cache
from foundations.languages import LocalizedText, translated_name
from foundations.localized_fields import Texts
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

# The default of `display_until` in a draft. The posting time counts from publication, which may be
# weeks after the draft, so the default is long.
DRAFT_DISPLAY = timedelta(days=365)


class PublishingRefusedError(Exception):
    """Raised when a draft or a waiver is refused; `findings` holds the reasons."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(str(finding.why) for finding in findings))
        self.findings = findings


def draft_next(statement: Statement, *, by: User) -> StatementVersion:
    """Returns the statement's draft. Creates it if there is none, as a copy of the last version.

    The first draft of a statement has the empty sections that its duties require, or one section
    for a text.
    """
    with transaction.atomic():
        Statement.objects.select_for_update().get(pk=statement.pk)
        last = statement.versions.order_by("-number").first()
        if last and not last.is_published:
            return last
        draft = StatementVersion.objects.create(
            statement=statement,
            number=last.number + 1 if last else 1,
            title=last.title if last else review.statement_prescribed_title(statement),
            display_until=timezone.localdate(timezone=statement.incident.zone) + DRAFT_DISPLAY,
            created_by=by,
        )
        Section.objects.bulk_create(
            _copied_sections(last, draft) if last else _prescribed_sections(draft)
        )
    return draft


def _copied_sections(last: StatementVersion, draft: StatementVersion) -> Iterator[Section]:
    for section in last.sections.all():
        section.pk = None
        section.version = draft
        yield section


def _prescribed_sections(draft: StatementVersion) -> Iterator[Section]:
    keys = review.prescribed_sections(draft.statement) or {Section.Key.BODY: LocalizedText()}
    for position, (key, heading) in enumerate(keys.items(), 1):
        yield Section(version=draft, key=key, position=position, heading=heading)


def publishing_findings(version: StatementVersion, *, by: User) -> list[Finding]:
    """Returns the findings about publishing this draft as `by`.

    A finding that blocks prevents publishing.
    """
    refusals = [*_check_state(version), *_check_second_person(version, by)]
    return refusals + draft_findings(version)


def draft_findings(
    version: StatementVersion, sections: list[Section] | None = None
) -> list[Finding]:
    """Returns the findings about the draft's content; they do not depend on who publishes it.

    `sections` are the unsaved sections from an editor's form; None reads the saved ones.
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
    authors = [version.created_by, *version.editors.all()]
    if reason := second_person.objection(by, first=authors):
        yield _refusal("second_person", reason)


def has_contributed(version: StatementVersion, by: User) -> bool:
    """Returns whether `by` wrote part of what this version publishes.

    The author, an editor of the version, and before the first publication an editor of the
    statement. The trigger `version_is_published_by_no_editor` and a constraint enforce the rule.
    """
    statement = version.statement
    return (
        by.pk == version.created_by_id
        or version.editors.contains(by)
        or (statement.editors.contains(by) and not statement.is_published())
    )


def _check_languages(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    if not sections:
        yield _refusal("empty", _("There is no section."))
    texts = [(version.title, _("The title"), review.TITLE)]
    if version.number > 1:
        texts.append((version.change_reason, _("The reason for the change"), ""))
    for section in sections:
        name = f"“{section.get_key_display()}”"
        text = _("The text of {section}").format(section=name)
        texts.append((section.body, text, section.key))
        if section.heading:
            text = _("The heading of {section}").format(section=name)
            texts.append((section.heading, text, section.key))
    for written, name, key in texts:
        for language in written.missing(version.statement.incident.languages):
            why = _("{text} is missing in {language}.")
            language_name = translated_name(language)
            yield _refusal("language", why.format(text=name, language=language_name), section=key)
        yield from _in_other_languages(version, written, name, key)


def _in_other_languages(
    version: StatementVersion, written: LocalizedText, name: str, key: str
) -> Iterator[Finding]:
    """Yields a refusal for each text that no check reads, but that some readers would get."""
    for language in written.languages():
        if language not in version.statement.incident.languages:
            why = _("{text} has a text in {language}, which is no language of the incident.")
            language_name = translated_name(language)
            yield _refusal("language", why.format(text=name, language=language_name), section=key)


def _check_display(version: StatementVersion) -> Iterator[Finding]:
    days = review.display_days(version.statement)
    earliest = timezone.localdate(timezone=version.statement.incident.zone) + timedelta(days=days)
    if version.display_until < earliest:
        text = _("It must be shown for at least {days} days: until {date} or later.")
        yield _refusal("display", text.format(days=days, date=date_format(earliest)))


def _check_advisory(statement: Statement) -> Iterator[Finding]:
    is_advisory = statement.kind == Statement.Kind.ADVISORY
    if is_advisory and not Advisory.objects.filter(statement=statement).exists():
        yield _refusal("advisory", _("An advisory needs its issuer, date and severity."))


def _check_classes_stated(statement: Statement, sections: list[Section]) -> Iterator[Finding]:
    """Yields a refusal for each class that the imported data holds and the incident does not claim.

    Checks notices, and other statements with a list of what leaked.
    """
    lists_items = any(section.key == Section.Key.DATA_ITEMS for section in sections)
    if statement.kind != Statement.Kind.NOTICE and not lists_items:
        return
    for data_class in unclaimed_classes(statement.incident):
        text = _("The imported data holds “{name}”, which the incident does not say leaked.")
        why = text.format(name=data_class.name)
        suggestion = _("State it on the incident's page, and name it here.")
        yield replace(_refusal("class", why, section=Section.Key.DATA_ITEMS), suggestion=suggestion)


def _check_classes_named(statement: Statement, sections: list[Section]) -> Iterator[Finding]:
    """Yields a refusal for each leaked class that the list of what leaked does not name.

    The list must be complete in each language, with the name of the class in that language.
    """
    listing = [section for section in sections if section.key == Section.Key.DATA_ITEMS]
    if not listing:
        return
    claims = statement.incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    involved = [claim.data_class for claim in claims.select_related("data_class")]
    for language in statement.incident.languages:
        listed = "\n".join(section.body.get(language) for section in listing).casefold()
        every_name = [other.name.in_language(language) for other in DataClass.objects.all()]
        for name in (data_class.name.in_language(language) for data_class in involved):
            if not _is_named(name.casefold(), listed, every_name):
                text = _("“{section}” does not name “{name}”, which leaked.")
                label = Section.Key.DATA_ITEMS.label
                why = text.format(section=label, name=name)
                yield _refusal("class", why, section=Section.Key.DATA_ITEMS)


def _is_named(name: str, text: str, every_name: list[str]) -> bool:
    """Returns whether `text` names the class by itself.

    A longer name that contains it does not count: "e-mail address" does not name "address".
    """
    for other in map(str.casefold, every_name):
        if name in other and name != other:
            text = text.replace(other, "")
    return name in text


def publish(version: StatementVersion, *, by: User, seen: str | None = None) -> StatementVersion:
    """Publishes the draft and returns it. From now on it is immutable.

    `seen` is the fingerprint of the draft that `by` has read; None if no person reads it first.
    Raises PublishingRefusedError if a finding blocks, or if the draft differs from `seen`. If two
    people publish at the same time, one of them is refused.
    """
    with transaction.atomic():
        # Writers of the statement, its advisory or a section wait for these locks (triggers).
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


def waive(version: StatementVersion, *, rule: str, reason: Texts, by: User) -> DutyWaiver:
    """Waives a duty or a lint rule for the draft, so that its findings only warn.

    The public log shows the waiver, with `reason` in each language of the incident. Raises
    PublishingRefusedError if a language is missing, if `by` wrote part of the draft, if the version
    is published, or if the rule blocks nothing or cannot be waived.
    """
    with transaction.atomic():
        draft = StatementVersion.objects.select_for_update().get(pk=version.pk)
        refusals = [*_check_state(draft), *_check_second_person(draft, by)]
        if rule not in review.waivable(draft):
            refusals.append(_refusal("waiver", _("This cannot be waived.")))
        for language in LocalizedText(reason).missing(draft.statement.incident.languages):
            text = _("{text} is missing in {language}.")
            why = text.format(text=_("The reason"), language=translated_name(language))
            refusals.append(_refusal("language", why))
        if refusals:
            raise PublishingRefusedError(refusals)
        return DutyWaiver.objects.create(
            version=draft,
            rule=rule,
            reason=reason,
            waived_by=by,
        )


def withdraw_waiver(version: StatementVersion, *, rule: str, reason: str, by: User) -> bool:
    """Withdraws a waiver of a draft and records the withdrawal.

    Returns False if the draft has no such waiver, or if the version is published: the hash covers
    the waivers of a published version, so they cannot change.
    """
    with transaction.atomic():
        draft = StatementVersion.objects.select_for_update().get(pk=version.pk)
        waiver = draft.waivers.filter(rule=rule).first()
        if draft.is_published or waiver is None:
            return False
        WithdrawnWaiver.objects.create(
            version=draft,
            rule=rule,
            reason=waiver.reason,
            waived_by=waiver.waived_by,
            waived_at=waiver.waived_at,
            withdrawn_by=by,
            withdrawn_reason=reason,
        )
        waiver.delete()
    return True


def objection_to_hiding(incident: Incident) -> str | None:
    """Returns why the incident has to stay public, or None if it may be hidden.

    It has to stay public while a published version must be shown. The trigger
    `incident_stays_public` enforces the same rule. Both compare dates in UTC.
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
    """Returns the SHA-256, in hex, of the content that a person reads before publishing."""
    return _digest(_content(version))


def compute_hash(version: StatementVersion) -> str:
    """Returns the SHA-256, in hex, of the version's record. Raises ValueError for a draft."""
    return _digest(_record(version))


def canonical_record(version: StatementVersion) -> bytes:
    """Returns the record of a published version as JSON in UTF-8.

    It holds the content, the time of publication and the hash of the previous version. The
    version's hash is the SHA-256 of exactly these bytes (docs/records.md). Keys and format must
    not change, because then the hashes of published versions no longer match.
    """
    return _canonical(_record(version))


def _record(version: StatementVersion) -> dict[str, Any]:
    return _content(version) | {
        "classes": version.class_states,
        "published_at": _utc(version.published_at),
        "previous_hash": version.previous_hash,
    }


def _canonical(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(record)).hexdigest()


def _content(version: StatementVersion) -> dict[str, Any]:
    statement = version.statement
    waivers = {waiver.rule: waiver.reason.by_language() for waiver in version.waivers.all()}
    return ({"waivers": waivers} if waivers else {}) | {
        "incident": statement.incident.slug,
        "statement": statement.slug,
        "kind": statement.kind,
        "advisory": _advisory_record(statement),
        "number": version.number,
        "title": version.title.by_language(),
        "change_reason": version.change_reason.by_language(),
        "sections": [
            {
                "key": section.key,
                "basis": section.basis,
                "heading": section.heading.by_language(),
                "body": section.body.by_language(),
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
        "issuer": advisory.issuer.by_language(),
        "issued_on": advisory.issued_on.isoformat(),
        "original_url": advisory.original_url,
        "hotline": advisory.hotline,
        "severity": advisory.severity,
    }


def _utc(moment: datetime | None) -> str:
    if moment is None:
        raise ValueError("a draft has no hash")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def verify_statement(statement: Statement) -> list[str]:
    """Returns the problems of the statement's published versions, one sentence each.

    Finds a changed text, a version that is missing or out of order, and a broken hash chain.
    """
    published = StatementVersion.objects.filter(
        statement_id=statement.pk, state=StatementVersion.State.PUBLISHED
    ).select_related("statement__incident", "statement__advisory")
    return [problem for problems in verify_versions(published).values() for problem in problems]


def verify_versions(versions: Iterable[StatementVersion]) -> dict[StatementVersion, list[str]]:
    """Returns the problems of each published version of one statement, in the active language.

    A version without problems has an empty list. `versions` must hold all published versions.
    """
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
