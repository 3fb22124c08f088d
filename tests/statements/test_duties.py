"""The legal duties: read from their files, applied to an incident, checked against a draft."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from foundations.languages import LocalizedText
from statements.findings import Severity
from statements.legal import laws
from statements.legal.duties import (
    UnknownJurisdictionError,
    applicable,
    due_times,
    posting_days,
    prescribed_headings,
    prescribed_title,
    unmet_content,
)
from statements.legal.laws import Duty, IncidentFacts, LegalFileError, all_duties, load_duties
from statements.models import Section
from statements.wording import RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "legal-checks.md"
NOVEMBER_2025, AMENDED = date(2025, 11, 20), date(2026, 9, 11)
AWARE_AT = datetime(2025, 11, 18, 0, 0, tzinfo=ZoneInfo("Asia/Seoul"))
MODEL_CASE = IncidentFacts(
    people=33_673_817, classes={"names": 1, "entrance-codes": 3}, illegal_access=True
)
FIVE = [
    "data_items",
    "when_and_how",
    "self_protection_steps",
    "response_and_remedy_procedure",
    "department_and_contact",
]


def duty(identity: str) -> Duty:
    return next(one for one in all_duties() if one.id == identity)


def ids(found) -> set[str]:
    return {one.id for one in found}


def in_korea(facts: IncidentFacts = MODEL_CASE, on: date = NOVEMBER_2025) -> dict[str, Duty]:
    return {one.id: one for one in applicable({"KR": "applies"}, facts=facts, on=on)}


# ---------------------------------------------------------------- the files


def test_every_jurisdiction_has_its_law():
    on_file = laws.jurisdictions()
    assert on_file.keys() == {"KR", "EU", "UK", "US-CA", "US-HIPAA", "AU", "JP", "SG"}
    assert [str(law) for law in on_file["KR"]] == ["정보통신망법", "개인정보 보호법"]
    with override("en"):
        assert str(on_file["AU"][0]) == "Privacy Act (Australia)"


# (article, mark, number of duties), as researched.
RESEARCHED = [
    ("PIPA 34(1)", "B", 1),
    ("PIPA 34(1)1", "R", 1),
    ("PIPA 34(1)2", "R", 1),
    ("PIPA 34(1)3", "R", 1),
    ("PIPA 34(1)4", "R", 1),
    ("PIPA 34(1)5", "R", 1),
    ("PIPA 34(1) as amended", "R (secondary source)", 1),
    ("PIPA 34(1) as amended", "R", 1),
    ("Enforcement Decree 39", "72 h R; article number B", 1),
    ("Enforcement Decree 39(2)", "B", 1),
    ("Enforcement Decree 39(3)", "B; the PIPC also demanded at least 30 days: R", 1),
    ("Enforcement Decree 40", "R; article number B", 1),
    ("Network Act 48-3", "24 h R; article number B", 1),
    ("GDPR 34(2)", "R", 1),
    ("GDPR 33(3)(b)", "R", 1),
    ("GDPR 33(3)(c)", "R", 1),
    ("GDPR 33(3)(d)", "R", 1),
    ("GDPR 34(1)", "R", 1),
    ("GDPR 34(3)(c)", "R", 1),
    ("GDPR 33(1)", "R", 1),
    ("EDPB Guidelines 9/2022", "B", 2),
    ("UK GDPR 34(2)", "R", 1),
    ("UK GDPR 33(3)(b)", "R", 1),
    ("UK GDPR 33(3)(c)", "R", 1),
    ("UK GDPR 33(3)(d)", "R", 1),
    ("UK GDPR 34(1)", "R", 1),
    ("UK GDPR 34(3)(c)", "R", 1),
    ("UK GDPR 33(1)", "R", 1),
    ("UK GDPR 34(2)", "B", 1),
    ("ICO guidance on personal data breaches", "B", 1),
    ("Civ. Code 1798.82(d)(1)", "R", 4),
    ("Civ. Code 1798.82(d)(2)", "R", 7),
    ("Civ. Code 1798.82(a)", "R", 1),
    ("Civ. Code 1798.82(f)", "R; subdivision B", 1),
    ("Civ. Code 1798.82(j)", "R; subdivision B", 1),
    ("45 CFR 164.404(c)(1)(A)", "R", 1),
    ("45 CFR 164.404(c)(1)(B)", "R", 1),
    ("45 CFR 164.404(c)(1)(C)", "R", 1),
    ("45 CFR 164.404(c)(1)(D)", "R", 1),
    ("45 CFR 164.404(c)(1)(E)", "R", 1),
    ("45 CFR 164.404(c)(1)(A)-(E)", "R", 1),
    ("45 CFR 164.406", "R", 1),
    ("45 CFR 164.408", "R", 1),
    ("45 CFR 164.404(c)(2)", "R", 1),
    ("45 CFR 164.404(c)(2)", "B", 1),
    ("Privacy Act 26WK(3)", "B", 1),
    ("APPI 26(2)", "B", 1),
    ("PDPA 26D(2)", "B", 1),
    ("Privacy Act 26WK(3)(a)", "R", 1),
    ("Privacy Act 26WK(3)(b)", "R", 1),
    ("Privacy Act 26WK(3)(c)", "R", 1),
    ("Privacy Act 26WK(3)(d)", "R", 1),
    ("Privacy Act 26WL(2)(c)", "R", 1),
    ("Privacy Act 26WH", "R", 1),
    ("APPI 26 and Rules 7, 8, 10", "deadlines R; items and rule numbers B", 7),
    ("PDPA 26D(1)", "R", 1),
    ("NDB Regulations 2021 r6", "regulation R; items B", 6),
]


def test_the_duties_are_those_researched_with_their_marks_and_no_others():
    for article, mark, count in RESEARCHED:
        matching = [one for one in all_duties() if (one.article, one.mark) == (article, mark)]
        assert len(matching) == count, (article, mark)
    assert sum(count for _article, _mark, count in RESEARCHED) == len(all_duties())


def test_every_duty_is_complete_in_both_languages():
    hangul = re.compile("[가-힣]")
    for one in all_duties():
        texts = [one.law, one.name, one.hint] + ([one.trigger.condition] if one.trigger else [])
        for text in filter(None, texts):
            assert text.get("ko")
            assert hangul.search(text.get("ko")) or text is one.law
            assert text.get("en")
            # An English text may name the Korean word that a notice must use.
            assert not hangul.search(text.get("en").replace("유출", ""))


def test_duties_without_a_verified_source_never_block():
    for one in all_duties():
        if one.mark == "B" or "items B" in one.mark or "items and" in one.mark:
            assert one.severity == Severity.WARN or one.deadline_days, one.id


def test_the_lint_rules_that_duties_name_exist():
    for one in all_duties():
        assert set(one.lint) <= RULES.keys(), one.id


def test_every_duty_and_rule_is_in_the_document():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert "not legal advice" in text.lower()
    for one in all_duties():
        row = next((line for line in text.splitlines() if f"`{one.id}`" in line), "")
        assert one.article in row, one.id
        assert one.mark in row, one.id
        assert f"| {one.severity.value} |" in row, one.id
    for rule in RULES:
        assert f"`{rule}`" in text, rule


def test_every_file_says_that_it_is_no_legal_advice():
    for path in laws.LEGAL.glob("*.toml"):
        head = path.read_text(encoding="utf-8").partition("[law]")[0]
        assert "Not legal advice" in head, path.name


LAW = """
[law]
jurisdiction = "XX"
name.en = "Act"
name.ko = "법"
"""
DUTY = """
[[duty]]
id = "xx-one"
article = "1"
name.en = "One"
name.ko = "하나"
kind = "content"
sections = ["data_items"]
severity = "block"
source = "Act, section 1"
mark = "R"
"""
TRIGGER = '[duty.trigger]\ncondition.en = "If"\ncondition.ko = "만일"\n'


def loaded(folder: Path, text: str) -> tuple[Duty, ...]:
    (folder / "xx.toml").write_text(text, encoding="utf-8")
    return load_duties(folder)


def test_a_good_file_loads(tmp_path):
    (one,) = loaded(tmp_path, LAW + DUTY + TRIGGER + "people_at_least = 500\n")
    assert (one.id, one.jurisdiction, one.sections) == ("xx-one", "XX", ("data_items",))
    assert one.trigger is not None
    assert one.trigger.people_at_least == 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAW, "xx.toml: it holds no duty; add one under [[duty]]."),
        (DUTY, "xx.toml, [law]: it is missing or no table; write it as one."),
        (LAW + "[[duty", "xx.toml: it is not TOML"),
        (LAW + DUTY + DUTY, "xx.toml, duty xx-one: the id is taken; give each duty its own."),
        (LAW + DUTY + 'artcile = "1"', "xx.toml, duty xx-one: unknown key “artcile”; known are"),
        (LAW + DUTY + 'standing = "voluntary"', "xx-one: unknown key “standing”"),
        (LAW + DUTY + "is_certain = false", "xx-one: unknown key “is_certain”"),
        (LAW + "note = 1\n" + DUTY, "xx.toml, [law]: unknown key “note”"),
        (LAW + DUTY + "[other]\na = 1", "xx.toml: unknown key “other”"),
        (LAW + DUTY.replace("id =", "#"), "xx.toml, duty number 1: “id” is missing; add it."),
        (LAW + DUTY.replace("mark =", "#"), "xx-one: “mark” is missing; add it."),
        (LAW + DUTY.replace("name.ko =", "#"), "xx-one, “name.ko” is missing; add it."),
        (LAW + DUTY + 'hint.en = "x"', "xx-one, “hint.ko” is missing; add it."),
        (LAW + DUTY.replace('"R"', '"sure"'), "xx-one: “mark” is 'sure'; it must say R"),
        (LAW + DUTY.replace('"R"', '" "'), "xx-one: “mark” is ' '; it must be a text."),
        (LAW + DUTY.replace('"block"', '"stop"'), "it must be one of block, warn."),
        (LAW + DUTY.replace('"content"', '"text"'), "it must be one of content, deadline, report"),
        (LAW + DUTY.replace('"data_items"', '"data"'), "xx-one: there is no section “data”"),
        (LAW + DUTY.replace('["data_items"]', "1"), "“sections” is 1; it must be a list of texts."),
        (LAW + DUTY.replace("sections =", "#"), "xx-one: content says what satisfies it"),
        (LAW + DUTY + 'languages = ["Korean"]', "which is no language code"),
        (LAW + DUTY + "deadline_days = 3", "xx-one: a deadline or report has"),
        (LAW + DUTY + "deadline_days = true", "“deadline_days” is True; it must be a whole number"),
        (LAW + DUTY + "deadline_days = 0", "“deadline_days” is 0; it must be 1 or more."),
        (LAW + DUTY + 'effective_from = "2026"', "“effective_from” is '2026'; it must be a date."),
        (LAW + DUTY + "effective_from = 2026-01-01T00:00:00", "it must be a date."),
        (
            LAW + DUTY + "effective_from = 2026-01-02\neffective_to = 2026-01-01",
            "“effective_to” is before “effective_from”; exchange them.",
        ),
        (LAW + DUTY + "by_hand = true", "xx-one: what a person has to see needs a “hint”"),
        (LAW + DUTY + "font_points = 10", "belong to the kind display; move them."),
        (LAW + DUTY + TRIGGER, "xx-one, trigger: nothing sets it off; add a part"),
        (LAW + DUTY + TRIGGER + "people = 1", "xx-one, trigger: unknown key “people”"),
        (LAW + DUTY + "[duty.trigger]\nask = true", "xx-one, trigger: “condition” is missing"),
        (
            LAW
            + DUTY.replace('"content"', '"report"').replace("sections =", "deadline_days = 3 #"),
            "xx-one: a clock cannot block a notice",
        ),
    ],
)
def test_a_broken_file_gets_one_line_with_place_and_correction(tmp_path, text, message):
    with pytest.raises(LegalFileError) as refusal:
        loaded(tmp_path, text)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("xx.toml")


def test_a_folder_without_laws_is_refused(tmp_path):
    with pytest.raises(LegalFileError, match="there is no file of duties"):
        load_duties(tmp_path)


# ---------------------------------------------------------------- what applies


def test_korea_asks_for_rights_and_remedies_from_11_september_2026():
    assert "kr-pipa-rights-and-remedies" not in in_korea(on=AMENDED - timedelta(days=1))
    assert "kr-pipa-rights-and-remedies" in in_korea(on=AMENDED)
    assert set(FIVE) == {
        key
        for one in in_korea(on=AMENDED - timedelta(days=1)).values()
        for key in one.sections
        if one.severity == Severity.BLOCK
    }


def test_the_last_day_of_a_law_is_its_own(tmp_path):
    text = LAW + DUTY + "effective_from = 2026-01-01\neffective_to = 2026-01-31\n"
    (one,) = loaded(tmp_path, text)
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [one.in_force(day) for day in days] == [False, True, True, False]


def test_only_the_incidents_jurisdictions_apply():
    found = applicable({"AU": "applies", "SG": "voluntary"}, facts=MODEL_CASE, on=NOVEMBER_2025)
    assert {one.jurisdiction for one in found} == {"AU", "SG"}
    assert {one.standing for one in found if one.jurisdiction == "SG"} == {"voluntary"}
    assert applicable({}, facts=MODEL_CASE, on=NOVEMBER_2025) == []


def test_an_unknown_standing_is_refused():
    with pytest.raises(ValueError, match="perhaps"):
        applicable({"KR": "perhaps"}, facts=MODEL_CASE, on=NOVEMBER_2025)


def test_an_unknown_jurisdiction_is_refused_and_not_ignored():
    with pytest.raises(UnknownJurisdictionError, match="KOREA"):
        applicable({"KOREA": "applies"}, facts=MODEL_CASE, on=NOVEMBER_2025)


@pytest.mark.parametrize(
    ("facts", "stands"),
    [
        (IncidentFacts(people=1_000, illegal_access=False), True),
        (IncidentFacts(people=999, illegal_access=False), False),
        (IncidentFacts(people=1, illegal_access=True), True),
        (IncidentFacts(people=1, illegal_access=None), None),
        (IncidentFacts(people=None, illegal_access=False), None),
        (IncidentFacts(people=1, illegal_access=False, classes={"names": 1}), False),
        (
            IncidentFacts(people=1, illegal_access=False, classes={"government-issued-ids": 3}),
            True,
        ),
        # A class of high severity is not "sensitive" by law; a person has to decide.
        (IncidentFacts(people=1, illegal_access=False, classes={"passwords": 3}), None),
        (
            IncidentFacts(
                people=1,
                illegal_access=False,
                classes={"passwords": 3},
                answers={"kr-decree-report-72h": False},
            ),
            False,
        ),
        (
            IncidentFacts(
                people=1,
                illegal_access=False,
                classes={"passwords": 3},
                answers={"kr-decree-report-72h": True},
            ),
            True,
        ),
    ],
)
def test_the_korean_report_is_due_by_number_class_or_illegal_access(facts, stands):
    found = in_korea(facts).get("kr-decree-report-72h")
    assert (found.is_certain or None if found else False) is stands


@pytest.mark.parametrize(
    ("facts", "stands"),
    [
        (IncidentFacts(residents={"US-CA": 501}), True),
        (IncidentFacts(residents={"US-CA": 500}), False),
        (IncidentFacts(people=500), False),
        (IncidentFacts(people=501), None),
        (IncidentFacts(people=10_000, residents={"US-CA": 3}), False),
        (IncidentFacts(), None),
    ],
)
def test_california_counts_its_own_residents(facts, stands):
    found = {
        one.id: one for one in applicable({"US-CA": "applies"}, facts=facts, on=NOVEMBER_2025)
    }.get("us-ca-attorney-general-15-days")
    assert (found.is_certain or None if found else False) is stands


def test_an_unanswered_question_warns_until_it_is_answered():
    def found(**answers: bool):
        facts = IncidentFacts(people=3, illegal_access=False, answers=answers)
        return in_korea(facts, on=AMENDED).get("kr-pipa-possible-leak")

    unanswered, yes = found(), found(**{"kr-pipa-possible-leak": True})
    assert unanswered is not None
    assert unanswered.current_severity == Severity.WARN
    assert yes is not None
    assert yes.current_severity == Severity.BLOCK
    assert found(**{"kr-pipa-possible-leak": False}) is None


# ---------------------------------------------------------------- what is missing


def missing(jurisdictions, sections, **options):
    found = applicable(jurisdictions, facts=MODEL_CASE, on=NOVEMBER_2025)
    return unmet_content(found, sections=sections, **{"languages": ["ko", "en"]} | options)


@pytest.mark.parametrize(
    ("jurisdiction", "language"), [("KR", "Korean"), ("JP", "Japanese"), ("US-CA", "English")]
)
def test_a_language_of_the_law_that_the_incident_lacks_is_named(jurisdiction, language):
    found = missing({jurisdiction: "applies"}, FIVE, languages=["de"])
    [finding] = [one for one in found if one.rule.endswith("-language")]
    with override("en"):
        assert str(finding.suggestion).startswith(f"Add {language} to the languages of the")
    assert not finding.blocks


@pytest.mark.parametrize("left_out", FIVE)
def test_a_missing_section_of_a_law_that_applies_blocks(left_out):
    found = missing({"KR": "applies"}, set(FIVE) - {left_out})
    (finding,) = [one for one in found if one.blocks]
    assert finding.section == left_out
    assert duty(finding.rule).sections == (left_out,)
    with override("en"):
        assert "PIPA 34(1)" in str(finding.why)
        assert str(Section.Key(left_out).label) in str(finding.suggestion)
    with override("ko"):
        assert "개인정보 보호법" in str(finding.why)


def test_a_complete_notice_meets_the_law():
    found = missing({"KR": "applies"}, FIVE)
    assert not any(one.blocks for one in found)
    assert {one.rule for one in found} == {"kr-decree-known-first"}
    assert missing({"KR": "applies"}, [*FIVE, "not_known_yet"]) == []


def test_a_law_followed_voluntarily_never_blocks():
    everywhere = dict.fromkeys(laws.jurisdictions(), "voluntary")
    found = missing(everywhere, [])
    assert found
    assert not any(one.blocks for one in found)
    with override("en"):
        assert any("followed voluntarily" in str(one.why) for one in found)


def test_a_duty_that_a_person_must_judge_warns_until_confirmed():
    sections = ["data_items", "when_and_how", "self_protection_steps", "measures_taken"]
    sections += ["department_and_contact"]
    found = missing({"US-HIPAA": "applies"}, sections)
    assert {one.rule for one in found} == {"hipaa-what-happened", "hipaa-contact"}
    assert not any(one.blocks for one in found)
    confirmed = [one.rule for one in found]
    assert missing({"US-HIPAA": "applies"}, sections, confirmed=confirmed) == []


def test_a_section_that_is_missing_is_not_asked_to_be_confirmed_too():
    found = missing({"US-HIPAA": "applies"}, [])
    assert len([one for one in found if one.rule == "hipaa-contact"]) == 1


def test_california_wants_its_title_and_five_headings():
    found = applicable({"US-CA": "applies"}, facts=MODEL_CASE, on=NOVEMBER_2025)
    assert prescribed_title(found) == {"en": "Notice of Data Breach"}
    headings = prescribed_headings(found)
    assert [heading.get("en") for heading in headings.values()] == [
        "What Happened",
        "What Information Was Involved",
        "What We Are Doing",
        "What You Can Do",
        "For More Information",
    ]
    bare = unmet_content(found, sections=headings)
    assert [one.rule for one in bare if one.blocks] == ["us-ca-title"] + ["us-ca-headings"] * 5
    assert {one.language for one in bare if one.blocks} == {"en"}
    laid_out = unmet_content(
        found,
        sections=headings,
        title=LocalizedText({"en": "Notice of data  breach"}),
        headings=[
            LocalizedText({"en": heading.get("en").upper()}) for heading in headings.values()
        ],
    )
    assert not any(one.blocks for one in laid_out)


def test_no_title_is_prescribed_where_no_law_does():
    found = applicable({"KR": "applies"}, facts=MODEL_CASE, on=NOVEMBER_2025)
    assert not prescribed_title(found)
    assert prescribed_headings(found) == {}


def test_an_uncertain_duty_does_not_repeat_the_finding_of_a_certain_one():
    found = unmet_content(in_korea(on=AMENDED).values(), sections=[])
    assert "kr-pipa-possible-leak" not in {one.rule for one in found}
    sections = [one.section for one in found]
    assert len(sections) == len(set(sections))


# ---------------------------------------------------------------- clocks and posting


def test_every_clock_of_the_model_case():
    clocks = {
        clock.duty.id: clock.due_at.astimezone(AWARE_AT.tzinfo)
        for clock in due_times(in_korea().values(), AWARE_AT)
    }
    assert clocks == {
        "kr-network-act-report-24h": datetime(2025, 11, 19, tzinfo=AWARE_AT.tzinfo),
        "kr-decree-notice-72h": datetime(2025, 11, 21, tzinfo=AWARE_AT.tzinfo),
        "kr-decree-report-72h": datetime(2025, 11, 21, tzinfo=AWARE_AT.tzinfo),
    }


def test_clocks_are_sorted_by_deadline():
    everywhere = dict.fromkeys(laws.jurisdictions(), "applies")
    found = applicable(everywhere, facts=MODEL_CASE, on=NOVEMBER_2025)
    clocks = due_times(found, AWARE_AT)
    assert clocks[0].duty.id == "kr-network-act-report-24h"
    assert clocks[-1].duty.id == "hipaa-secretary-60-days"
    assert [clock.due_at for clock in clocks] == sorted(clock.due_at for clock in clocks)


def test_72_hours_are_72_hours_when_summer_time_begins():
    london = ZoneInfo("Europe/London")
    aware_at = datetime(2026, 3, 27, 12, tzinfo=london)
    (clock,) = due_times([duty("gdpr-report-72h")], aware_at)
    assert clock.due_at.astimezone(london) == datetime(2026, 3, 30, 13, tzinfo=london)
    assert clock.due_at - aware_at.astimezone(UTC) == timedelta(hours=72)


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        due_times(all_duties(), datetime(2025, 11, 18))  # noqa: DTZ001


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.times(), st.timezones())
def test_no_clock_stops_before_its_time(day, time, zone):
    aware_at = datetime.combine(day, time, zone)
    for clock in due_times(all_duties(), aware_at):
        assert clock.due_at - aware_at.astimezone(UTC) == clock.duty.time_allowed()


def test_the_notice_stays_up_for_30_days_in_korea_unless_every_contact_is_known():
    def days(contact_unknown: bool | None) -> int:
        return posting_days(in_korea(IncidentFacts(contact_unknown=contact_unknown)).values())

    assert [days(True), days(None), days(False)] == [30, 30, 0]


def test_a_law_followed_voluntarily_asks_for_no_posting_time():
    found = applicable({"US-CA": "voluntary"}, facts=MODEL_CASE, on=NOVEMBER_2025)
    assert "us-ca-website-30-days" in ids(found)
    assert posting_days(found) == 0
