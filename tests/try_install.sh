#!/usr/bin/env bash
# Installs breachportal with deploy/install in a new Debian below the folder $1, with a certificate
# that an ACME server of its own (Pebble) gives, installs again, renews the certificate, starts the
# processes as the units do, and asks for pages. It needs root, debootstrap, the ports 80, 443, 5432,
# 6379, 14000 and 15000, and five minutes. A container has no systemd, so the processes are started
# from here.
set -euo pipefail
ROOT=$1 RELEASE=${2:-bookworm}
HOST=notice.example.com
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROCESSES=(web send import work beat copy)
START_TRIES=240 # one a second: on a busy machine the processes take minutes to start

# The caller's shell is replaced if this runs in the background, so that its process can be ended.
inside() { ${EXEC:-} env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/trial LANG=C.UTF-8 ${PIP_CERT:+PIP_CERT=/trial/ca.crt} chroot "$ROOT" "$@"; }

end() {
    local pid
    for pid in "${STARTED[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait || true
    sleep 1
    inside service nginx stop || true
    inside service redis-server stop || true
    inside service postgresql stop || true
    umount "$ROOT/proc"
    umount -R "$ROOT/dev"
}

# A function for the shells inside: it exports the settings of a file as systemd does.
# shellcheck disable=SC2016  # the shells inside expand it
READ_SETTINGS='
    read_settings() {
        while IFS="=" read -r name value; do
            [[ $name =~ ^[A-Z_]+$ ]] && export "$name=$value"
        done <"$1"
    }
'

# Starts an authority that speaks ACME. It asks port 80 of the host for the proof, as the public ones
# do, and refuses a first connection now and then, as they may (PEBBLE_WFE_NONCEREJECT).
start_authority() {
    [[ -x $ROOT/usr/bin/pebble ]] || (inside apt-get update -q && inside apt-get install -q -y --no-install-recommends pebble)
    openssl req -x509 -newkey rsa:2048 -nodes -days 60 -subj "/CN=localhost" -addext "subjectAltName=DNS:localhost" \
        -keyout "$ROOT/trial/authority.key" -out "$ROOT/trial/authority.pem" 2>/dev/null
    cp "$ROOT/trial/authority.pem" "$ROOT/usr/local/share/ca-certificates/authority.crt"
    inside update-ca-certificates >/dev/null
    cat >"$ROOT/trial/authority.json" <<'JSON'
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
 "certificate": "/trial/authority.pem", "privateKey": "/trial/authority.key",
 "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false}}
JSON
    EXEC='exec' inside env PEBBLE_VA_NOSLEEP=1 pebble -config /trial/authority.json >"$ROOT/trial/authority.log" 2>&1 &
    STARTED+=($!)
    for ((tries = 0; tries < 30; tries++)); do
        curl --silent --fail --cacert "$ROOT/trial/authority.pem" https://localhost:15000/roots/0 >"$ROOT/trial/cert.pem" && return
        sleep 1
    done
    echo "the ACME server does not start"
    exit 1
}

install_once() {
    # A root whose files are its own only, as on a hardened server.
    # shellcheck disable=SC2016  # the shell inside expands it
    inside bash -c 'umask 077; exec bash "$@"' bash /src/deploy/install --host "$HOST" \
        --smtp 127.0.0.1:2599 --smtp-security none --from '예시상점 <notice@example.com>' \
        --admin a@example.com --admin b@example.com --acme-server https://localhost:14000/dir
}

number_of_certificate() {
    openssl s_client -connect 127.0.0.1:443 -servername "$HOST" </dev/null 2>/dev/null | openssl x509 -noout -serial
}

# Starts a process with the unit's environment and command, as the portal's account.
start() {
    # shellcheck disable=SC2016
    EXEC='exec' inside bash -c "$READ_SETTINGS"'
        read_settings /etc/breachportal/production.env
        [[ $1 != import ]] || read_settings /etc/breachportal/import.env
        export CREDENTIALS_DIRECTORY=/trial
        unit=/etc/systemd/system/breachportal-$1.service
        for pair in $(sed -n "s/^Environment=//p" /etc/systemd/system/breachportal-.service.d/* "$unit"); do
            export "${pair?}"
        done
        command=$(sed -n "s/^ExecStart=//p" "$unit" | sed "s/%%/%/g")
        cd /opt/breachportal
        eval "exec setpriv --reuid=breachportal --regid=breachportal --init-groups $command"
    ' bash "$1" &
    STARTED+=($!)
}

STARTED=()
[[ -e $ROOT/bin/bash ]] || debootstrap --variant=minbase --include=ca-certificates "$RELEASE" "$ROOT"
mount --bind /proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount --make-rslave "$ROOT/dev"
trap end EXIT
mkdir -p "$ROOT/src" "$ROOT/trial"
(cd "$HERE" && git ls-files | tar cf - -T -) | tar xf - -C "$ROOT/src"
[[ -z ${PIP_CERT:-} ]] || cp "$PIP_CERT" "$ROOT/trial/ca.crt"
cp /etc/resolv.conf "$ROOT/etc/"
grep -q "$HOST" "$ROOT/etc/hosts" 2>/dev/null || printf '127.0.0.1 localhost %s\n' "$HOST" >>"$ROOT/etc/hosts"
start_authority
install_once
before=$(cat "$ROOT"/etc/breachportal/secrets/* "$ROOT"/etc/breachportal/*.env | sha256sum)
install_once
after=$(cat "$ROOT"/etc/breachportal/secrets/* "$ROOT"/etc/breachportal/*.env | sha256sum)
[[ $before == "$after" ]] || { echo "the second run changed a secret or a setting"; exit 1; }

number=$(number_of_certificate)
inside certbot renew --quiet --force-renewal --no-random-sleep-on-renew
inside service nginx reload
sleep 2
[[ -n $number && $number != "$(number_of_certificate)" ]] || { echo "nginx does not serve the renewed certificate"; exit 1; }

for process in "${PROCESSES[@]}"; do start "$process"; done
curl="curl --silent --fail --cacert $ROOT/trial/cert.pem --resolve $HOST:443:127.0.0.1"
for path in / /ko/ /en/account/sign-in/ /static/; do
    for ((tries = 0; tries < START_TRIES; tries++)); do
        $curl --output /dev/null "https://$HOST$path" && break
        [[ $path == /static/ ]] && break
        sleep 1
    done
    ((tries < START_TRIES)) || { echo "https://$HOST$path does not answer"; exit 1; }
done
inside install -o breachportal -m 600 /etc/breachportal/owner/database-url /trial/owner-database-url
start backup
wait "$!"
sleep 30  # beat and the workers give their first signs
install -m 644 "$ROOT/trial/cert.pem" "$ROOT/tmp/cert.pem"
inside env SSL_CERT_FILE=/tmp/cert.pem /usr/local/bin/breachportal doctor --json >"$ROOT/doctor.json" || true
# There is no mail server and no mail domain here, and the clock is the host's. Everything else must be well.
python3 - "$ROOT/doctor.json" <<'PYTHON'
import json, sys
faults = [row for row in json.load(open(sys.argv[1])) if row["level"] != "ok" and row["check"] not in ("mail", "mail domain", "clock")]
sys.exit(f"the doctor found: {faults}" if faults else 0)
PYTHON
echo "installed, installed again, answers, and is well"
