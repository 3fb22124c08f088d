"""What the doctor's checks find wrong, and what to do about it.

The command prints the sentences in English, as the handbook has them; the desk translates them.
"""

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages


class DoctorMessages(StoredMessages):
    """The findings that need a person, each before its remedy."""

    ENDED = _("the check ended with {kind}")
    ENDED_DO = _("See those before it.")

    # This machine
    NOT_PRODUCTION = _("BREACHPORTAL_MODE is not production")
    NOT_PRODUCTION_DO = _(
        "Remove BREACHPORTAL_MODE from the environment of a portal in public use."
    )
    IN_ENVIRONMENT = _(
        "{name} is in the environment, which other processes of this account can read"
    )
    IN_ENVIRONMENT_DO = _("Write it to a file of its own, mode 600, and set {name}_FILE.")
    READABLE = _("{name}_FILE: other accounts may read {path} (mode {mode})")
    VOLATILE = _("{name}_FILE: {path} is gone after a restart, and every value with it")
    VOLATILE_DO = _("Move the file to a disk, and keep a copy apart from the database's backups.")
    NO_STATIC = _("no static files are collected in {folder}")
    NO_STATIC_DO = _("Run `manage.py collectstatic --noinput`.")
    NOT_WRITABLE = _("this account cannot write to {folder}")
    NOT_WRITABLE_DO = _(
        "Create the folder, and give it to the account of the portal: chown … {folder}"
    )
    SPACE = _("{folder}: {free} GiB free")
    SPACE_DO = _("Free space, or enlarge the volume, before an import.")
    NO_BACKUP = _("there is no backup in {folder}")
    NO_BACKUP_DO = _(
        "Run `manage.py backup`, or start the timer: `systemctl enable --now "
        "breachportal-backup.timer`. If you back up in another way, restore once."
    )
    OLD_BACKUP = _("the newest backup is {hours} hours old")
    OLD_BACKUP_DO = _("See `journalctl -u breachportal-backup`.")

    # Servers
    CLOCKS = _("this machine and the database differ by {seconds} seconds")
    CLOCKS_DO = _("Switch on NTP on both: `timedatectl set-ntp true`.")
    OLD_POSTGRESQL_DO = _("Upgrade to PostgreSQL {version} or newer.")
    NOT_MIGRATED = _("not migrated: {names}")
    NOT_MIGRATED_DO = _(
        "As the owner of the tables: `manage.py migrate`, then `manage.py grant_portal_role`."
    )
    CHANGES_PROOF = _("the account in DATABASE_URL may change or delete rows that prove something")
    CHANGES_PROOF_DO = _(
        "Give the portal an account of its own: docs/running.md, “The database accounts”."
    )
    LOGS_VALUES = _("PostgreSQL's log may receive personal data: {names}")
    LOGS_VALUES_DO = _("Include deploy/postgresql/breachportal.conf in postgresql.conf.")
    OLD_REDIS_DO = _("Upgrade to Redis 6.2 or newer, or Valkey.")
    BROKER_DO = _("Check BROKER_URL, the server and the firewall.")
    OLD_BROKER_DO = _("Upgrade to RabbitMQ 3.10 or newer.")
    REDIS_REMOVES = _("Redis removes keys when its memory is full ({policy})")
    REDIS_REMOVES_DO = _(
        "Set `maxmemory-policy noeviction`: a removed key may be a queue or a limit."
    )
    NO_WORKER = _("no worker serves the queue {queue}")
    NO_WORKER_DO = _("Start the process `{process}`: `systemctl start breachportal-{process}`.")
    MANY_BEATS = _("beat runs {times} times: {names}")
    MANY_BEATS_DO = _("Stop all but one. Two do no harm, but the work is done twice.")
    NO_BEAT = _("no beat gave a sign in the last {seconds} seconds")
    NO_BEAT_DO = _("Start it: `systemctl start breachportal-beat`. Lost work waits until it runs.")
    MAIL_DO = _("Check host, port, EMAIL_SECURITY, account, and the firewall.")
    NO_ROLES = _("the roles are missing")
    NO_ROLES_DO = _("Run `manage.py make_roles`.")
    ONE_SUPERUSER = _("superusers: {number}, and two are needed")
    ONE_SUPERUSER_DO = _(
        "Rights on the desk and shredding take two: run `manage.py createsuperuser` again."
    )

    # The public address
    ADDRESS_DO = _("Check the DNS record, the firewall and the certificate.")
    CERTIFICATE = _("the certificate of {host} is valid until {day}, for {days} days")
    CERTIFICATE_DO = _("Renew it, and check why it was not renewed automatically.")
    NO_ANSWER = _("{url} does not answer: {kind}")
    NO_ANSWER_DO = _("Check that they run: `systemctl status breachportal-web nginx`.")
    WRONG_STATUS = _("{url} answers {status}")
    WRONG_STATUS_DO = _("Check ALLOWED_HOSTS, and the log of the process `web`.")
    NOT_ASKED = _("the portal could not be asked which visitor it sees: {kind}")
    NOT_ASKED_DO = _(
        "PORTAL_URL must lead to this portal, and its processes must have this SECRET_KEY."
    )
    BELIEVES = _("the portal believes an address that a visitor sends")
    BELIEVES_DO = _(
        "Let the proxy replace the header of TRUSTED_ADDRESS_HEADER, as deploy/nginx does."
    )
    HEADERS_DO = _("See docs/running.md, “The proxy’s headers”.")
    NOT_SECURE = _("the portal takes a request over https for one over http")
    NOT_SECURE_DO = _("Let the proxy send https in the header of TRUSTED_PROXY_HEADER.")
