"""Every sentence that is stored in English is shown in the reader's language."""

import ast
import json
import re
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext_noop as _

from breachportal.doctor.messages import DoctorMessages
from foundations.keys import EncryptionMessages
from foundations.stored_messages import StoredMessages, translate_stored
from incidents.importing.profile_report import ProfileMessages
from incidents.importing.refusals import RefusalMessages
from incidents.importing.row_messages import CellMessages, RejectMessages, translate_reject
from notices import ledger_messages
from notices.admin import history
from notices.ledger_messages import LedgerMessages, ResendMessages
from notices.models import Suppression
from statements.withdrawal_reasons import WithdrawalMessages
from tests.korean_messages import HANGUL, in_korean

ROOT = Path(__file__).parents[2]
APPS = (
    "foundations",
    "accounts",
    "incidents",
    "statements",
    "notices",
    "offers",
    "tickets",
    "scams",
    "breachportal",
)
TABLES = (
    RefusalMessages,
    RejectMessages,
    CellMessages,
    LedgerMessages,
    ResendMessages,
    history.HistoryMessages,
    EncryptionMessages,
    WithdrawalMessages,
    ProfileMessages,
    DoctorMessages,
)
SLOT = re.compile(r"\{(\w+)\}")
# Classes that carry a reason: its text must be a stored message, or come from outside.
WITH_A_REASON = {
    *("ImportRefusedError", "ScopeRefusedError", "IncidentBusyError", "RowRejectedError"),
    *("EncryptionError", "KeysetShreddedError", "UnusableAddressError"),
    *("ServerUnavailableError", "SenderRefusedError", "LostError"),
    *("RequestUnavailableError", "AccountRefusedError"),
    *("Reply", "Transition"),
}


def slots_of(sentence: StoredMessages) -> dict[str, str]:
    """Returns a text for each slot that differs from the sentence, as names do."""
    names = SLOT.findall(sentence.value.replace("{{", "").replace("}}", ""))
    return {name: f"값{number}.csv" for number, name in enumerate(dict.fromkeys(names))}


def has_english(sentence: StoredMessages) -> bool:
    return re.search("[a-z]{2}", SLOT.sub("", sentence.value)) is not None


def is_shown_in_korean(sentence: StoredMessages) -> bool:
    slots = slots_of(sentence)
    stored = sentence.stored(**slots)
    with translation.override("en"):
        is_itself = translate_stored(stored, type(sentence)) == stored
    with translation.override("ko"):
        translated = translation.gettext(sentence.value).format(**slots)
        is_found = translate_stored(stored, type(sentence)) == translated
    is_korean = translated != stored and HANGUL.search(translated.replace("값", "")) is not None
    return is_itself and is_found and (is_korean or not has_english(sentence))


@pytest.mark.parametrize("table", TABLES)
def test_every_sentence_is_shown_in_korean(table):
    assert [sentence for sentence in table if not is_shown_in_korean(sentence)] == []


def test_every_table_of_stored_messages_is_tested():
    assert {
        table for table in StoredMessages.__subclasses__() if table.__module__ != __name__
    } == set(TABLES)


class Sample(StoredMessages):
    """Stored messages that have translations already."""

    PAUSED = _("paused")
    BY = _("{who}: {state_words}")
    ASKED = _("paused by {who}, who said {who}")


@pytest.mark.parametrize(
    ("stored", "translated"),
    [
        ("paused", "일시 중지"),
        ("Minji: paused", "Minji: 일시 중지"),
        ("paused: {0} %s", "paused: {0} %s"),  # text after the message is not translated
        ("550 5.1.1 paused", "550 5.1.1 paused"),
        ("550: no", "550: no"),
        ("", ""),
    ],
)
def test_only_whole_sentences_are_translated(stored, translated):
    with translation.override("ko"):
        assert translate_stored(stored, Sample) == translated


def test_a_slot_that_occurs_twice_has_one_value():
    with translation.override("en"):
        assert (
            translate_stored("paused by Minji, who said Minji", Sample)
            == "paused by Minji, who said Minji"
        )


def words_in(call: ast.Call) -> list[str]:
    """Returns the English strings in a call's arguments, except inside `stored` and `join`."""
    found: list[str] = []
    left: list[ast.AST] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while left:
        node = left.pop()
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("stored", "join"):
            continue
        if isinstance(node, ast.Constant) and re.search("[a-z]", str(node.value)):
            found.append(str(node.value))
        left += ast.iter_child_nodes(node)
    return [words for words in found if words not in ("True", "False", "None")]


def test_every_reason_in_code_is_a_stored_message():
    seen = set()
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            if name in WITH_A_REASON:
                seen.add(name)
                assert not words_in(node), f"{path}:{node.lineno}"
    assert seen == WITH_A_REASON


def test_every_reason_that_the_sample_export_is_rejected_for_is_shown_in_korean():
    sample = ROOT / "incidents" / "sample" / "export-2025-11" / "expected.json"
    files = json.loads(sample.read_text(encoding="utf-8"))
    reasons = {reason for file in files.values() for _line, reason in file.get("rejected", ())}

    assert len(reasons) > 3
    for reason in reasons:
        in_korean(reason, translate_reject)


@pytest.mark.parametrize("source", Suppression.Source.values)
def test_every_reason_for_suppression_is_shown_in_korean(source):
    stored = LedgerMessages.HELD_BACK.stored(source_words=source)

    assert source not in in_korean(stored, ledger_messages.translate_ledger_message)
