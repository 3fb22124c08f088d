"""The size and settings of each drill. It is read before Django's settings are loaded."""

NAMES = (
    *("kill", "stop", "redis", "postgres", "refusal_cut", "disk", "log_disk"),
    *("moods", "closed_port", "refused", "slow", "twice", "host", "clock"),
    *("relay", "limits", "returned"),
)
# For drills that need other waits than those of tests/drills/settings.py.
_SWEEP_OFTEN = {"task": "notices.tasks.sweep_notices", "schedule": 0.1}
SETTINGS: dict[str, dict[str, object]] = {
    "kill": {"NOTICE_LEASE_SECONDS": 5, "EMAIL_TIMEOUT": 3, "NOTICE_REPLY_SECONDS": 4},
    "stop": {"NOTICE_LEASE_SECONDS": 4, "EMAIL_TIMEOUT": 3, "NOTICE_REPLY_SECONDS": 3},
    "refusal_cut": {"NOTICE_PAUSE_REFUSALS": 1_000_000},
    "returned": {"NOTICE_PAUSE_BOUNCE_PERCENT": 50},
    "slow": {"NOTICE_LEASE_SECONDS": 120, "EMAIL_TIMEOUT": 30, "NOTICE_REPLY_SECONDS": 90},
    "moods": {"NOTICE_UNAVAILABLE_SECONDS": 0.1, "NOTICE_UNAVAILABLE_MAX_SECONDS": 0.5},
    "refused": {
        "NOTICE_UNAVAILABLE_SECONDS": 0.05,
        "NOTICE_UNAVAILABLE_MAX_SECONDS": 0.1,
        "CELERY_BEAT_SCHEDULE": {"sweep-notices": _SWEEP_OFTEN},
    },
}
# The number of people in each drill, unless PEOPLE= sets another.
PEOPLE: dict[str, int] = {
    "kill": 100_000,
    "log_disk": 40_000,
    "slow": 2_000,
    "refused": 5_000,
    "returned": 2_000,
}
USUAL_PEOPLE = 20_000
