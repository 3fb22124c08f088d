"""What the doctor's checks find wrong, and what to do about it.

The command prints the sentences in English, as the handbook has them; the desk translates them.
"""

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages


class DoctorMessages(StoredMessages):
    """The findings that need a person, each before its remedy."""

    ENDED = _("the check ended with {kind}")
    ENDED_DO = _("See those before it, and `journalctl -u 'breachportal-*'`.")
    AWAY = _("{server} does not answer: {why}")
    DATABASE_AWAY_DO = _(
        "Check that it runs (`systemctl status postgresql`), DATABASE_URL, and the firewall."
    )
    REFUSES = _("{server} refuses the portal: {why}")
    DATABASE_REFUSES_DO = _(
        "It runs. Correct the account, the password or the database in DATABASE_URL, or "
        "pg_hba.conf. If it starts or stops just now, wait."
    )
    REDIS_REFUSES_DO = _("It runs. Correct the account or the password in REDIS_URL.")
    REDIS_AWAY_DO = _(
        "Check that it runs (`systemctl status redis-server`), REDIS_URL (rediss:// for a port "
        "with TLS, redis:// for one without), and the firewall."
    )
    CERTIFICATE_REFUSED = _("the certificate of {server} is refused: {why}")
    CERTIFICATE_REFUSED_DO = _(
        "It must be valid, and for the host in {setting}. If a private authority issued it, add "
        "that one: `sudo cp ca.crt /usr/local/share/ca-certificates/`, "
        "`sudo update-ca-certificates`, and restart the portal."
    )
    DATABASE_CERTIFICATE_DO = _(
        "It must be valid, and for the host in DATABASE_URL; sslrootcert there must be the file of "
        "the authority that issued it, such as /etc/ssl/certs/ca-certificates.crt."
    )
    NO_TLS = _("{server} answers without TLS, or with another kind of it: {why}")
    NO_TLS_DO = _(
        "Switch TLS on at that server, or correct the port or the kind of encryption: {setting}."
    )
    UNCHECKED = _("{setting} leads over a public network, and no certificate is checked")
    UNCHECKED_DO = _("Others on the way can read and change what is sent. Demand TLS: {wanted}.")
    NOT_EXAMINED = _("this was not examined, because {server} does not answer")
    NOT_EXAMINED_DO = _("See what is said about {server}.")

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
    NO_STATIC_DO = _("Run `{command}`.")
    NOT_WRITABLE = _("this account cannot write to {folder}")
    NOT_WRITABLE_DO = _(
        "Create the folder, and give it to the account of the portal: `sudo mkdir -p {folder}`, "
        "`sudo chown {account}: {folder}`."
    )
    SPACE = _("{folder}: {free} GiB free")
    READ_ONLY_DISK = _("{folder}: its disk takes no writes (read-only)")
    READ_ONLY_DISK_DO = _(
        "See `sudo dmesg` for the reason; then `sudo mount -o remount,rw` with its mount point."
    )
    NO_SPACE_DO = _(
        "Free space now, or enlarge the volume: see `sudo du -xh --max-depth=2 {folder} | sort -h`."
    )
    SPACE_DO = _("Free space, or enlarge the volume, before an import.")
    NO_BACKUP = _("there is no backup in {folder}")
    NO_BACKUP_DO = _(
        "Run `{command}`, and each night: `sudo systemctl enable --now breachportal-backup.timer`. "
        "If you back up in another way, restore once."
    )
    OLD_BACKUP = _("the newest backup is {hours} hours old")
    OLD_BACKUP_DO = _("See `journalctl -u breachportal-backup`.")

    # Servers
    CLOCKS = _("this machine and the database differ by {seconds} seconds")
    CLOCKS_DO = _(
        "Switch on NTP on both: `sudo apt-get install systemd-timesyncd`, `sudo timedatectl "
        "set-ntp true`."
    )
    UNSYNCHRONISED = _("the clock of this machine is not kept right by NTP")
    IS_STANDBY = _("PostgreSQL takes no writes: it is a standby")
    IS_STANDBY_DO = _(
        "Let DATABASE_URL lead to the primary. If there is none any more, make this server the "
        "primary: `sudo -u postgres psql -c 'SELECT pg_promote()'`."
    )
    IS_READ_ONLY = _("PostgreSQL takes no writes: default_transaction_read_only is on")
    IS_READ_ONLY_DO = _(
        "Ask who set it, and why. Then `sudo -u postgres psql -c 'ALTER SYSTEM RESET "
        "default_transaction_read_only' -c 'SELECT pg_reload_conf()'`; if it is set for the "
        "database or the account, ALTER DATABASE or ALTER ROLE."
    )
    CONNECTIONS = _("{used} of {limit} database connections are in use")
    CONNECTIONS_DO = _(
        "See who holds them: `sudo -u postgres psql -c 'SELECT usename, datname, count(*) FROM "
        "pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC'`. End what is not needed, or raise "
        "max_connections."
    )
    OLD_POSTGRESQL_DO = _("Upgrade to PostgreSQL {version} or newer.")
    NOT_MIGRATED = _("not migrated: {names}")
    NOT_MIGRATED_DO = _("As the owner of the tables: `{migrate}`, `{grant}`, `{grant_import}`.")
    LATER_VERSION = _("the database has migrations of a later version: {names}")
    LATER_VERSION_DO = _(
        "After `deploy/upgrade --back` that is as it should be. Else bring the later version in."
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
        "A removed key may be a queue or a limit: `redis-cli config set maxmemory-policy "
        "noeviction`, and in redis.conf."
    )
    REDIS_IS_FULL = _("Redis takes no writes: {why}")
    REDIS_IS_FULL_DO = _(
        "See `redis-cli info memory` and `redis-cli info persistence`: raise maxmemory, or free "
        "space on its disk. People sign in meanwhile, with a quarter of the limits."
    )
    REDIS_FILLS = _("Redis uses {percent} per cent of its memory")
    REDIS_FILLS_DO = _("Raise maxmemory: `redis-cli config set maxmemory 1gb`, and in redis.conf.")
    NO_WORKER = _("no worker serves the queue {queue}")
    NO_WORKER_DO = _(
        "Start the process `{process}`: `sudo systemctl start breachportal-{process}`. If it ends "
        "again: `journalctl -u breachportal-{process}`."
    )
    QUEUE_WAITS = _("queue {queue}: {number} tasks wait, the oldest for {seconds} seconds")
    QUEUE_WAITS_DO = _(
        "A long task may be at work. If none is: `sudo systemctl restart breachportal-{process}`."
    )
    MANY_BEATS = _("beat runs {times} times: {names}")
    MANY_BEATS_DO = _("Stop all but one. Two do no harm, but the work is done twice.")
    SHARED_REDIS = _("another portal uses this Redis, too: {hosts}")
    SHARED_REDIS_DO = _(
        "Its workers take tasks of this portal. Give each portal a server of its own, or another "
        "number at the end of REDIS_URL, and restart it."
    )
    NO_BEAT = _("no beat gave a sign in the last {seconds} seconds")
    NO_BEAT_DO = _(
        "Start it: `sudo systemctl start breachportal-beat`. Lost work waits until it runs."
    )
    MAIL_DO = _(
        "Check host, port, EMAIL_SECURITY (starttls for port 587, tls for 465), account, and the "
        "firewall."
    )
    MAIL_DOMAIN_DO = _("See all of it: `{command}`.")
    NO_ROLES = _("the roles are missing")
    NO_ROLES_DO = _("Run `{command}`.")
    ONE_SUPERUSER = _("superusers: {number}, and two are needed")
    ONE_SUPERUSER_DO = _("Rights on the desk and shredding take two: run `{command}` again.")
    NO_LAW = _("no law is on file for {names}, which the incident {incident} names")
    NO_LAW_DO = _("Set LAW_FOLDER, for every process, to the folder of the company's law files.")

    # The public address
    ADDRESS_DO = _("Check the DNS record, the firewall and the certificate.")
    CERTIFICATE = _("the certificate of {host} is valid until {day}, for {days} days")
    CERTIFICATE_DO = _(
        "Renew it: `sudo certbot renew`; see `systemctl status certbot.timer`, which should have "
        "done it. If it is your own: run `deploy/install` again, with the new files."
    )
    NO_ANSWER = _("{url} gives no answer: {kind}")
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
