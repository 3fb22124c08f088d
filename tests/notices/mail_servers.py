"""Starts real mail servers on free ports: Postfix, Exim, OpenSMTPD and Dovecot.

Each has a folder of its own. It is that of the machine, or was unpacked into var/mail-servers
(`make mail-servers`). They start as root and change to accounts that exist on Debian, so tests skip
without root. Exim's own account is in files that only its process sees.
"""

import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from pwd import getpwnam
from typing import Self

UNPACKED = Path(os.environ.get("MAIL_SERVERS_ROOT") or Path("var/mail-servers")).resolve()
OWNER, GROUP = "news", "irc"  # accounts that Debian has and nothing uses
LIBRARIES = ("usr/lib/postfix", "usr/lib/x86_64-linux-gnu")
_QUEUES = "active bounce corrupt defer deferred flush hold incoming private maildrop public pid"


def why_not(program: str) -> str:
    """Returns why a test with a server cannot run; "" if it can."""
    if os.geteuid():
        return "real mail servers need root"
    if not _path(program).exists():
        return f"{program} is not installed: see `make mail-servers`"
    return ""


def _path(program: str) -> Path:
    """Returns a program's path on the machine, or in the unpacked packages."""
    installed = Path("/") / program
    return installed if installed.exists() else UNPACKED / program


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class MailServer:
    """A server's process. `with Postfix(...) as server:` waits until it listens at server.port."""

    def __init__(self) -> None:
        # The servers change to other accounts, which pytest's own folders keep out.
        self.folder = Path(tempfile.mkdtemp(prefix="mail-server-"))
        self.folder.chmod(0o755)
        self.port = _free_port()
        self.log = self.folder / "log"

    def __enter__(self) -> Self:
        libraries = ":".join(str(UNPACKED / folder) for folder in LIBRARIES)
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                self.command(),
                env=os.environ | {"LD_LIBRARY_PATH": libraries},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait_until_it_listens()
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> list[str | Path]:
        raise NotImplementedError

    def words(self) -> str:
        """Returns what the server wrote, for the message of a failed test."""
        files = (self.folder / "output", self.log)
        return "\n".join(one.read_text(errors="replace") for one in files if one.exists())

    def _wait_until_it_listens(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        words = self.words()
        self.__exit__()
        raise RuntimeError(f"the mail server does not listen: {words}")

    def _owned(self, path: Path, mode: int = 0o755) -> Path:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        shutil.chown(path, OWNER, OWNER)
        return path


class Postfix(MailServer):
    """A relay that brings mail for example.com to `next_port`, and keeps bounces in a Maildir.

    Recipients in `refused` are unknown to it.
    """

    program = "usr/lib/postfix/sbin/master"

    def __init__(self, *, next_port: int, refused: str = "") -> None:
        super().__init__()
        self.maildir = self._owned(self.folder / "mail") / "bounces"
        self._write_settings(next_port, refused)
        for name in _QUEUES.split():
            self._owned(self.folder / "queue" / name)
        shutil.chown(self.folder / "queue", "root", "root")
        self._owned(self.folder / "data")

    def command(self) -> list[str | Path]:
        return [_path(self.program), "-c", self.folder, "-d"]

    def _write_settings(self, next_port: int, refused: str) -> None:
        program = _path(self.program).parent
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.folder / "queue",
            "data_directory": self.folder / "data",
            "daemon_directory": program,
            "command_directory": program.parents[2] / "sbin",
            "shlib_directory": program.parent,
            "import_environment": "MAIL_CONFIG LD_LIBRARY_PATH TZ LANG=C",
            "mail_owner": OWNER,
            "setgid_group": GROUP,
            "maillog_file": self.log,
            "maillog_file_prefixes": self.folder,
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "relay.test",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "alias_maps": "",
            "smtpd_recipient_restrictions": "permit_mynetworks, reject",
            "relay_domains": "example.com",
            "relay_recipient_maps": "",
            "transport_maps": f"inline:{{example.com=smtp:[127.0.0.1]:{next_port}}}",
            "virtual_mailbox_domains": "portal.example",
            "virtual_mailbox_base": self.maildir.parent,
            "virtual_mailbox_maps": "static:bounces/",
            "virtual_uid_maps": f"static:{getpwnam(OWNER).pw_uid}",
            "virtual_gid_maps": f"static:{getpwnam(OWNER).pw_gid}",
            "virtual_minimum_uid": "1",
            "smtp_host_lookup": "native",
        }
        if refused:
            access = f"check_recipient_access inline:{{{{{refused}=550 5.1.1 no such user}}}}"
            settings["smtpd_recipient_restrictions"] = f"{access}, permit_mynetworks, reject"
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (self.folder / "main.cf").write_text("".join(lines))
        (self.folder / "master.cf").write_text(_MASTER.format(port=self.port))


_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Exim(MailServer):
    """A relay like `Postfix`. It refuses recipients that match the pattern `refused` with `reply`,
    takes `most` messages of a connection, and gives a message up after `lifetime`.

    Debian's Exim only starts where its account exists. A mount namespace of its own has one.
    """

    program, user = "usr/sbin/exim4", "Debian-exim"

    def __init__(
        self,
        *,
        next_port: int,
        refused: str = "unknown@nowhere.example",
        reply: str = "Unrouteable address",
        most: int = 1000,
        lifetime: str = "1h",
    ) -> None:
        super().__init__()
        self.maildir = self._owned(self.folder / "mail") / "bounces"
        self._write_accounts()
        options = {
            "port": self.port,
            "spool": self._owned(self.folder / "spool"),
            "next_port": next_port,
            "maildir": self.maildir,
            "program": _path(self.program),
            "refused": refused,
            "reply": reply,
            "most": most,
            "lifetime": lifetime,
        }
        (self.folder / "exim.conf").write_text(_EXIM.format(**options))

    def command(self) -> list[str | Path]:
        script = _EXIM_IN_ITS_OWN_ETC.format(
            folder=self.folder, libraries=UNPACKED / LIBRARIES[-1], program=_path(self.program)
        )
        return ["unshare", "--mount", "sh", "-ec", script]

    def _write_accounts(self) -> None:
        account = getpwnam(OWNER)
        user = f"{self.user}:x:{account.pw_uid}:{account.pw_gid}::/:/bin/false\n"
        group = f"{self.user}:x:{account.pw_gid}:\n"
        for name, line in (("passwd", user), ("group", group)):
            (self.folder / name).write_text(line + Path(f"/etc/{name}").read_text())


# Exim is setuid, so that its children find libraries in the cache only.
_EXIM_IN_ITS_OWN_ETC = """\
cd "{folder}"
/sbin/ldconfig -X -C "{folder}/ld.so.cache" "{libraries}"
for name in passwd group ld.so.cache; do mount --bind $name /etc/$name; done
exec "{program}" -bdf -q1s -C "{folder}/exim.conf"
"""
_EXIM = """\
primary_hostname = relay.test
exim_path = {program}
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = {spool}
log_file_path = {spool}/%slog
pid_file_path = {spool}/pid
tls_advertise_hosts =
acl_smtp_rcpt = recipients
acl_smtp_data = accept
queue_run_max = 5
smtp_accept_max_per_connection = {most}
never_users =
deliver_drop_privilege
keep_environment = LD_LIBRARY_PATH
begin acl
recipients:
  deny
    recipients = {refused}
    message = {reply}
  accept
begin routers
bounces:
  driver = accept
  domains = portal.example
  transport = bounces
others:
  driver = manualroute
  domains = example.com
  route_list = * 127.0.0.1
  self = send
  transport = remote
begin transports
remote:
  driver = smtp
  port = {next_port}
  allow_localhost
bounces:
  driver = appendfile
  directory = {maildir}
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
  delivery_date_add
begin retry
* * F,{lifetime},1s
"""


class OpenSmtpd(MailServer):
    """A relay like `Postfix`, in a root of its own: its paths and accounts are compiled in.

    It relays for `domain` alone, and gives a message up after `lifetime` seconds.
    """

    program = "usr/sbin/smtpd"

    def __init__(
        self, *, next_port: int, lifetime: int = 3600, domain: str = "example.com"
    ) -> None:
        super().__init__()
        for folder in ("etc", "var/run", "tmp", "dev", "mail"):
            (self.folder / folder).mkdir(parents=True)
        for folder in ("var/spool/smtpd", "var/lib/opensmtpd/empty"):
            (self.folder / folder).mkdir(parents=True, mode=0o711)
        os.mknod(self.folder / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        self.maildir = self._owned(self.folder / "mail") / "bounces"
        for source in (_path(self.program), *_path("usr/libexec/opensmtpd").glob("*"), SHELL):
            self._copy(source)
        account, group = getpwnam(OWNER), getpwnam(GROUP)
        self._write("etc/passwd", _PASSWD.format(uid=account.pw_uid, other=group.pw_uid))
        self._write("etc/group", _GROUPS.format(gid=account.pw_gid, other=group.pw_gid))
        self._write("etc/hosts", "127.0.0.1 localhost relay.test\n")
        options = {
            "port": self.port,
            "next_port": next_port,
            "lifetime": lifetime,
            "domain": domain,
        }
        self._write("etc/smtpd.conf", _OPENSMTPD.format(**options))

    def command(self) -> list[str | Path]:
        return ["chroot", self.folder, f"/{self.program}", "-d", "-T", "smtp"]

    def _write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)

    def _copy(self, source: Path) -> None:
        """Copies a program into the root, at its usual path, and the libraries that it needs."""
        listed = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
        inside = source.relative_to(UNPACKED if source.is_relative_to(UNPACKED) else "/")
        libraries = {Path(word) for word in listed.split() if word.startswith("/")}
        for path, target in [(source, inside), *((one, one.relative_to("/")) for one in libraries)]:
            place = self.folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copy(path.resolve(), place)


SHELL = Path("/bin/sh")
_PASSWD = """\
root:x:0:0::/:/bin/sh
opensmtpd:x:{uid}:{uid}::/var/lib/opensmtpd/empty:/bin/false
opensmtpq:x:{other}:{other}::/var/lib/opensmtpd/empty:/bin/false
bounces:x:{uid}:{uid}::/mail:/bin/sh
"""
_GROUPS = """\
root:x:0:
opensmtpd:x:{gid}:
opensmtpq:x:{other}:
"""
_OPENSMTPD = """\
queue ttl {lifetime}s
listen on 127.0.0.1 port {port} hostname relay.test
table accounts {{ "@portal.example" = bounces }}
action "bounces" maildir "/mail/bounces" virtual <accounts>
action "others" relay host "smtp://127.0.0.1:{next_port}" helo relay.test
match from any for domain "portal.example" action "bounces"
match from any for domain "{domain}" action "others"
"""


class Dovecot(MailServer):
    """An IMAP server over a Maildir."""

    program = "usr/sbin/dovecot"

    def __init__(self, maildir: Path) -> None:
        super().__init__()
        self.url = f"imap://bounces:secret@127.0.0.1:{self.port}/"
        libexec = _path(self.program).parents[2] / "usr/lib/dovecot"
        account = getpwnam(OWNER)
        (self.folder / "dovecot.conf").write_text(
            _DOVECOT.format(
                port=self.port,
                folder=self.folder,
                libexec=libexec,
                owner=OWNER,
                uid=account.pw_uid,
                gid=account.pw_gid,
                maildir=maildir,
            )
        )

    def command(self) -> list[str | Path]:
        return [_path(self.program), "-F", "-c", self.folder / "dovecot.conf"]


_DOVECOT = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
libexec_dir = {libexec}
mail_plugin_dir = {libexec}/modules
auth_mechanisms = plain
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = {owner}
default_internal_group = {owner}
default_login_user = nobody
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{maildir}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""
