# shellcheck shell=bash
# Where a stack lives. A stack is one HOSTING_HOME: its processes, data, ports and logs; several can run side by side.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
HOSTING_HOME=$(realpath -m "${HOSTING_HOME:-$REPO/.hosting}")
RUN=$HOSTING_HOME/run
LOG=$HOSTING_HOME/log
CONFIG=$HOSTING_HOME/config
IMAGES=$HOSTING_HOME/images
# shellcheck disable=SC2034 # of those who source this
STACK_ID=$(printf '%s' "$HOSTING_HOME" | sha1sum | cut -c1-10)
STACK_MARKER=$HOSTING_HOME/.hosting-stack

# Ends the command for a folder with other things in it: a purge would take them away too.
stack_check() {
  stack_exists || [[ ! -d $HOSTING_HOME || -z $(ls -A -I .lock "$HOSTING_HOME") ]] ||
    die 1 "$HOSTING_HOME is not empty and is not the home of a stack." "Set HOSTING_HOME to a new or an empty folder."
}

stack_create() {
  : >"$STACK_MARKER"
  mkdir -p "$RUN" "$LOG" "$CONFIG" "$IMAGES"
  chmod 700 "$CONFIG" # passwords
}

stack_exists() { [[ -e $STACK_MARKER ]]; }

# Holds the stack's lock on descriptor 9 until this shell ends; waits for another command that holds it.
stack_lock() {
  local lock=$HOSTING_HOME/.lock
  while :; do
    mkdir -p "$HOSTING_HOME"
    exec 9>>"$lock"
    if ! flock -n 9; then
      note "Waiting for another up or down of this stack ..."
      flock 9
    fi
    # A purge may have removed the file meanwhile: then the lock held here is one that nobody else sees.
    [[ $(stat -c %i "$lock" 2>/dev/null) == "$(stat -Lc %i /proc/self/fd/9)" ]] && return
  done
}

# How to call a command of this stack, for messages: with HOSTING_HOME in front when it is not the default.
stack_command() {
  local home=
  [[ $HOSTING_HOME != "$REPO/.hosting" ]] && home="HOSTING_HOME=$HOSTING_HOME "
  printf '%s./infra/%s' "$home" "$*"
}
