"""A small mapping makes neither a file nor the memory of the portal many times larger."""

import os
import subprocess
import sys
import time
import tracemalloc

import pytest

from incidents.importing import mapping, mapping_limits
from incidents.importing.cell_fillers import filler
from incidents.importing.formats.base import MAX_ROW_BYTES
from incidents.importing.reading import ImportRefusedError
from incidents.initial_data_classes import DATA_CLASSES
from tests.importing.test_mapping import GOOD, ROOT

SIZE = 60_000  # characters, about the largest mapping that the desk takes
MOST_BYTES = 100_000_000
MOST_SECONDS = 3
SLUGS = {str(data_class["slug"]): str(data_class["slug"]) for data_class in DATA_CLASSES}
LEAKED = '[[leaked]]\nclass = "z{number}"\nvalue = "{{c{number}}}"\n'

HOSTILE = {
    "a column in a value 6,000 times": GOOD.replace("{postcode}", "{postcode}" * 6_000),
    "a long text in a value": GOOD.replace("{postcode}", "x" * SIZE + "{postcode}"),
    "a column as an address 6,000 times": GOOD.replace(
        'email = "email"', "email = [" + '"email",' * 6_000 + "]"
    ),
    "5,000 formats of a date": GOOD.replace('"date"\n', "[" + '"%d/%m/%Y",' * 5_000 + "]\n", 1),
    "a format with one part again and again": GOOD.replace('"date"', f'"{"%d" * (SIZE // 2)}"'),
    "a dotted key": "a." * (SIZE // 2) + "a = 1",
    "a quoted dotted key": "'a' . " * (SIZE // 6) + "a = 1",
    "a dotted table": "[" + "a." * (SIZE // 2) + "a]",
    "lists in lists": "a = " + "[" * SIZE,
    "tables in tables": "a = " + "{a = " * (SIZE // 5),
    "a number of 60,000 digits": "a = " + "9" * SIZE,
    "unknown keys": "".join(f"k{number} = 1\n" for number in range(SIZE // 10)),
    "unknown classes": GOOD + "".join(LEAKED.format(number=number) for number in range(1_500)),
    "leaks without anything": GOOD + "[[leaked]]\n" * (SIZE // 11),
    "more than a mapping needs": GOOD + "#" * mapping_limits.MOST_CHARACTERS,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mapping_is_refused_with_little_memory_and_time(name):
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(ImportRefusedError) as refused:
            mapping.parse(HOSTILE[name], name="map.toml").check_classes(SLUGS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert time.process_time() - began < MOST_SECONDS
    assert str(refused.value).startswith("map.toml")


def test_the_first_faults_are_named_and_that_there_are_more():
    with pytest.raises(ImportRefusedError) as refused:
        mapping.parse(HOSTILE["unknown keys"], name="map.toml")
    assert str(refused.value).count("unknown key") == mapping_limits.MOST_FAULTS - 1
    assert str(refused.value).endswith("there are more faults; correct these first")


def test_a_column_may_be_used_ten_times_and_no_more():
    value = "{postcode}" * (mapping_limits.MOST_USES - 1)
    mapping.parse(GOOD.replace("{postcode}", value), name="map.toml")
    text = GOOD.replace("{postcode}", value + "{postcode}")
    mapping.parse(text, name="map.toml")
    with pytest.raises(ImportRefusedError, match="column postcode is used more than 10 times"):
        mapping.parse(text.replace("{address2}", "{postcode}"), name="map.toml")


def test_the_largest_value_of_the_largest_row_needs_little_memory():
    value = "{note}" * mapping_limits.MOST_USES
    text = GOOD.replace("{postcode} {address1}, {address2}", value)
    (leak,) = mapping.parse(text, name="map.toml").leaked
    tracemalloc.start()
    filled = filler(leak.value, {"note": 0})(["가" * (MAX_ROW_BYTES // 3)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(filled.encode()) <= mapping_limits.MOST_USES * MAX_ROW_BYTES
    assert peak < MOST_BYTES


def test_a_process_that_reads_every_hostile_mapping_stays_small():
    """The whole process is measured, with what Python's own accounts do not count."""
    code = (
        "import resource, django; django.setup()\n"
        "from contextlib import suppress\n"
        "from tests.importing.test_mapping_limits import HOSTILE, SLUGS, mapping\n"
        "from tests.importing.test_mapping_limits import ImportRefusedError\n"
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for text in HOSTILE.values():\n"
        "    with suppress(ImportRefusedError):\n"
        "        mapping.parse(text, name='m').check_classes(SLUGS)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) * 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "breachportal.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < MOST_BYTES
