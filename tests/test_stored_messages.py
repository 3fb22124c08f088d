"""What is kept in English is shown in the reader's language: every sentence of every table."""

import ast
import json
import re
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext_noop as _

from foundations.keys import EncryptionMessages
from foundations.stored_messages import StoredMessages, translate_stored
from incidents.importing import refusals
from incidents.importing.refusals import RefusalMessages, RejectMessages
from notices import ledger_messages
from notices.admin import history
from notices.ledger_messages import LedgerMessages
from notices.models import Suppression
from statements.withdrawal_reasons import WithdrawalMessages
from tests.korean_messages import HANGUL, in_korean

ROOT = Path(__file__).parent.parent
APPS = ("foundations", "accounts", "incidents", "statements", "notices", "scams", "breachportal")
TABLES = (
    RefusalMessages,
    RejectMessages,
    LedgerMessages,
    history.HistoryMessages,
    EncryptionMessages,
    WithdrawalMessages,
)
SLOT = re.compile(r"\{(\w+)\}")
# What says why: its words must stand in a table, or come from outside.
SAYS_WHY = {
    *("ImportRefusedError", "ScopeRefusedError", "IncidentBusyError", "RowRejectedError"),
    *("EncryptionError", "KeysetShreddedError", "UnusableAddressError"),
    *("ServerUnavailableError", "SenderRefusedError", "LostError"),
    *("RequestUnavailableError", "AccountRefusedError"),
    *("Reply", "Transition"),
}


def slots_of(sentence: StoredMessages) -> dict[str, str]:
    """Something for each slot, as unlike the sentence as names and servers' words are."""
    names = SLOT.findall(sentence.value.replace("{{", "").replace("}}", ""))
    return {name: f"값{number}.csv" for number, name in enumerate(dict.fromkeys(names))}


def own_letters(sentence: StoredMessages) -> bool:
    return re.search("[a-z]{2}", SLOT.sub("", sentence.value)) is not None


@pytest.mark.parametrize("sentence", [one for table in TABLES for one in table], ids=str)
def test_every_sentence_is_shown_in_korean(sentence):
    slots = slots_of(sentence)
    kept = sentence.stored(**slots)

    with translation.override("ko"):
        translated = translation.gettext(sentence.value).format(**slots)
        assert translate_stored(kept, type(sentence)) == translated
    with translation.override("en"):
        assert translate_stored(kept, type(sentence)) == kept
    if own_letters(sentence):
        assert HANGUL.search(translated.replace("값", ""))
        assert translated != kept


def test_no_table_is_left_out():
    assert {
        table for table in StoredMessages.__subclasses__() if table.__module__ != __name__
    } == set(TABLES)


class Sample(StoredMessages):
    """A table whose words are translated elsewhere."""

    PAUSED = _("paused")
    BY = _("{who}: {state_words}")
    ASKED = _("paused by {who}, who said {who}")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("paused", "일시 중지"),
        ("Minji: paused", "Minji: 일시 중지"),
        ("paused: {0} %s", "paused: {0} %s"),  # who it was is nobody's to translate
        ("550 5.1.1 paused", "550 5.1.1 paused"),
        ("550: no", "550: no"),
        ("", ""),
    ],
)
def test_only_whole_sentences_are_ours(kept, told):
    with translation.override("ko"):
        assert translate_stored(kept, Sample) == told


def test_a_slot_that_stands_twice_holds_the_same():
    with translation.override("en"):
        assert (
            translate_stored("paused by Minji, who said Minji", Sample)
            == "paused by Minji, who said Minji"
        )


def words_in(call: ast.Call) -> list[str]:
    """Letters of our own in a call's arguments, those of `said` (names and the like) left out."""
    found: list[str] = []
    left: list[ast.AST] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while left:
        node = left.pop()
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("said", "join"):
            continue
        if isinstance(node, ast.Constant) and re.search("[a-z]", str(node.value)):
            found.append(str(node.value))
        left += ast.iter_child_nodes(node)
    return [words for words in found if words not in ("True", "False", "None")]


def test_whatever_says_why_takes_its_words_from_a_table():
    seen = set()
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            if name in SAYS_WHY:
                seen.add(name)
                assert not words_in(node), f"{path}:{node.lineno}"
    assert seen == SAYS_WHY


def test_every_reason_that_the_sample_export_is_rejected_for_is_shown_in_korean():
    sample = ROOT / "incidents" / "sample" / "export-2025-11" / "expected.json"
    files = json.loads(sample.read_text(encoding="utf-8"))
    reasons = {reason for file in files.values() for _line, reason in file.get("rejected", ())}

    assert len(reasons) > 3
    for reason in reasons:
        in_korean(reason, refusals.translate_reject)


@pytest.mark.parametrize("source", Suppression.Source.values)
def test_every_reason_to_hold_back_is_shown_in_korean(source):
    kept = LedgerMessages.HELD_BACK.stored(source_words=source)

    assert source not in in_korean(kept, ledger_messages.translate_ledger_message)
