# shellcheck shell=bash
# Our own processes: what each silo, gateway and agent is started with. Needs pool.sh, ports.sh, network.sh, clock.sh, disk.sh, postgres.sh,
# service.sh, build.sh.

CLUSTER=hosting
APPS_DOMAIN=localhost

# launch_script NAME PROJECT ASSEMBLY COMMENT, then KEY=VALUE and after -- the arguments: prints a launch script.
launch_script() {
  local name=$1 project=$2 assembly=$3 variable
  printf '# %s; build %s\n' "$4" "$(build_id "$project")"
  shift 4
  printf 'unset ASPNETCORE_URLS ASPNETCORE_HTTP_PORTS DOTNET_ENVIRONMENT\n'
  for variable in ASPNETCORE_ENVIRONMENT=Production DOTNET_gcServer=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1; do
    printf 'export %s\n' "$variable"
  done
  while (($#)) && [[ $1 != -- ]]; do
    printf 'export %s=%q\n' "${1%%=*}" "${1#*=}"
    shift
  done
  (($#)) && shift
  printf 'cd %q\n' "$REPO/$(output_of "$project")"
  printf 'exec %s%s%s' "$(network_enter "$name")" "$(clock_enter "$name")" "$(run_command "$project" "$assembly")"
  (($#)) && printf ' %q' "$@"
  printf '\n'
}

silo_ports() { port_ensure "silo-$1" "silo-$1.silo" "silo-$1.gateway" "silo-$1.api" "silo-$1.agent"; }
silo_api() { printf 'http://%s:%s' "$(address_of "silo-$1")" "$(port_of "silo-$1.api")"; }

silo_start() {
  local silo=$1
  network_ensure "silo-$silo"
  launch_script "silo-$silo" Silo Hosting.Silo "Silo $silo" \
    "ConnectionStrings__Hosting=$(postgres_connection_string)" \
    "Hosting__Cluster=$CLUSTER" \
    "Hosting__AppsDomain=$APPS_DOMAIN" \
    "Hosting__PublicPort=$(http_port)" \
    "Hosting__Silo__Name=silo-$silo" \
    "Hosting__Silo__Regions=$(silo_regions "$silo")" \
    "Hosting__Silo__Address=$(address_of "silo-$silo")" \
    "Hosting__Silo__SiloPort=$(port_of "silo-$silo.silo")" \
    "Hosting__Silo__GatewayPort=$(port_of "silo-$silo.gateway")" \
    "Hosting__Silo__ApiPort=$(port_of "silo-$silo.api")" \
    "Hosting__Silo__AgentPort=$(port_of "silo-$silo.agent")" | service_apply "silo-$silo" TERM
}

silo_await() { service_await "silo-$1" 90 "Readiness of silo-$1" curl -fsS -m 2 "$(silo_api "$1")/readyz"; }

gateway_start() {
  port_ensure gateway-1 gateway-1.admin
  launch_script gateway-1 Gateway Hosting.Gateway "The gateway" \
    "ConnectionStrings__Hosting=$(postgres_connection_string)" \
    "Hosting__Cluster=$CLUSTER" \
    "Hosting__AppsDomain=$APPS_DOMAIN" \
    "Hosting__Gateway__Name=gateway-1" \
    "Hosting__Gateway__Region=${REGIONS[0]}" \
    "Hosting__Gateway__Address=127.0.0.1" \
    "Hosting__Gateway__Port=$(http_port)" \
    "Hosting__Gateway__AdminPort=$(port_of gateway-1.admin)" \
    "Hosting__Gateway__StateDirectory=$HOSTING_HOME/gateway-1" | service_apply gateway-1 TERM
  service_await gateway-1 60 "An answer of the API through the gateway" api_get /v1/regions
}

# api_get PATH: asks the API as its users do, through the gateway.
api_get() { curl -fsS -m 5 -H 'Host: localhost' "http://127.0.0.1:$(http_port)$1"; }

agent_config_file() { printf '%s/agent-%s.json' "$CONFIG" "$1"; }

agent_vm_image() { printf '%s/vm-image' "$HOSTING_HOME"; }

agent_config() {
  local agent=$1 region hubs='' silo share='' vms=''
  region=$(server_region "$agent")
  while read -r silo; do
    hubs+="${hubs:+, }\"http://$(address_of "silo-$silo"):$(port_of "silo-$silo.agent")\""
  done < <(region_silos "$region")
  if ((SERVERS > 1)); then
    # shellcheck disable=SC2046,SC2183
    share=$(printf ',\n    "Share": { "CpuMillis": %d, "MemoryMiB": %d }' $(server_share))
  fi
  if [[ $DRIVER == qemu ]]; then
    vms=$(printf ',\n    "VmDriver": "qemu",\n    "VmImage": "%s"' "$(agent_vm_image)")
  fi
  cat <<JSON
{
  "Agent": {
    "Region": "$region",
    "Server": "$(server_name "$agent")",
    "Hubs": [$hubs],
    "StateDirectory": "$HOSTING_HOME/agent-$agent",
    "ImagesDirectory": "$IMAGES"$share$vms
  }
}
JSON
}

# An agent whose configuration changed has its VMs powered off first: their share of the machine may be another now.
agent_start() {
  local agent=$1 file wanted
  file=$(agent_config_file "$agent")
  wanted=$(agent_config "$agent")
  if [[ -e $file && $(<"$file") != "$wanted" ]]; then
    service_stop "agent-$agent"
    agent_command power-off "$agent"
  fi
  printf '%s\n' "$wanted" >"$file"
  disk_ensure "$HOSTING_HOME/agent-$agent"
  launch_script "agent-$agent" HostAgent Hosting.HostAgent "Agent of server $(server_region "$agent")/$(server_name "$agent"), $(sha1sum <"$file" | cut -c1-12)" \
    -- --config "$file" | service_apply "agent-$agent" TERM
}

agent_await() {
  local id
  id=$(server_region "$1")/$(server_name "$1")
  detail "waiting for $id"
  # A real VM boots before it is saved, and where it is emulated that takes its time.
  service_await "agent-$1" "$([[ $DRIVER == qemu ]] && printf 600 || printf 90)" "Server $id online with its VMs ready" server_ready "$id"
}

server_ready() { server_says "$1" online true && ! server_says "$1" ready false; }

# server_says ID FIELD VALUE: whether the API says so of the server.
server_says() {
  local status
  status=$(api_get "/v1/servers/$1") || return
  [[ $status =~ \"$2\":[[:space:]]*$3[,}] ]]
}

# Whether any server takes containers. A busy machine has to calm down first: says so.
pool_admitting() {
  local server status id
  for ((server = 1; server <= SERVERS; server++)); do
    id=$(server_region "$server")/$(server_name "$server")
    server_says "$id" admitting true && return
  done
  status=$(api_get "/v1/servers/$id") || return
  [[ $status =~ \"notAdmittingReason\":[[:space:]]*\"([^\"]*)\" ]] && detail "waiting for room: ${BASH_REMATCH[1]}"
  return 1
}

# agent_command power-off|purge N: what an agent does to its VMs when it is not there to keep them.
agent_command() {
  local command
  command=$(run_command HostAgent Hosting.HostAgent)
  (cd "$REPO/$(output_of HostAgent)" && eval "exec timeout 120 $command $1 --config $(printf '%q' "$(agent_config_file "$2")")") \
    >>"$LOG/agent-$2.log" 2>&1
}

agent_built() { [[ -e $REPO/$(output_of HostAgent)/Hosting.HostAgent.dll ]]; }
