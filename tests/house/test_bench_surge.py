"""A short run of `make bench-surge`: whole journeys, without an error, and its result."""

import json
import os
import subprocess
import sys
from pathlib import Path

from harness.nginx import NGINX


def test_the_last_line_has_the_figures_of_whole_journeys(tmp_path):
    sizes = {"VISITORS": "3", "SECONDS": "2", "PEOPLE": "200", "BULK": "1", "RATIO_SECONDS": "0.5"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_surge"],
        cwd=Path(__file__).parents[2],
        env=os.environ | sizes | {"BREACHPORTAL_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["errors"] == 0
    assert result["journeys_per_s"] > 0
    assert 0 < result["ask_p99_ms"] <= result["code_mail_p99_s"] * 1000 + 1000
    assert (result["public_p99_ms"] is not None) == bool(NGINX)
    assert result["public_direct_p99_ms"] > 0
    assert result["ratio_ask_to_hello"] > 0
    assert result["ratio_my_data_to_empty_page"] > 0
    assert result["queries_my_data"] > 0
    assert result["connections_peak"] > 0
