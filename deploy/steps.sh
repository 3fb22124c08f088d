#!/usr/bin/env bash
# The steps that deploy/install and deploy/upgrade share. Each version has a folder of its own below
# VERSIONS, named by its content, with its own Python packages; the link CODE leads to the one that
# runs, and the link VERSIONS/before to the one that ran before it.
# shellcheck disable=SC2034  # the scripts that read this file use the names
CODE=/opt/breachportal
VERSIONS=/opt/breachportal-versions
SETTINGS=/etc/breachportal
SECRETS=$SETTINGS/secrets
ACCOUNT=breachportal
SITE=/etc/nginx/conf.d/breachportal.conf
START_SECONDS=90 # of the web processes
VERSION='' # the folder of the version that is brought in
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The portal's account reads the code and the styles. What only one account may read gets its mode by name.
umask 022
LEFT_OUT=(.git .venv var staticfiles __pycache__ '*.mo' '*.pyc')

step() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
has_systemd() { [[ -d /run/systemd/system ]]; }

# Starts a service with systemd, or without it (in a container) with its init script.
serve() {
    if has_systemd; then
        systemctl enable --now "$1"
    else
        service "$1" start
    fi
}

reload() {
    if has_systemd; then systemctl reload "$1"; else service "$1" reload; fi
}

# Prints the setting $1 of production.env, without quotes around it; nothing if it is not set.
setting() {
    [[ ! -e $SETTINGS/production.env ]] || sed -nE "/^[[:space:]]*$1[[:space:]]*=/!d; s/^[^=]*=[[:space:]]*//; s/[[:space:]]+\$//
        s/^\"([^\"]*)\"\$/\1/; s/^'([^']*)'\$/\1/; p" "$SETTINGS/production.env" | tail -n 1
}

make_account() {
    id -u "$ACCOUNT" >/dev/null 2>&1 || useradd --system --home-dir /var/lib/breachportal --shell /usr/sbin/nologin "$ACCOUNT"
    install -d -m 700 -o "$ACCOUNT" -g "$ACCOUNT" /var/lib/breachportal
    install -d -m 755 -o "$ACCOUNT" -g "$ACCOUNT" /var/cache/breachportal-copy
}

# Sets VERSION to the folder of the version of this checkout.
find_version() {
    local words=() name digest number
    for name in "${LEFT_OUT[@]}"; do words+=("--exclude=$name"); done
    digest=$(cd "$HERE" && tar cf - "${words[@]}" --sort=name --mtime=@0 --owner=0 --group=0 --mode=a=r . | sha256sum)
    number=$(sed -n 's/^version = "\(.*\)"/\1/p' "$HERE/pyproject.toml")
    VERSION=$VERSIONS/$number-${digest:0:12}
}

# Installs the code and its packages into VERSION. A version that is complete stays as it is.
build_version() {
    step "The code, in $VERSION"
    [[ ! -e $VERSION/.complete ]] || return 0
    install -d -m 755 "$VERSIONS" "$VERSION"
    local words=() name source
    for name in "${LEFT_OUT[@]}"; do words+=("--exclude=$name"); done
    rsync -a --delete "${words[@]}" "$HERE/" "$VERSION/"
    [[ -x $VERSION/.venv/bin/python ]] || python3 -m venv "$VERSION/.venv"
    "$VERSION/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$VERSION/requirements.txt"
    for source in "$VERSION"/locale/*/LC_MESSAGES/django.po; do
        "$VERSION/.venv/bin/pybabel" -q compile -l "$(basename "$(dirname "$(dirname "$source")")")" -i "$source" -o "${source%.po}.mo"
    done
    chown -R root:root "$VERSION"
    chmod -R a+rX,go-w "$VERSION"
    touch "$VERSION/.complete"
}

# Collects the styles of VERSION. Pages that the version before rendered still find theirs.
collect_static() {
    [[ ! -d $CODE/staticfiles || $(readlink -f "$CODE") == "$VERSION" ]] || rsync -a --ignore-existing "$CODE/staticfiles/" "$VERSION/staticfiles/"
    manage owner collectstatic --noinput --verbosity 0
}

# Runs a command of VERSION with the settings of production: as `owner` of the tables, or as the
# portal.
manage() {
    local options=()
    [[ $1 != owner ]] || options=(--owner)
    "$VERSION/deploy/breachportal" "${options[@]}" "${@:2}"
}

# Brings the tables, and the rights on them, to those of VERSION.
change_tables() {
    manage owner migrate --verbosity 0
    manage owner grant_portal_role breachportal
    manage owner grant_portal_role breachportal_import --import
}

# Lets CODE lead to the folder $1, in one step.
switch_to() {
    local running
    running=$(readlink "$CODE" || true)
    [[ $running != "$1" ]] || return 0
    [[ -z $running ]] || ln -sfn "$running" "$VERSIONS/before"
    ln -sfn "$1" "$CODE.new"
    mv -T "$CODE.new" "$CODE"
}

# Asks whether the web processes at the port $1 answer.
answers() {
    "$VERSION/.venv/bin/python" -c "
import sys, urllib.request as web
web.build_opener(web.ProxyHandler({})).open('http://127.0.0.1:' + sys.argv[1] + '/healthz', timeout=5)" "$1" 2>/dev/null
}

# Waits until they do, for START_SECONDS at most.
wait_for_web() {
    local tries
    for ((tries = 0; tries < START_SECONDS * 2; tries++)); do
        answers "$1" && return
        sleep 0.5
    done
    return 1
}

install_units() {
    step "Units, log rotation, the command breachportal"
    ln -sfn "$CODE/deploy/breachportal" /usr/local/bin/breachportal
    cp -r "$CODE"/deploy/systemd/* /etc/systemd/system/
    install -D -m 644 "$CODE/deploy/logrotate/breachportal" /etc/logrotate.d/breachportal
}

# Writes the site of nginx for the host $1. A certificate that was given lies in SETTINGS.
write_site() {
    sed "s/notice\.example\.com/$1/g" "$CODE/deploy/nginx/breachportal.conf" >"$SITE.new"
    [[ ! -e $SETTINGS/tls/fullchain.pem ]] || sed -i "s#/etc/letsencrypt/live/$1/#$SETTINGS/tls/#" "$SITE.new"
    mv "$SITE.new" "$SITE"
}
