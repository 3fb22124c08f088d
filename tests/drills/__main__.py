"""`python -m tests.drills` runs all drills, `python -m tests.drills kill redis` only these two.

PEOPLE= sets the number of people and SEED= the random numbers. The exit code is 1 if a drill
found a violation.
"""

import json
import os
import random
import secrets
import subprocess
import sys
import time
from pathlib import Path

from harness import product
from tests.drills.mail_server import MailServer
from tests.drills.plans import NAMES, PEOPLE, SETTINGS, USUAL_PEOPLE


def main() -> None:
    """Runs each drill in its own process, so that settings, servers and connections are new."""
    names = sys.argv[1:] or (os.environ.get("DRILLS") or "").replace(",", " ").split()
    if len(names) == 1 and os.environ.get("DRILL_ALONE"):
        sys.exit(_run(names[0]))
    names = names or list(NAMES)
    seed = os.environ.get("SEED") or str(secrets.randbelow(1_000_000))
    print(f"SEED={seed}", flush=True)
    environment = {**os.environ, "SEED": seed, "DRILL_ALONE": "1"}
    failed = []
    for name in names:
        command = [sys.executable, "-m", "tests.drills", name]
        if subprocess.run(command, check=False, cwd=product.ROOT, env=environment).returncode:
            failed.append(name)
    print(f"\n{len(names) - len(failed)} of {len(names)} drills held" + _listed(failed))
    sys.exit(1 if failed else 0)


def _listed(failed: list[str]) -> str:
    return f"; did not hold: {', '.join(failed)}" if failed else ""


def _run(name: str) -> int:
    """Runs one drill, prints its report and returns the exit code."""
    people = int(os.environ.get("PEOPLE") or PEOPLE.get(name, USUAL_PEOPLE))
    seed = int(os.environ["SEED"])
    base = Path(os.environ.get("BREACHPORTAL_VAR") or product.ROOT / "var")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.drills.settings"
    os.environ["DRILL_SETTINGS"] = json.dumps(SETTINGS.get(name, {}))
    print(f"\n{name}: PEOPLE={people} SEED={seed}", flush=True)
    product.open_in(base / "drills" / str(people), people=people)
    from tests.drills import scenes
    from tests.drills.stage import Stage

    began = time.monotonic()
    with MailServer(Path(os.environ["BREACHPORTAL_VAR"]) / "taken.log") as server:
        rng = random.Random(seed)  # noqa: S311 (a drill must be repeatable)
        stage = Stage(people=people, rng=rng, server=server)
        verdict = scenes.DRILLS[name](stage)
    print(f"  {(scenes.DRILLS[name].__doc__ or '').strip()}")
    for what, figure in verdict.figures.items():
        print(f"  {what:<20} {figure}")
    for violation in verdict.violations:
        print(f"  VIOLATION: {violation}")
    held = "did NOT hold" if verdict.violations else "held"
    print(f"  {held} after {time.monotonic() - began:.0f} s (SEED={seed})", flush=True)
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    main()
