# shellcheck shell=bash
# A server to be tried from outside. To be sourced after common.sh.

# Serves on a fresh database of that name, beside a provider to sign in by, until the script ends.
# Sets server_url, server_home and server_database_url, a superuser's.
serve_on() { # DATABASE
  server_database=$1
  migrated_database "$server_database"
  server_database_url=$(test_database_url "$server_database")
  server_home=$(mktemp -d)
  trap stop_serving EXIT
  # shellcheck disable=SC2154 # common.sh sets it
  coproc provider { exec "$tools/bin/python" Tests/APIIntegrationTests/Fixtures/openid-provider.py 2>/dev/null; }
  local issuer api_url port
  read -r issuer <&"${provider[0]}"
  case $server_database_url in
    *\?*) api_url="$server_database_url&user=breathmaster_api" ;;
    *) api_url="$server_database_url?user=breathmaster_api" ;;
  esac
  port=$("$tools/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # shellcheck disable=SC2034 # used by those who source this
  server_url=http://127.0.0.1:$port
  DATABASE_URL=$api_url BREATHMASTER_HOST=127.0.0.1 BREATHMASTER_PORT=$port BREATHMASTER_HOME=$server_home LOG_LEVEL=error \
    GOOGLE_ISSUER=$issuer GOOGLE_CLIENT_ID=breathmaster GOOGLE_CLIENT_SECRET='kept to ourselves+' \
    .build/debug/breathmaster serve >"$server_home/log" 2>&1 &
  server=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.1
  done
}

stop_serving() {
  [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
  # shellcheck disable=SC2154 # coproc sets it
  kill "$provider_PID" 2>/dev/null || true
  wait
  # What it said, above all where something went wrong.
  [ ! -e "$server_home/log" ] || cat "$server_home/log" >&2
  drop_database "$server_database"
  rm -rf "$server_home"
}
