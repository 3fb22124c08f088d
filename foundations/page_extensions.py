"""Extension points: places in a lower app's page that the apps above it extend.

A template of `incidents` cannot link to a view of `notices`, because it does not know that app.
It names a place instead, `{% extension_point "my_data_leaked" %}`, and `notices` registers a
template for that place in its `AppConfig.ready`.
"""

from collections import defaultdict

from django.template import Context, Library
from django.utils.safestring import SafeString, mark_safe

register = Library()
_templates: defaultdict[str, list[str]] = defaultdict(list)


def extend(point: str, template: str) -> None:
    """Registers the name of a template for an extension point. A second call changes nothing."""
    if template not in _templates[point]:
        _templates[point].append(template)


def extensions() -> dict[str, list[str]]:
    """Returns the names of the registered templates by extension point."""
    return dict(_templates)


@register.simple_tag(takes_context=True)
def extension_point(context: Context, name: str) -> SafeString:
    """Renders the templates of the extension point with the page's context.

    Returns "" if no template is registered.
    """
    engine = context.template.engine  # type: ignore[union-attr]  # set while a template renders
    parts = [engine.get_template(template).render(context) for template in _templates.get(name, ())]
    return mark_safe("".join(parts))  # noqa: S308  # rendered templates escape their own values
