# shellcheck shell=bash
# Who a process is: its id and when it started, so that a reused id is never mistaken for it.
# NAME.pid holds the id alone, NAME.start beside it the identity. Needs RUN.

# process_identity PID: the start time in clock ticks and the boot it counts from; fails when there is none or it is a zombie.
process_identity() {
  local stat boot
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  local -a field
  read -ra field <<<"${stat##*) }" # the name before it may hold spaces and brackets
  [[ ${field[0]} != Z ]] || return 1
  printf '%s %s %s' "$1" "${field[19]}" "$boot"
}

# process_record NAME PID
process_record() {
  { process_identity "$2" && printf '\n'; } >"$RUN/$1.start" || true
  printf '%s\n' "$2" >"$RUN/$1.pid.new"
  mv "$RUN/$1.pid.new" "$RUN/$1.pid" # readers never see half a file
}

process_forget() { rm -f "$RUN/$1.pid" "$RUN/$1.start"; }

# process_pid NAME: its id when that very process still runs.
process_pid() {
  local pid recorded
  # Not $(<file): in bash 5.2 that ends the whole shell when the file is just being removed.
  { read -r pid <"$RUN/$1.pid" && read -r recorded <"$RUN/$1.start"; } 2>/dev/null || return 1
  [[ $recorded && $(process_identity "$pid") == "$recorded" ]] || return 1
  printf '%s' "$pid"
}

process_alive() { process_pid "$1" >/dev/null; }

# process_stop NAME SIGNAL SECONDS: signals it, waits, and kills it when the time is over.
process_stop() {
  local pid deadline=$((SECONDS + $3))
  pid=$(process_pid "$1") || return 0
  kill -s "$2" "$pid" 2>/dev/null || return 0
  while process_alive "$1"; do
    ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.02
  done
}
