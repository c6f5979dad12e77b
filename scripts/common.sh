# shellcheck shell=bash
# What the scripts share. To be sourced; afterwards the working directory is the
# project's folder.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# The same everywhere, or each change of flags would build everything anew.
# An import that the manifest does not declare is an error.
# shellcheck disable=SC2034 # used by those who source this
swift_flags=(--explicit-target-dependency-import-check error)

# Runs the calling script again beside the throwaway Postgres, unless a server
# for tests (a superuser's URL) is named already.
need_test_postgres() {
  if [ -z "${TEST_DATABASE_URL:-}" ]; then
    TEST_DATABASE_URL=$(scripts/private-postgres url --throwaway)
    export TEST_DATABASE_URL
    exec scripts/private-postgres with --throwaway "$0" "$@"
  fi
}

# The server for tests, another database.
test_database_url() {
  printf '%s\n' "$TEST_DATABASE_URL" | sed -E "s#^([a-z]+://[^/?]*)(/[^?]*)?#\1/$1#"
}

# psql that stops at the first error and says only what it was asked.
run_sql() { # DATABASE, then psql's own arguments
  local database=$1
  shift
  psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
    --dbname "$(test_database_url "$database")" "$@"
}

# A fresh database of that name on the server for tests, migrated by the server's
# own command, which is built first, once. Says what it does on stderr.
migrated_database() {
  if [ -z "${SERVER_IS_BUILT:-}" ]; then
    swift build "${swift_flags[@]}" --product breathmaster >&2
    export SERVER_IS_BUILT=yes
  fi
  drop_database "$1"
  run_sql postgres --command "create database $1"
  MIGRATION_DATABASE_URL=$(test_database_url "$1") .build/debug/breathmaster migrate >&2
}

drop_database() {
  PGOPTIONS='-c client_min_messages=warning' run_sql postgres --command "drop database if exists $1 with (force)"
}

# pg_prove against a URL: its own --dbname cuts one at the first "=".
prove() { # DATABASE, then pg_prove's own arguments
  local database=$1
  shift
  PROVE_URL=$(test_database_url "$database") pg_prove --psql-bin scripts/psql-for-pg_prove "$@"
}

# The Python tools, in a folder of their own, at the versions that are written down.
# shellcheck disable=SC2034 # used by those who source this
tools=${BREATHMASTER_HOME:-.breathmaster}/tools
install_tools() {
  local pinned=scripts/tools-requirements.txt
  if cmp -s "$pinned" "$tools/installed.txt"; then return; fi
  echo "Installing the Python tools into $tools"
  rm -rf "$tools"
  mkdir -p "$(dirname "$tools")"
  "$(scripts/python)" -m venv "$tools"
  # What they bring along is written down too.
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$pinned"
  cp "$pinned" "$tools/installed.txt"
}
