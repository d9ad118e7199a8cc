# shellcheck shell=bash
# The shape of the pool: how many servers, regions and silos, which belongs where, and what runs the VMs. Kept in config/pool, so that a later
# call without options goes on with the same shape. Needs stack.sh, ui.sh.

POOL_FILE=$CONFIG/pool
POOL_AREAS=(eu us ap)
POOL_LIMIT=64

# pool_shape SERVERS REGIONS SILOS DRIVER, each empty for "as it was": sets SERVERS, REGIONS (names), SILOS and DRIVER.
pool_shape() {
  local kept_servers=1 kept_regions=1 kept_silos=1 kept_driver='' regions index cpu memory
  [[ -e $POOL_FILE ]] && read -r kept_servers kept_regions kept_silos kept_driver <"$POOL_FILE"
  regions=${2:-$kept_regions}
  SERVERS=${1:-$((kept_servers > regions ? kept_servers : regions))}
  SILOS=${3:-$kept_silos}
  DRIVER=${4:-${kept_driver:-nested}}
  ((SERVERS >= regions)) || die 2 "--servers $SERVERS --regions $regions: every region needs a server of its own."
  if ((SERVERS > 1)); then
    read -r cpu memory < <(server_share)
    ((cpu >= 100 && memory >= 256)) || die 2 "--servers $SERVERS: a share of this machine would be $cpu thousandths of a core and $memory MiB." \
      "A server needs 100 and 256: ask for fewer."
  fi
  REGIONS=()
  for ((index = 0; index < regions; index++)); do REGIONS+=("${POOL_AREAS[index % 3]}-$((index / 3 + 1))"); done
}

pool_keep() { printf '%s %s %s %s\n' "$SERVERS" "${#REGIONS[@]}" "$SILOS" "$DRIVER" >"$POOL_FILE"; }

# pool_number OPTION VALUE: ends the command unless it is a number from 1 to the limit.
pool_number() {
  [[ $2 =~ ^[1-9][0-9]{0,2}$ ]] && (($2 <= POOL_LIMIT)) || die 2 "$1 takes a number from 1 to $POOL_LIMIT, not '$2'."
}

# Servers are dealt out to the regions in turn: the region and the name of server N (from 1).
server_region() { printf '%s' "${REGIONS[($1 - 1) % ${#REGIONS[@]}]}"; }
server_name() { printf 'srv-%02d' "$1"; }

# The regions of silo N (from 1), separated by commas. Fewer silos than regions: each serves all of them, so that any can fail.
# Otherwise one region each, in turn, and the extra silos double up.
silo_regions() {
  if ((SILOS < ${#REGIONS[@]})); then
    (IFS=, && printf '%s' "${REGIONS[*]}")
  else
    printf '%s' "${REGIONS[($1 - 1) % ${#REGIONS[@]}]}"
  fi
}

# The silos of a region, one number a line.
region_silos() {
  local silo
  for ((silo = 1; silo <= SILOS; silo++)); do
    [[ ,$(silo_regions "$silo"), == *,"$1",* ]] && printf '%s\n' "$silo"
  done
  return 0
}

# The share of the machine that one of several servers gets: CPU in thousandths of a core, then memory in MiB.
server_share() {
  local memory_kib
  memory_kib=$(awk '/^MemTotal/ {print $2}' /proc/meminfo)
  printf '%d %d\n' $(($(nproc) * 1000 / SERVERS)) $((memory_kib * 6 / 10 / 1024 / SERVERS))
}
