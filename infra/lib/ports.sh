# shellcheck shell=bash
# The ports of a stack, chosen once and kept in config/ports as NAME=PORT. Needs stack.sh.

PORTS=$CONFIG/ports
# Below the range that the kernel gives to outgoing connections, so that none of those is in the way later.
PORTS_FIRST=21000
PORTS_COUNT=11000

# port_of NAME: the kept port; fails when none was chosen.
port_of() {
  local line
  [[ -e $PORTS ]] || return 1
  while read -r line; do
    if [[ ${line%%=*} == "$1" ]]; then
      printf '%s' "${line#*=}"
      return
    fi
  done <"$PORTS"
  return 1
}

port_keep() {
  { grep -v "^$1=" "$PORTS" 2>/dev/null || true; printf '%s=%s\n' "$1" "$2"; } >"$PORTS.new"
  mv "$PORTS.new" "$PORTS"
}

# Whether anything listens on it, on any address.
port_taken() { [[ -n $(ss -Hltn "sport = :$1") ]]; }

# port_ensure SERVICE NAME...: chooses a free port for each name that has none, or whose port somebody else took while the
# service was down. Stacks start their search at different places, so that two first starts at once do not meet.
port_ensure() {
  local service=$1 name port offset
  shift
  for name in "$@"; do
    if port=$(port_of "$name"); then
      if process_alive "$service.supervisor" || ! port_taken "$port"; then continue; fi
    fi
    offset=$((16#${STACK_ID:0:6} % PORTS_COUNT))
    while port=$((PORTS_FIRST + offset)); port_taken "$port" || grep -qs "=$port\$" "$PORTS"; do
      offset=$(((offset + 1) % PORTS_COUNT))
    done
    port_keep "$name" "$port"
  done
}

# The public port: what the caller asks for, else what this stack had, else 8080.
http_port() {
  if [[ -n ${HOSTING_HTTP_PORT:-} ]]; then printf '%s' "$HOSTING_HTTP_PORT"; else port_of http || printf 8080; fi
}

# Ends the command when the public port is no port, or somebody else has it.
http_port_check() {
  local port kept free
  port=$(http_port)
  [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && ((port <= 65535)) || die 2 "HOSTING_HTTP_PORT is '$port': it must be a number from 1 to 65535."
  kept=$(port_of http) || kept=
  if [[ $port == "$kept" ]] && { process_alive gateway-1.supervisor || process_alive gateway-1; }; then return; fi
  if port_taken "$port"; then
    free=$((port + 1))
    while port_taken "$free"; do free=$((free + 1)); done
    die 1 "Port $port is taken by $(port_holder "$port")." \
      "Stop that, or choose another port: HOSTING_HTTP_PORT=$free $(stack_command up)"
  fi
}

port_holder() {
  local users
  users=$(ss -Hltnp "sport = :$1" | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (process \2)/p' | head -n 1)
  printf '%s' "${users:-another process}"
}
