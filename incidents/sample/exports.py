"""The exports of the sample incidents.

The model case has its files in `export-2025-11/`. Those of the invented samples are written by
code: the same bytes on each call.
"""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from incidents.sample import eu_retailer, japan_retailer, us_pharmacy

HERE = Path(__file__).parent
MODEL_CASE = {
    "members.csv": "members.toml",
    "addresses.csv": "addresses.toml",
    "orders.csv.gz": "orders.toml",
}
_WRITERS = {
    "eu-retailer": eu_retailer,
    "japan-retailer": japan_retailer,
    "us-pharmacy": us_pharmacy,
}


class ExportFile(NamedTuple):
    """One file of an export, and the file of its mapping."""

    path: Path
    mapping: Path


def of_sample(slug: str, folder: Path) -> list[ExportFile]:
    """Returns the files of a sample's export in the order of import.

    `slug` is the incident's. `folder` is where files that code writes are stored.
    """
    if slug in _WRITERS:
        return _write(slug, folder / slug)
    return [
        ExportFile(HERE / "export-2025-11" / name, HERE / mapping)
        for name, mapping in MODEL_CASE.items()
    ]


def _write(slug: str, folder: Path) -> list[ExportFile]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found, dialects = [], _WRITERS[slug].DIALECTS
    for name, rows in _WRITERS[slug].files().items():
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=dialects[name].separator).writerows(rows)
        path = folder / name
        path.write_bytes(text.getvalue().encode(dialects[name].encoding))
        found.append(ExportFile(path, HERE / slug / f"{path.stem}.toml"))
    return found
