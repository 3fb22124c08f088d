"""The delivery states are listed once, and everything derived agrees with the list."""

import re
from pathlib import Path

import pytest

from notices.engine import journal, planning
from notices.models import Chunk, Delivery, Notice
from notices.models.states import END_STATES, WAITING_STATES, in_sql, sum_of_counters

ROOT = Path(__file__).parents[2]


def test_every_state_waits_or_ends():
    waiting = {state.value for state in WAITING_STATES}
    assert waiting | set(END_STATES) == set(Delivery.State.values)
    assert not waiting & set(END_STATES)


@pytest.mark.parametrize("model", [Notice, Chunk])
def test_each_end_state_has_a_counter(model):
    columns = {field.name for field in model._meta.get_fields()}
    assert set(END_STATES) <= columns


def test_the_sum_names_each_counter_once():
    assert str(sum_of_counters()) == " + ".join(f"F({name})" for name in END_STATES)


def test_the_ledgers_sql_counts_each_end_state():
    for name in END_STATES:
        assert f"count(*) FILTER (WHERE state = '{name}') AS {name}" in journal._JOURNAL
        assert f"{name} = c.{name} + coalesce(n.{name}, 0)" in journal._JOURNAL
    assert f"d.state IN ({in_sql(WAITING_STATES)})" in journal._JOURNAL


def test_no_module_lists_the_end_states_again():
    """Four state names as strings in one module count as a second list; labels do not count."""
    quoted = {name: (f'"{name}"', f"'{name}'") for name in END_STATES}
    for path in (ROOT / "notices").rglob("*.py"):
        if "migrations" in path.parts or path.name == "states.py":
            continue
        text = re.sub(r"_\(.*?\)", "", path.read_text())
        found = [name for name, forms in quoted.items() if any(form in text for form in forms)]
        assert len(found) < 4, f"{path.name}: {found}"
    assert "{counters}" in planning._WRITE_PAGE
