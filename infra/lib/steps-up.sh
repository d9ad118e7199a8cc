# shellcheck shell=bash
# The steps of up, in their order.

up_postgres() {
  standby_check
  postgres_init
  postgres_start
  standby_start
}

up_silos() {
  local silo
  for ((silo = 1; silo <= SILOS; silo++)); do silo_ports "$silo"; done
  for ((silo = 1; silo <= SILOS; silo++)); do silo_start "$silo"; done
  for ((silo = 1; silo <= SILOS; silo++)); do silo_await "$silo"; done
  up_surplus silo "$SILOS" service_stop
}

up_gateway() {
  port_keep http "$(http_port)"
  gateway_start
}

up_agents() {
  local agent
  for ((agent = 1; agent <= SERVERS; agent++)); do agent_start "$agent"; done
  for ((agent = 1; agent <= SERVERS; agent++)); do agent_await "$agent"; done
  up_surplus agent "$SERVERS" up_remove_agent
  detail "$SERVERS online"
}

up_remove_agent() {
  service_stop "$1"
  agent_command purge "${1#agent-}"
  rm -rf "${HOSTING_HOME:?}/$1" "$(agent_config_file "${1#agent-}")"
}

# up_surplus KIND COUNT COMMAND: what an earlier, larger pool had and this one has not.
up_surplus() {
  local name
  for name in $(service_names "$1"); do
    if ((${name##*-} > $2)); then
      "$3" "$name"
      rm -f "$CONFIG/$name.launch"
    fi
  done
}

up_image() {
  local sources=$REPO/infra/samples/hello archive=$IMAGES/hello.tar stamp=$CONFIG/hello.stamp state
  state=$(find "$sources" "$(busybox_static)" -type f -printf '%p %s %T@\n' | sort | sha1sum)
  if [[ -e $archive && -e $stamp && $(<"$stamp") == "$state" ]]; then
    detail "nothing changed"
    return
  fi
  "$sources/build" "$archive"
  printf '%s\n' "$state" >"$stamp"
}

up_hello() {
  local status
  status=$(curl -sS -m 10 -o /dev/null -w '%{http_code}' -H 'Host: localhost' "http://127.0.0.1:$(http_port)/v1/apps/hello")
  case $status in
    200) up_hello_again ;;
    404) up_hello_first ;;
    *) fail_with_log "$LOG/silo-1.log" "The API answered $status to GET /v1/apps/hello." ;;
  esac
}

up_hello_first() {
  service_await silo-1 180 "Room for the app on a server (it is busy with something else: see $(stack_command hosting servers))" pool_admitting
  detail ""
  "$REPO/infra/hosting" deploy hello --image hosting/hello:1 --port 8080 --replicas 1 --wait
  service_await gateway-1 30 "An answer of the app" hello_answers
}

# Its user may have changed it since, or stopped it: then it is not for us to insist.
up_hello_again() {
  local deadline=$((SECONDS + 20))
  detail "deployed before"
  until hello_answers; do
    if ((SECONDS >= deadline)) || [[ $(api_get /v1/apps/hello) =~ \"desired\":[[:space:]]*0 ]]; then
      detail "deployed before, does not answer: $(stack_command hosting status hello)"
      return
    fi
    sleep 0.2
  done
}

hello_answers() { curl -fsS -m 5 -o /dev/null -H "Host: hello.$APPS_DOMAIN" "http://127.0.0.1:$(http_port)/" 2>/dev/null; }

# What the pool looks like now, in the words of the command line.
up_status() {
  local what
  for what in servers vms apps; do
    printf '\n'
    heading "$what"
    "$REPO/infra/hosting" "$what" 9>&- || warn "'$(stack_command hosting "$what")' failed."
  done
}

up_addresses() {
  local port
  port=$(http_port)
  printf '\n'
  heading "addresses"
  printf '  %-9s %s\n' \
    App "http://hello.localhost:$port/" \
    API "http://localhost:$port/v1/apps" \
    OpenAPI "http://localhost:$port/openapi/v1.json" \
    Logs "$LOG" \
    Deploy "$(stack_command hosting deploy shop --image hosting/hello:1 --port 8080 --replicas 3 --wait)" \
    Look "$(stack_command hosting containers)" \
    Stop "$(stack_command down)    (--purge removes the data too)"
}
