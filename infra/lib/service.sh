# shellcheck shell=bash
# Supervised processes of the stack. A service is described by config/NAME.launch, a script that ends by becoming the process;
# run by hand (bash FILE) it gives the same process in the foreground. Needs stack.sh, process.sh, ui.sh.

SUPERVISE=$REPO/infra/lib/supervise

# service_apply NAME STOP_SIGNAL, the launch script on standard input: starts it, or restarts it when the script changed, or
# leaves it alone. The outcome is printed by detail.
service_apply() {
  local name=$1 signal=$2 wanted
  wanted=$(mktemp "$CONFIG/.$name.XXXXXX")
  cat >"$wanted"
  if service_running "$name" && cmp -s "$wanted" "$CONFIG/$name.launch"; then
    rm "$wanted"
    detail "already running"
    return
  fi
  service_stop "$name"
  mv "$wanted" "$CONFIG/$name.launch"
  service_spawn "$name" "$signal"
}

service_running() { process_alive "$1.supervisor"; }

service_spawn() {
  local name=$1 signal=$2
  setsid -f "$SUPERVISE" "$HOSTING_HOME" "$name" "$signal" </dev/null >>"$LOG/supervisors.log" 2>&1 9>&-
  until service_running "$name" && [[ -e $RUN/$name.pid ]]; do sleep 0.01; done
}

# Stops the supervisor, which stops its process; then the process itself, should its supervisor have been killed.
service_stop() {
  process_stop "$1.supervisor" TERM 20
  process_stop "$1" TERM 15
  process_forget "$1"
  process_forget "$1.supervisor"
  rm -f "$RUN/$1.restarts"
}

# service_await NAME SECONDS WHAT COMMAND [ARG...]: until the command succeeds; gives up early on a service that keeps dying.
service_await() {
  local name=$1 seconds=$2 what=$3 deadline=$((SECONDS + $2)) restarts
  shift 3
  until "$@" >/dev/null 2>&1; do
    restarts=0
    { read -r restarts <"$RUN/$name.restarts"; } 2>/dev/null || true
    if ((restarts >= 4)); then
      fail_with_log "$LOG/$name.log" "$name keeps ending right after its start." "Its log: $LOG/$name.log" \
        "Run it in the foreground: bash $CONFIG/$name.launch"
    fi
    if ((SECONDS >= deadline)); then
      fail_with_log "$LOG/$name.log" "$what did not happen within $seconds s." "Its log: $LOG/$name.log" \
        "Call $(stack_command up) again after the cause is gone: it goes on from here."
    fi
    sleep 0.1
  done
}

# The names of services that have been started in this stack, by prefix: service_names agent
service_names() {
  local file
  for file in "$CONFIG/$1"-*.launch; do
    [[ -e $file ]] && basename "$file" .launch
  done | sort -V
}
