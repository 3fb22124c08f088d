"""Makes cells harmless that a spreadsheet would run as formulas, and restores them."""

# A spreadsheet runs a cell that begins with one of these, also the full-width forms in Korean and
# Japanese versions. The apostrophe is included, so that removing one always restores the cell.
_NEUTRALISED = tuple("=+-@\t\r\n＝＋－＠'")


def neutralised(cell: str) -> str:
    """Returns the cell with an apostrophe before it, if a spreadsheet could run it as a formula."""
    return f"'{cell}" if cell.startswith(_NEUTRALISED) else cell


def restored(cell: str) -> str:
    """Returns the original of a cell that `neutralised` returned."""
    return cell.removeprefix("'")
