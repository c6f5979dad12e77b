#!/usr/bin/env bash
# Runs once, inside the Postgres container, when its data is new: makes the two
# roles that connect, with the passwords from the secrets. The migrations make
# the others. See docker-compose.yml.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `sed -n 's/^password=//p' /run/secrets/owner_service`
\set api_password `sed -n 's/^password=//p' /run/secrets/api_service`

-- Migrates: owns the database and may make roles. What the roles that it makes may
-- read is not its own to read: it becomes one of them only by name.
create role breathmaster_owner login createrole noinherit password :'owner_password';
alter database :"DBNAME" owner to breathmaster_owner;

-- Serves: owns nothing. The owner may change its settings (the migrations set its
-- timeouts), and is not a member of it otherwise.
create role breathmaster_api login password :'api_password';
grant breathmaster_api to breathmaster_owner with admin true, inherit false, set false;
SQL
