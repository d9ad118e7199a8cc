# shellcheck shell=bash
# The streaming standby of an isolated stack's PostgreSQL. Needs postgres.sh, network.sh, service.sh.

STANDBY_PROMOTED=$CONFIG/standby.promoted

standby_data() { printf '%s.standby' "$(postgres_data)"; }

# Made from a base backup the first time; goes on from where it was later.
standby_start() {
  local data
  network_isolated || return 0
  data=$(standby_data)
  network_ensure standby
  if [[ ! -e $data/hosting.conf ]]; then standby_make "$data"; fi
  service_apply standby INT <<LAUNCH
# The standby of PostgreSQL
exec $(network_enter standby)$(printf '%q ' "$REPO/infra/lib/postgres-run" "$(postgres_bin)" "$data" "$POSTGRES_SOCKET.standby")
LAUNCH
  service_await standby 60 "The start of the standby" "$(postgres_bin)/pg_isready" -q -h "$(address_of standby)" -p "$(port_of postgres)"
}

standby_make() {
  local data=$1
  rm -rf "$data" # what an interrupted attempt left
  mkdir -m 700 "$data"
  chown postgres:postgres "$data"
  PGPASSWORD=$(<"$POSTGRES_PASSWORD_FILE") as_postgres "$(postgres_bin)/pg_basebackup" -h "$(address_of postgres)" -p "$(port_of postgres)" \
    -U hosting -D "$data" -R -X stream --checkpoint=fast
  postgres_settings | sed "s/$(address_of postgres)/$(address_of standby)/; s|'$POSTGRES_SOCKET'|'$POSTGRES_SOCKET.standby'|" >"$data/hosting.conf"
}

# The primary ends for good, and the standby takes over: there is no way back.
standby_take_over() {
  [[ ! -e $STANDBY_PROMOTED ]] || die 1 "The standby has taken over already: there is nobody left to take over from it."
  process_alive standby || die 1 "The standby is not running now."
  : >"$STANDBY_PROMOTED"
  process_stop postgres.supervisor KILL 5
  process_stop postgres KILL 5
  as_postgres "$(postgres_bin)/pg_ctl" promote -s -w -D "$(standby_data)"
}

# The old primary must not come back beside the new one.
standby_check() {
  [[ ! -e $STANDBY_PROMOTED ]] ||
    die 1 "The standby of this stack has taken over: bringing up its old primary would make two of them." "Begin anew: $(stack_command down --purge)"
}
