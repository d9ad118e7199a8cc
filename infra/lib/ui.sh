# shellcheck shell=bash
# Output for people: a line a step. A terminal gets colour and a running clock, a pipe gets plain lines.

if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then UI_TERMINAL=1; else UI_TERMINAL=; fi
if [[ $UI_TERMINAL && -z ${NO_COLOR:-} ]]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' CYAN=$'\e[36m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' RED='' GREEN='' YELLOW='' CYAN='' PLAIN=''
fi

UI_SCRATCH=$(mktemp -d)
UI_WORKER=
trap 'ui_cleanup' EXIT
trap 'ui_interrupted' INT TERM

ui_cleanup() { rm -rf "$UI_SCRATCH"; }

ui_interrupted() {
  trap - INT TERM
  [[ $UI_WORKER ]] && kill -TERM -- "-$UI_WORKER" 2>/dev/null
  printf '\n%sInterrupted.%s\n' "$YELLOW" "$PLAIN" >&2
  exit 130
}

# The clock in microseconds.
ui_now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# ui_seconds MICROSECONDS: "12.3 s".
ui_seconds() { printf '%d.%d s' $(($1 / 1000000)) $(($1 % 1000000 / 100000)); }

heading() { printf '%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
note() { printf '  %s%s%s\n' "$DIM" "$*" "$PLAIN"; }
warn() { printf '  %s!%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# die STATUS MESSAGE [LINE...]: says what is wrong, then what to do about it, and ends the command.
die() {
  local status=$1 line
  printf '%s%s%s\n' "$RED" "$2" "$PLAIN" >&2
  shift 2
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit "$status"
}

# For the command of a step: what it is doing now, or how it came out. Shown behind the step's title.
detail() { printf '%s\n' "$*" >"$UI_SCRATCH/detail"; }

# For the command of a step: fail_with_log LOG MESSAGE [LINE...]: the end of the log that explains it, then the message.
fail_with_log() {
  local log=$1
  shift
  if [[ -s $log ]]; then
    printf 'The end of %s:\n' "$log"
    tail -n 25 "$log" | cut -c1-400 | sed 's/^/  | /'
  fi
  die 1 "$@"
}

# step TITLE COMMAND [ARG...]: runs the command in a shell of its own that stops at the first error, and shows how long it
# takes. Its output is kept back and shown when it fails. What it starts does not inherit the lock (descriptor 9).
# Never call it in a condition (if, ||, &&): bash would then not stop at errors inside; use attempt.
step() {
  attempt "$@"
  return "$STEP_STATUS"
}

# Like step, for callers that go on after a failure: succeeds always and leaves the outcome in STEP_STATUS.
attempt() {
  local title=$1 started
  shift
  STEP_STATUS=0
  started=$(ui_now)
  : >"$UI_SCRATCH/detail"
  set -m # a process group of its own, so that an interrupt reaches everything the step started
  (
    set +m
    trap - EXIT INT TERM
    set -e
    "$@"
  ) >"$UI_SCRATCH/output" 2>&1 </dev/null 9>&- &
  UI_WORKER=$!
  set +m
  ui_watch "$title" "$started"
  wait "$UI_WORKER" || STEP_STATUS=$?
  UI_WORKER=
  ui_finish "$title" "$started" "$STEP_STATUS"
}

# Follows the running step: a redrawn line on a terminal; in a pipe a line when it takes over a second, and one per news.
ui_watch() {
  local title=$1 started=$2 elapsed pause=0.02 frames="|/-\\" tick=0 shown='' text
  while kill -0 "$UI_WORKER" 2>/dev/null; do
    elapsed=$(($(ui_now) - started))
    text=
    read -r text <"$UI_SCRATCH/detail" || true
    if [[ $UI_TERMINAL ]]; then
      printf '\r\e[K  %s%s%s %s %s%s %s%s' "$CYAN" "${frames:tick++%4:1}" "$PLAIN" "$title" \
        "$DIM" "$(ui_seconds "$elapsed")" "${text:0:60}" "$PLAIN"
    elif ((elapsed > 1000000)) && [[ ! $shown || ($text && $shown != " ${text//[0-9.]/}") ]]; then
      printf '  .. %s%s\n' "$title" "${text:+: $text}"
      shown=" ${text//[0-9.]/}" # other numbers are no news
    fi
    ((elapsed > 300000)) && pause=0.1
    sleep "$pause"
  done
}

ui_finish() {
  local title=$1 elapsed text='' took=''
  elapsed=$(($(ui_now) - $2))
  read -r text <"$UI_SCRATCH/detail" || true
  ((elapsed > 1000000)) && took=" $(ui_seconds "$elapsed")"
  [[ $UI_TERMINAL ]] && printf '\r\e[K'
  if (($3 == 0)); then
    printf '  %sok%s %s%s%s%s%s\n' "$GREEN" "$PLAIN" "$title" "$DIM" "${text:+: $text}" "$took" "$PLAIN"
  else
    printf '  %sFAILED%s %s%s\n' "$RED" "$PLAIN" "$title" "$took"
    tail -n 60 "$UI_SCRATCH/output" | sed 's/^/    /'
  fi
}
