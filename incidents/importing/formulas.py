"""Cells that a spreadsheet would run, made harmless, and given back as they were."""

# A spreadsheet runs what begins with one of these (full-width ones too, in Korean and Japanese).
# The apostrophe itself is among them, so that taking one away always gives back what stood there.
_NEUTRALISED = tuple("=+-@\t\r\n＝＋－＠'")


def neutralised(cell: str) -> str:
    """The cell as no spreadsheet will run it."""
    return f"'{cell}" if cell.startswith(_NEUTRALISED) else cell


def restored(cell: str) -> str:
    """What `neutralised` was given."""
    return cell.removeprefix("'")
