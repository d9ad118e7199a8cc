# shellcheck shell=bash
# The private PostgreSQL cluster of a stack, made by the programs of the system. Needs stack.sh, ports.sh, network.sh,
# service.sh.

POSTGRES_LINK=$HOSTING_HOME/postgres
POSTGRES_ELSEWHERE=/var/lib/hosting/$STACK_ID
POSTGRES_SOCKET=/run/hosting-postgres/$STACK_ID # a socket's path must be short
POSTGRES_PASSWORD_FILE=$CONFIG/postgres.password

# The folder of the newest PostgreSQL programs here.
postgres_bin() {
  local bin
  bin=$(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV | while read -r bin; do
    if [[ -x $bin/postgres && -x $bin/initdb ]]; then printf '%s\n' "$bin"; fi
  done)
  [[ $bin ]] || bin=$(pg_config --bindir 2>/dev/null) || return 1
  bin=${bin%%$'\n'*}
  [[ -x $bin/initdb ]] || return 1
  printf '%s' "$bin"
}

as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"); }

postgres_data() { readlink -f "$POSTGRES_LINK"; }

# PostgreSQL refuses to run as root, and the user postgres cannot enter a checkout below /root: then the data lie elsewhere, and
# a link shows where.
postgres_place() {
  postgres_folder
  disk_ensure "$(postgres_data)"
  chown postgres:postgres "$(postgres_data)"
  chmod 700 "$(postgres_data)"
}

postgres_folder() {
  [[ -e $POSTGRES_LINK ]] && return
  if as_postgres test -x "$HOSTING_HOME"; then
    mkdir "$POSTGRES_LINK"
  else
    mkdir -p "$POSTGRES_ELSEWHERE"
    ln -sfn "$POSTGRES_ELSEWHERE" "$POSTGRES_LINK"
  fi
}

postgres_init() {
  local data password
  postgres_place
  data=$(postgres_data)
  [[ -e $data/hosting.conf || -e $data/postmaster.opts ]] && return # complete, and perhaps in use since
  rm -rf "${data:?}"/* # what an interrupted attempt left
  (umask 077 && head -c 24 /dev/urandom | base64 | tr -d '+/=' >"$POSTGRES_PASSWORD_FILE")
  password=$(mktemp)
  cat "$POSTGRES_PASSWORD_FILE" >"$password"
  chown postgres "$password"
  as_postgres "$(postgres_bin)/initdb" -D "$data" --username=hosting --pwfile="$password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --no-instructions || { rm -f "$password"; return 1; }
  rm -f "$password"
  printf "include_if_exists 'hosting.conf'\n" >>"$data/postgresql.conf"
  if network_isolated; then
    printf 'host %s hosting samenet scram-sha-256\n' all replication >>"$data/pg_hba.conf"
  fi
}

# Durability stays as PostgreSQL comes: fsync and synchronous_commit are on. The room for WAL keeps write latency even.
postgres_settings() {
  cat <<SETTINGS
listen_addresses = '$(address_of postgres)'
port = $(port_of postgres)
unix_socket_directories = '$POSTGRES_SOCKET'
max_connections = 200
shared_buffers = 128MB
wal_buffers = 16MB
min_wal_size = $(network_isolated && printf 80MB || printf 256MB)
max_wal_size = $(network_isolated && printf 256MB || printf 2GB)
wal_keep_size = $(network_isolated && printf 128MB || printf 0)
checkpoint_timeout = 15min
jit = off
log_timezone = 'UTC'
timezone = 'UTC'
log_checkpoints = off
SETTINGS
}

postgres_start() {
  local data
  data=$(postgres_data)
  port_ensure postgres postgres
  network_ensure postgres
  postgres_settings >"$data/hosting.conf"
  service_apply postgres INT <<LAUNCH
# PostgreSQL of the stack in $HOSTING_HOME; settings $(sha1sum <"$data/hosting.conf" | cut -c1-12)
exec $(network_enter postgres)$(printf '%q ' "$REPO/infra/lib/postgres-run" "$(postgres_bin)" "$data" "$POSTGRES_SOCKET")
LAUNCH
  service_await postgres 60 "The start of PostgreSQL" "$(postgres_bin)/pg_isready" -q -h "$(address_of postgres)" -p "$(port_of postgres)"
  postgres_database
}

postgres_psql() {
  PGPASSWORD=$(<"$POSTGRES_PASSWORD_FILE") "$(postgres_bin)/psql" -X -q -v ON_ERROR_STOP=1 -h "$(address_of postgres)" -p "$(port_of postgres)" -U hosting "$@"
}

postgres_database() {
  [[ $(postgres_psql -d postgres -Atc "SELECT 1 FROM pg_database WHERE datname = 'hosting'") == 1 ]] && return
  postgres_psql -d postgres -c 'CREATE DATABASE hosting'
}

postgres_connection_string() {
  local hosts
  hosts=$(address_of postgres)
  if network_isolated; then hosts+=,$(address_of standby); fi
  printf 'Host=%s;Port=%s;Database=hosting;Username=hosting;Password=%s' "$hosts" "$(port_of postgres)" "$(<"$POSTGRES_PASSWORD_FILE")"
  if network_isolated; then printf ';Target Session Attributes=read-write'; fi
}

# What lies outside HOSTING_HOME.
postgres_purge() { rm -rf "$POSTGRES_ELSEWHERE"{,.standby} "$POSTGRES_SOCKET"{,.standby}; rmdir /var/lib/hosting /run/hosting-postgres 2>/dev/null || true; }
