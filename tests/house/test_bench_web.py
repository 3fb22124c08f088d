"""A short run of `make bench-web`: it measures, and prints its result."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_last_line_has_requests_per_second_and_their_ratio():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_web", "--seconds", "1", "--rounds", "1"]
        + ["--connections", "4"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PATH": "", "PUBLIC_PAGE_SECONDS": "2"},  # without wrk
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["client"] == "python"
    assert result["hello_per_s"] > 0
    assert result["public_per_s"] == min(page["per_s"] for page in result["pages"].values())
    assert result["public_ratio"] == round(result["public_per_s"] / result["hello_per_s"], 3)
    assert result["root_ratio"] == round(result["root_per_s"] / result["redirect_per_s"], 3) > 0
    assert all(0 < page["bytes"] < 60_000 for page in result["pages"].values())
