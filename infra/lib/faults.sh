# shellcheck shell=bash
# Faults of a stack. One that lasts writes how it is undone before it begins, so that it ends also when its command was killed:
# then by the next heal, or by down. Needs network.sh, clock.sh, disk.sh, standby.sh, service.sh.

FAULTS=$RUN/faults

faults_expect() {
  local wanted=$1
  shift
  (($# == wanted)) || { usage >&2; die 2 "It takes $wanted arguments, not $#: $*"; }
}

# faults_last SECONDS COMMAND [ARGUMENT...]: begins the fault, waits, and ends it.
faults_last() {
  local seconds=$1 name
  shift
  mkdir -p "$FAULTS"
  name=$FAULTS/$$.undo
  {
    printf '# %s, from %(%T)T for %s s\n' "${*#fault_}" -1 "$seconds"
  } >"$name"
  FAULT_UNDO=$name
  trap 'fault_end "$FAULT_UNDO"; ui_cleanup; exit 130' INT TERM
  trap 'fault_end "$FAULT_UNDO"; ui_cleanup' EXIT
  "$@"
  note "${*#fault_}: for $seconds s"
  sleep "$seconds" &
  wait $!
}

# undo COMMAND...: how to end what begins next; the last one written is done first.
undo() { { printf '%q ' "$@" && printf '\n'; } >>"$FAULT_UNDO"; }

fault_end() {
  local line
  [[ -e $1 ]] || return 0
  while read -r line; do
    [[ $line == '#'* ]] || eval "$line" 2>/dev/null || true
  done < <(tac "$1")
  rm -f "$1"
}

faults_heal() {
  local file
  for file in "$FAULTS"/*.undo; do
    [[ -e $file ]] || continue
    note "ended: $(head -n 1 "$file" | cut -c3-)"
    fault_end "$file"
  done
}

faults_list() {
  local name file
  heading "names"
  for name in $(faults_names); do note "$name"; done
  heading "faults"
  for file in "$FAULTS"/*.undo; do
    if [[ -e $file ]]; then note "$(head -n 1 "$file" | cut -c3-)"; fi
  done
}

faults_names() { printf '%s\n' "$CONFIG"/*.launch | sed 's|.*/||; s|\.launch$||' | sort -V; }

fault_name() {
  faults_names | grep -qx -- "$1" || die 2 "There is no '$1' in this stack." "There are: $(faults_names | tr '\n' ' ')"
}

fault_isolated() {
  network_isolated || die 2 "$1 needs a stack whose processes are apart from each other." \
    "Make one: HOSTING_HOME=... ./infra/up --isolated"
}

# The process, and for PostgreSQL those it has started: each is a process of its own.
fault_processes() {
  local pid
  fault_name "$1"
  pid=$(process_pid "$1") || die 1 "$1 is not running now."
  printf '%s\n' "$pid"
  if [[ $1 == postgres || $1 == standby ]]; then ps -o pid= --ppid "$pid" | tr -d ' '; fi
}

fault_kill() {
  local pid
  fault_name "$1"
  pid=$(process_pid "$1") || die 1 "$1 is not running now."
  kill -KILL "$pid"
}

fault_freeze() {
  local processes
  processes=$(fault_processes "$1") || exit
  # shellcheck disable=SC2086 # one id a word
  undo kill -CONT $processes
  # shellcheck disable=SC2086
  kill -STOP $processes
}

# The services that a word means: fault_side WORD OTHER
fault_side() {
  local silo region
  case $1 in
    machine) printf 'machine\n' ;;
    peers)
      for ((silo = 1; silo <= SILOS; silo++)); do
        if [[ ,$2, != *,"silo-$silo",* ]]; then printf 'silo-%s\n' "$silo"; fi
      done
      ;;
    *)
      for region in "${REGIONS[@]}"; do
        if [[ $region == "$1" ]]; then region_silos "$region" | sed 's/^/silo-/'; return; fi
      done
      faults_names | grep -x -- "$1" || die 2 "'$1' is no name, no region, not 'peers' and not 'machine'." \
        "There are: $(faults_names | tr '\n' ' ')${REGIONS[*]} peers machine"
      ;;
  esac
}

# fault_links A B COMMAND...: calls the command with every pair of services on the two sides.
fault_links() {
  local a b left right
  pool_shape '' '' ''
  left=$(fault_side "$1" "$2") && left=$(tr '\n' ' ' <<<"$left") || exit
  right=$(fault_side "$2" "$1") && right=$(tr '\n' ' ' <<<"$right") || exit
  shift 2
  for a in $left; do
    for b in $right; do
      [[ $a != "$b" ]] || die 2 "$a is on both sides."
      "$@" "$a" "$b"
    done
  done
}

fault_cut() {
  fault_isolated cut
  fault_links "$1" "$2" fault_link -j DROP
  [[ $FAULT_ONE_WAY ]] || fault_links "$2" "$1" fault_link -j DROP
}

fault_slow() {
  fault_isolated slow
  fault_links "$1" "$2" fault_link -m statistic --mode random --probability 0.2 -j DROP
  fault_links "$2" "$1" fault_link -m statistic --mode random --probability 0.2 -j DROP
}

# fault_link RULE... A B: what the rule says of packets from A to B, in the network of one of the two.
fault_link() {
  local b=${*: -1} a=${*: -2:1}
  local -a rule=("${@:1:$#-2}") where
  if [[ $(address_of "$b") != "$(address_of machine)" ]]; then
    where=("$b" INPUT -s "$(address_of "$a")")
  elif [[ $(address_of "$a") != "$(address_of machine)" ]]; then
    where=("$a" OUTPUT -d "$(address_of "$b")")
  else
    die 2 "$a and $b share the machine's network: nothing can be cut between them."
  fi
  local -a tables=(nsenter "--net=/run/netns/$(network_namespace "${where[0]}")" iptables)
  undo "${tables[@]}" -D "${where[@]:1}" "${rule[@]}"
  "${tables[@]}" -I "${where[@]:1}" "${rule[@]}"
}

fault_fill() {
  local folder file
  fault_isolated fill
  fault_name "$1"
  folder=$(disk_of "$1") || die 2 "$1 has no disk of its own: postgres and agents have."
  file=$folder/.full
  undo rm -f "$file"
  # As much as there is: the command ends with an error when the disk is full, which is what is wanted.
  dd if=/dev/zero of="$file" bs=1M status=none 2>/dev/null || true
}

fault_clock() {
  fault_isolated clock
  fault_name "$1"
  [[ -e $(clock_file "$1") ]] || die 2 "$1 has no clock of its own." "Silos, gateways and agents have: HOSTING_CLOCKS=1 ./infra/up --isolated"
  [[ $2 =~ ^-?[0-9]{1,8}$ ]] || die 2 "A clock is set by a number of seconds, such as 3600 or -3600, not '$2'."
  undo clock_set "$1" 0
  clock_set "$1" "$2"
}

fault_failover() {
  fault_isolated failover
  standby_take_over
}
