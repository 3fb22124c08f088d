"""docs/how-to/add-a-channel.md names every file that has a rule for a channel, and no other."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from notices.models import Notice

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-channel.md").read_text(encoding="utf-8")
PLACES = re.findall(r"^\| `(.+?)` \| .+ \|$", PAGE, re.MULTILINE)
# A channel by its enum member, or by its value in a comparison of a template or form.
VALUES = "|".join(Notice.Channel.values)
RULE = re.compile(rf"Notice\.Channel\b|\bREACH\b|channel\b.{{0,20}} [!=]= ['\"](?:{VALUES})['\"]")
# These files use the channel of a scam report, which is another list of values.
OTHERS = ("scams/*",)


def files_with_a_rule() -> list[str]:
    """Returns the production modules and templates that have a rule for one channel."""
    apps = ("statements", "notices", "scams", "breachportal", "templates")
    files = [path for app in apps for path in (ROOT / app).rglob("*.*")]
    files = [path for path in files if path.suffix in (".py", ".html", ".txt", ".sql")]
    found = [path for path in files if RULE.search(path.read_text(encoding="utf-8"))]
    names = [str(path.relative_to(ROOT)) for path in found if "migrations" not in path.parts]
    return [name for name in names if not any(fnmatch(name, other) for other in OTHERS)]


def test_the_rules_are_found():
    assert {"notices/models/notice.py", "notices/engine/send_loop.py"} <= set(files_with_a_rule())
    assert "templates/admin/notices/notice/export.html" in files_with_a_rule()


@pytest.mark.parametrize("file", files_with_a_rule())
def test_the_page_names_each_file_with_a_rule(file):
    assert any(fnmatch(file, place) for place in PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_each_place_of_the_page_exists(place):
    assert list(ROOT.glob(place))


def test_the_names_of_the_page_are_in_its_files():
    for name, file in re.findall(r"`(\w+)` (?:in|of) `([\w/]+\.py)`", PAGE):
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8"))
    for name in ("REACH", "transport_of", "Transport"):
        assert f"`{name}`" in PAGE
        places = [path for place in PLACES for path in ROOT.glob(place)]
        assert any(re.search(rf"\b{name}\b", path.read_text("utf-8")) for path in places)


def test_a_value_fits_the_column():
    [length] = map(int, re.findall(r"its value has at most (\d+) characters", PAGE))
    assert Notice._meta.get_field("channel").max_length == length
