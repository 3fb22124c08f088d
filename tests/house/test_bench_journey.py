"""A short run of `make bench-journey`: each request of a sign-in is measured."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.journey_parts import FUNCTIONS

ROOT = Path(__file__).parents[2]
STEPS = {"home", "sign_in_page", "ask", "code_page", "code", "my_data", "sign_out", "mail"}
# One of them may publish the response time of the process, once a second.
MOST_OF_REDIS = {"ask": 2, "code": 8}
# The page for the code reads the incident of its foot once in two seconds.
MOST_OF_DATABASE = {"ask": 1, "code_page": 2, "code": 11, "my_data": 5}


def test_each_request_is_measured_and_asks_no_more_of_the_servers(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_journey"],
        cwd=ROOT,
        env=os.environ
        | {"BREACHPORTAL_VAR": str(tmp_path), "ROUNDS": "3", "PEOPLE": "50", "PARTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert figures["micros"].keys() >= STEPS
    assert all(figures["parts_of_ask"][part] > 0 for part, _module, _function in FUNCTIONS)
    asked = figures["asked_of_servers"]
    assert all(asked[step]["redis_trips"] <= most for step, most in MOST_OF_REDIS.items())
    assert all(asked[step]["statements"] <= most for step, most in MOST_OF_DATABASE.items())
