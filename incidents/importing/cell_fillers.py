"""Functions that read the value of a template from the list of cells of a row."""

from collections.abc import Callable, Sequence

from incidents.importing.cell_templates import CellTemplate


def index_of_only(templates: Sequence[CellTemplate], place: dict[str, int]) -> int:
    """Returns the index of the one cell that is a contact as it is; -1 if there is no such one."""
    columns = [template.only_column for template in templates]
    return place[columns[0]] if len(columns) == 1 and columns[0] else -1


def filler(template: CellTemplate, place: dict[str, int]) -> Callable[[Sequence[str]], str]:
    """Returns a function that does what `template.fill` does, for the list of cells of a row.

    It is faster, because it finds a cell by its index.
    """
    pieces = [(literal, literal.lstrip(" ,;/"), place[name]) for literal, name in template.pieces]
    tail = template.tail
    if len(pieces) == 1 and not tail and not pieces[0][1]:
        only = pieces[0][2]
        return lambda cells: "" if (cell := cells[only]).isspace() else cell

    def fill(cells: Sequence[str]) -> str:
        value = ""
        for literal, first_literal, number in pieces:
            cell = cells[number]
            if cell and not cell.isspace():
                value += (literal if value else first_literal) + cell
        return value + tail if value else ""

    return fill


def contact_filler(template: CellTemplate, place: dict[str, int]) -> Callable[[Sequence[str]], str]:
    """Returns a function that does what `template.fill_contact` does, for the cells of a row."""
    if template.only_column:
        return filler(template, place)
    places = {column: place[column] for column in template.columns()}
    return lambda cells: template.fill_contact({one: cells[at] for one, at in places.items()})
