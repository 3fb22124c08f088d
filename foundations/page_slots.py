"""Slots: places in a lower app's page that the apps above it fill.

A template of `incidents` cannot link to a view of `notices`, because it does not know that app.
It names a slot instead, `{% slot "my_data_leaked" %}`, and `notices` registers a template for it
in its `AppConfig.ready`.
"""

from collections import defaultdict

from django.template import Context, Library
from django.utils.safestring import SafeString, mark_safe

register = Library()
_templates: defaultdict[str, list[str]] = defaultdict(list)


def fill(slot: str, template: str) -> None:
    """Registers `template` (its name) for `slot`. Registering it again changes nothing."""
    if template not in _templates[slot]:
        _templates[slot].append(template)


def filled() -> dict[str, list[str]]:
    """Returns the names of the registered templates by slot, in the order of registration."""
    return dict(_templates)


@register.simple_tag(takes_context=True)
def slot(context: Context, name: str) -> SafeString:
    """Renders the slot's templates with the page's own context; nothing if there are none."""
    engine = context.template.engine  # type: ignore[union-attr]  # set while a template renders
    parts = [engine.get_template(template).render(context) for template in _templates.get(name, ())]
    return mark_safe("".join(parts))  # noqa: S308  # rendered templates escape their own values
