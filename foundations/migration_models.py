"""Creates the models of a migration in one operation, so that Django renders them once.

Django makes classes of all models that a new model is related to, again for each new model. Almost
every model is related to the user, so this took five sixths of the time of a migration of an empty
database.
"""

from collections.abc import Sequence
from itertools import groupby

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateModels(Operation):
    """A migration operation that creates several models, one table after another."""

    def __init__(self, models: Sequence[Operation]) -> None:
        self._models = models

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Adds the models to `state`, which makes its classes at their next use."""
        vars(state).pop("apps", None)
        for model in self._models:
            model.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Creates the tables."""
        for model in self._models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drops the tables, the last one first."""
        for model in reversed(self._models):
            model.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Returns what is said of each model."""
        return ", ".join(model.describe() for model in self._models)


def created_together(operations: Sequence[Operation]) -> list[Operation]:
    """Returns `operations` with one operation for models that are created one after another."""
    together: list[Operation] = []
    for is_model, group in groupby(operations, lambda one: isinstance(one, CreateModel)):
        found = list(group)
        together += [CreateModels(found)] if is_model else found
    return together
