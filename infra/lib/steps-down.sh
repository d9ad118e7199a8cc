# shellcheck shell=bash
# The steps of down, in their order, and the look for what is left.

# Stops the named services at once, together.
down_services() {
  local name
  for name in "$@"; do service_stop "$name" & done
  wait
}

down_kind() {
  local -a names
  mapfile -t names < <(service_names "$1")
  ((${#names[@]})) && down_services "${names[@]}"
  detail "${names[*]:-none}"
}

# down_agents power-off|purge: the agents, then their VMs, which outlive an agent.
down_agents() {
  local file agent failed=0
  local -a jobs=()
  down_kind agent
  for file in "$CONFIG"/agent-*.json; do
    [[ -e $file ]] || continue
    agent=$(basename "$file" .json)
    if agent_built; then
      agent_command "$1" "${agent#agent-}" &
    else
      down_agent_unbuilt "$agent" &
    fi
    jobs+=($!)
  done
  for agent in "${jobs[@]}"; do wait "$agent" || failed=1; done
  ((failed == 0)) || fail_with_log "$(ls -t "$LOG"/agent-*.log | head -n 1)" "The VMs of an agent could not be powered off cleanly." \
    "Logs: $LOG/agent-*.log"
}

# Without the agent's program: ends what runs in a process namespace of its own with this agent's folder in its arguments.
down_agent_unbuilt() {
  local process own folder=$HOSTING_HOME/$1/
  own=$(readlink /proc/self/ns/pid)
  for process in /proc/[0-9]*; do
    [[ $(readlink "$process/ns/pid" 2>/dev/null) != "$own" ]] || continue
    grep -qzF -- "$folder" "$process/cmdline" 2>/dev/null || continue
    kill -KILL "${process#/proc/}" 2>/dev/null || true
  done
  printf '%s\n' "$1" >>"$UI_SCRATCH/unbuilt"
}

down_postgres() { down_services standby postgres; }

# Mounts below the stack's folder, deepest first: an interrupted agent may have left some.
down_mounts() {
  local mount
  stack_mounts | sort -r | while read -r mount; do umount -l "$mount"; done
  [[ -z $(stack_mounts) ]] || die 1 "Still mounted: $(stack_mounts | tr '\n' ' ')" "Unmount it, then call this again."
}

stack_mounts() {
  awk -v home="$HOSTING_HOME/" -v elsewhere="$POSTGRES_ELSEWHERE" 'index($5, home) == 1 || $5 == elsewhere { print $5 }' /proc/self/mountinfo
}

down_purge() {
  [[ -e $STACK_MARKER ]] || die 1 "$HOSTING_HOME is not the home of a stack: nothing is removed."
  postgres_purge
  rm -rf --one-file-system "$HOSTING_HOME"
}

# Says what only the agent's program knows how to remove.
down_tell_unbuilt() {
  [[ -e $UI_SCRATCH/unbuilt ]] || return 0
  warn "HostAgent is not built: the processes in the VMs of $(tr '\n' ' ' <"$UI_SCRATCH/unbuilt")were killed, but nothing was cleaned up after them."
  warn "Look for what they left: 'ip netns', 'ip link', 'iptables -S', 'find /sys/fs/cgroup -name \"hosting-*\"';"
  warn "a next ./infra/up and ./infra/down of this stack removes it, unless its data are purged."
}
