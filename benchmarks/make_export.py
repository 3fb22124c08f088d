"""Writes a synthetic export of any size; see docs/synthetic-exports.md.

python -m benchmarks.make_export /srv/trial --people 1000000
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.synthetic.blocks import FILES, Plan
from benchmarks.synthetic.export import write_export
from benchmarks.synthetic.sample_values import PHONE_NUMBERS

MOST_ADDRESSES = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the export and prints the rows of each file.

    Exits with a message of one line if the directory is not usable or a write fails.
    """
    options = _parser().parse_args(arguments)
    directory: Path = options.directory
    if directory.exists() and not directory.is_dir():
        raise SystemExit(f"{directory}: is a file; name a directory")
    if directory.is_dir() and any(directory.iterdir()):
        raise SystemExit(f"{directory}: is not empty; name another directory")
    plan = Plan(
        people=options.people,
        addresses_per_person=options.addresses_per_person,
        seed=options.seed,
    )
    try:
        written = write_export(directory, plan, files=options.files, processes=os.cpu_count() or 1)
    except OSError as error:
        raise SystemExit(f"{error.filename or directory}: {error.strerror}") from None
    for file, tally in written.items():
        size = (directory / f"{file}.csv").stat().st_size
        print(f"{file}.csv: {tally.rows:,} rows, {size / 1e6:,.1f} MB.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_export", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--people", type=_people, required=True, metavar="N", help="as 1000000")
    parser.add_argument("--addresses-per-person", type=_mean, default=4.4, metavar="MEAN")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other people")
    parser.add_argument(
        "--files", type=_files, default=FILES, metavar="A,B", help=f"of {','.join(FILES)}"
    )
    return parser


def _people(text: str) -> int:
    people = int(text.replace("_", "").replace(",", ""))
    if not 1 <= people <= PHONE_NUMBERS:
        raise argparse.ArgumentTypeError(
            f"1 to {PHONE_NUMBERS:,}, as there are no more mobile numbers"
        )
    return people


def _mean(text: str) -> float:
    mean = float(text)
    if not 0 < mean <= MOST_ADDRESSES:
        raise argparse.ArgumentTypeError(
            f"more than 0 and at most {MOST_ADDRESSES}; to have none, leave the file out"
        )
    return mean


def _files(text: str) -> tuple[str, ...]:
    names = {name.strip() for name in text.split(",")}
    if unknown := names - set(FILES):
        raise argparse.ArgumentTypeError(
            f"no such file: {', '.join(sorted(unknown))}; there are {', '.join(FILES)}"
        )
    return tuple(name for name in FILES if name in names)


if __name__ == "__main__":
    main()
