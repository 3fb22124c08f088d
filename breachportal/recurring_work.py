"""The queue of each Celery task, and the tasks that beat calls, with the seconds between calls."""

ROUTES = {
    "incidents.tasks.keep_figure_points": {"queue": "default"},
    "incidents.tasks.send_team_messages": {"queue": "default"},
    "incidents.tasks.mail_*": {"queue": "default"},
    "notices.tasks.send_*": {"queue": "send"},
    "incidents.*": {"queue": "import"},
}
SCHEDULE = {
    "sweep-notices": {"task": "notices.tasks.sweep_notices", "schedule": 5.0},
    "sweep-uploads": {"task": "incidents.tasks.sweep_uploads", "schedule": 60.0},
    "sweep-batch-changes": {"task": "incidents.tasks.sweep_batch_changes", "schedule": 60.0},
    "sweep-deletions": {"task": "incidents.tasks.sweep_deletions", "schedule": 60.0},
    "keep-figure-points": {"task": "incidents.tasks.keep_figure_points", "schedule": 60.0},
    "send-team-messages": {"task": "incidents.tasks.send_team_messages", "schedule": 60.0},
    "keep-figures": {"task": "notices.tasks.keep_figures", "schedule": 30.0},
    "mail-resends": {"task": "notices.tasks.mail_resends", "schedule": 60.0},
    "start-weekly-mails": {"task": "notices.tasks.start_weekly_mails", "schedule": 5 * 60.0},
    "mail-answers": {"task": "tickets.tasks.mail_answers", "schedule": 60.0},
    "delete-scam-reports": {"task": "scams.tasks.delete_scam_reports", "schedule": 60 * 60.0},
    "examine-portal": {"task": "breachportal.tasks.examine_portal", "schedule": 15 * 60.0},
    "link-audit": {"task": "accounts.tasks.link_audit_trail", "schedule": 5.0},
    "send-audit-digest": {"task": "accounts.tasks.send_audit_digest", "schedule": 60 * 60.0},
    "mail-address-changes": {"task": "incidents.tasks.mail_address_changes", "schedule": 60.0},
    "mail-reminders": {"task": "incidents.tasks.mail_reminders", "schedule": 60.0},
    "mail-new-devices": {"task": "accounts.tasks.mail_new_devices", "schedule": 60.0},
    "mail-company-accounts": {"task": "accounts.tasks.mail_company_accounts", "schedule": 60.0},
    "purge-sessions": {"task": "accounts.tasks.purge_sessions", "schedule": 60 * 60.0},
    "verify-statements": {"task": "statements.tasks.verify_statements", "schedule": 3600.0},
}
