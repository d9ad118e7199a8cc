# shellcheck shell=bash
# Clocks of an isolated stack's silos, gateways and agents, each of which can be set apart from the machine's; only where
# HOSTING_CLOCKS was set when the stack was brought up, and there is a compiler. Needs stack.sh, network.sh.

CLOCK_LIBRARY=$HOSTING_HOME/clock.so

clock_file() { printf '%s/%s.clock' "$RUN" "$1"; }

# clock_enter NAME: what to put before a command line to give the process a clock of its own; nothing when the stack is not isolated.
clock_enter() {
  network_isolated && [[ ${HOSTING_CLOCKS:-} ]] || return 0
  mkdir -p "$RUN"
  [[ -e $(clock_file "$1") ]] || clock_set "$1" 0
  [[ $CLOCK_LIBRARY -nt $REPO/infra/lib/clock.c ]] || cc -shared -fPIC -O2 -nostdlib -o "$CLOCK_LIBRARY" "$REPO/infra/lib/clock.c"
  printf 'env LD_PRELOAD=%q HOSTING_CLOCK=%q ' "$CLOCK_LIBRARY" "$(clock_file "$1")"
}

# clock_set NAME SECONDS: ahead of the machine's by so much, or behind. The file is mapped by its process: it is never cut short.
clock_set() { printf '%-31d\n' "$2" 1<>"$(clock_file "$1")"; }
