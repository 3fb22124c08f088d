"""The portal's settings for `bench_surge`, with an empty page beside the portal's own."""

from breachportal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.surge_urls"
