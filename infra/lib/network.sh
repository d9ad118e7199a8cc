# shellcheck shell=bash
# An isolated stack: each silo and PostgreSQL in a network namespace of its own, behind one bridge, so that what passes between
# them can be cut. Gateways and agents stay in the machine's own network. Needs stack.sh, ui.sh.

NETWORK_FILE=$CONFIG/network # the subnet, such as 10.223.7; there when the stack is isolated
NETWORK_BRIDGE=hst-${STACK_ID:0:8}

network_isolated() { [[ -e $NETWORK_FILE ]]; }

# Decides once, when a stack is new, whether it is isolated: network_choose YES, empty for "as it was".
network_choose() {
  [[ $1 ]] || return 0
  network_isolated && return
  [[ ! -e $POOL_FILE ]] || die 2 "--isolated is for a new stack; this one runs in the machine's own network." \
    "Remove it first: $(stack_command down --purge)"
  local subnet offset=$((16#${STACK_ID:0:4}))
  while subnet=10.223.$((offset % 256)); [[ -n $(ip -4 -o address show to "$subnet.0/24") ]]; do offset=$((offset + 1)); done
  printf '%s\n' "$subnet" >"$NETWORK_FILE"
}

network_namespace() { printf 'hosting-%s-%s' "$STACK_ID" "$1"; }

# address_of NAME: where a service listens. "machine" is what gateways and agents are seen as.
address_of() {
  local host
  network_isolated || { printf '127.0.0.1'; return; }
  case $1 in
    machine) host=1 ;;
    postgres) host=2 ;;
    standby) host=3 ;;
    silo-*) host=$((10 + ${1#silo-})) ;;
    *) host=1 ;;
  esac
  printf '%s.%s' "$(<"$NETWORK_FILE")" "$host"
}

# network_enter NAME: what to put before a command line to run it in the service's network; nothing when that is the machine's.
network_enter() {
  network_isolated && [[ $(address_of "$1") != "$(address_of machine)" ]] || return 0
  printf 'nsenter --net=/run/netns/%s ' "$(network_namespace "$1")"
}

# network_ensure NAME...: makes the bridge and the namespaces of these services.
network_ensure() {
  local name
  network_isolated || return 0
  if [[ ! -e /sys/class/net/$NETWORK_BRIDGE ]]; then
    ip link add "$NETWORK_BRIDGE" type bridge
    ip address add "$(address_of machine)/24" dev "$NETWORK_BRIDGE"
    ip link set "$NETWORK_BRIDGE" up
  fi
  for name in "$@"; do network_join "$name"; done
}

network_join() {
  local name=$1 namespace address outside
  namespace=$(network_namespace "$name")
  [[ ! -e /run/netns/$namespace ]] || return 0
  address=$(address_of "$name")
  outside=hs${STACK_ID:0:6}-${address##*.}
  ip netns add "$namespace"
  ip link add "$outside" type veth peer name eth0 netns "$namespace"
  ip link set "$outside" master "$NETWORK_BRIDGE" up
  ip -n "$namespace" link set lo up
  ip -n "$namespace" address add "$address/24" dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route add default via "$(address_of machine)"
}

# Everything in the machine's network that is not a file of the stack.
network_remove() {
  local namespace
  for namespace in /run/netns/"$(network_namespace '')"*; do
    [[ -e $namespace ]] || continue
    ip netns delete "${namespace##*/}"
  done
  if [[ -e /sys/class/net/$NETWORK_BRIDGE ]]; then ip link delete "$NETWORK_BRIDGE"; fi
}
