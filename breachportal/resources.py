"""Where the files that are no code lie: templates, styles, catalogues, and the Procfile.

In a checkout they lie beside the packages. A wheel has them in the folder `files` of this
package (deploy/package/hooks.py), because folders beside it would belong to all projects.
"""

from pathlib import Path

_CODE = Path(__file__).resolve().parent.parent
_PACKAGED = Path(__file__).resolve().parent / "files"
IS_PACKAGED = _PACKAGED.is_dir()
FOLDER = _PACKAGED if IS_PACKAGED else _CODE


def var(*, is_production: bool) -> Path:
    """Returns the default of BREACHPORTAL_VAR.

    A checkout has its own `var`. An installed package has none, because its folder is not the
    portal's to write: production uses the folder of the systemd units, trials the working folder.
    """
    if not IS_PACKAGED:
        return _CODE / "var"
    return Path("/var/lib/breachportal") if is_production else Path.cwd() / "var"


def static_root(var: Path) -> Path:
    """Returns the default of STATIC_ROOT, into which `collectstatic` writes in production."""
    return (var if IS_PACKAGED else _CODE) / "staticfiles"
