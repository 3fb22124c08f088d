#!/usr/bin/env bash
# Makes the three accounts and the database when the volume of PostgreSQL is empty. The image runs
# this script once, as the superuser of the new server. docs/running.md explains the accounts.
set -euo pipefail

# psql reads the passwords from the secrets, so that none is an argument of a process.
psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
SET log_min_error_statement = panic;
\set owner `cat "${SECRETS:-/run/secrets}/owner-password"`
\set portal `cat "${SECRETS:-/run/secrets}/portal-password"`
\set importer `cat "${SECRETS:-/run/secrets}/import-password"`
CREATE ROLE breachportal_owner LOGIN PASSWORD :'owner';
CREATE ROLE breachportal LOGIN PASSWORD :'portal';
CREATE ROLE breachportal_import LOGIN PASSWORD :'importer';
CREATE DATABASE breachportal OWNER breachportal_owner ENCODING UTF8 TEMPLATE template0;
REVOKE CONNECT ON DATABASE breachportal FROM PUBLIC;
GRANT CONNECT ON DATABASE breachportal TO breachportal, breachportal_import;
SQL
