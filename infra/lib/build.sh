# shellcheck shell=bash
# Building the checkout, and knowing when there is nothing to build. Stamps and the lock belong to the checkout, not to a
# stack: several stacks can run from one. Needs stack.sh, ui.sh.

BUILD_STATE=$REPO/infra/obj
BUILD_COMMON=(Directory.Build.props Directory.Packages.props global.json .editorconfig infra/sql infra/analysis)
BUILD_RUNTIME=(Silo Grains GrainInterfaces Gateway HostAgent Cli)

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export HOME=${HOME:-/root}

# The state of the sources below the given paths: names, sizes and times of change.
build_fingerprint() {
  (
    cd "$REPO" || exit
    find "${BUILD_COMMON[@]}" "$@" \( -name bin -o -name obj -o -name TestResults \) -prune -o -type f -printf '%p %s %T@\n' 2>/dev/null
  ) | LC_ALL=C sort | sha1sum | cut -d' ' -f1
}

# build_fresh NAME OUTPUT PATH...: whether what was built last under that name is of these very sources.
build_fresh() {
  local name=$1 output=$2
  shift 2
  [[ -e $REPO/$output && -e $BUILD_STATE/$name.stamp && $(<"$BUILD_STATE/$name.stamp") == "$(build_fingerprint "$@")" ]]
}

# build NAME TARGET OUTPUT PATH...: builds TARGET in Release when it is not fresh.
build() {
  local name=$1 target=$2 output=$3 fingerprint log=$BUILD_STATE/$1.log
  shift 3
  if build_fresh "$name" "$output" "$@"; then
    detail "nothing changed"
    return
  fi
  mkdir -p "$BUILD_STATE"
  exec 8>>"$BUILD_STATE/lock"
  flock 8
  if build_fresh "$name" "$output" "$@"; then return; fi # another command built it while this one waited
  build_check_sdk
  fingerprint=$(build_fingerprint "$@")
  detail ""
  if ! build_target "$target" >"$log" 2>&1 8>&-; then build_explain "$target" "$log"; fi
  printf '%s\n' "$fingerprint" >"$BUILD_STATE/$name.stamp"
  flock -u 8
}

# No server of the build may outlive it. The compiler's is worth having meanwhile (a third of the time): it gets a name of
# its own, by which it is found and ended.
build_target() {
  local server=hosting-$$-$RANDOM status=0 process
  (cd "$REPO" && exec dotnet build "$1" -c Release -nodeReuse:false -p:UseRazorBuildServer=false -p:UseSharedCompilation=true \
    "-p:SharedCompilationId=$server" -nologo -v quiet -clp:NoSummary) || status=$?
  for process in /proc/[0-9]*; do
    if grep -qzxF -- "-pipename:$server" "$process/cmdline" 2>/dev/null; then kill "${process#/proc/}" || true; fi
  done
  rm -f "${TMPDIR:-/tmp}/$server" # its socket, which it leaves when it is killed
  return "$status"
}

build_explain() {
  { grep -E '(error|warning) [A-Z]+[0-9]+|error :|error MSB' "$2" || tail -n 20 "$2"; } | sort -u | head -n 30 || true
  die 1 "The build of $1 failed." "Everything it said: $2"
}

build_check_sdk() {
  local version
  version=$(cd "$REPO" && dotnet --version 2>/dev/null) || version=
  [[ $version == 1[0-9].* ]] || die 2 "The .NET 10 SDK is missing; found: ${version:-none that fits global.json}." \
    "Install it: https://dotnet.microsoft.com/download/dotnet/10.0"
}

build_runtime() { build runtime infra/runtime.slnf "$(output_of Silo)/Hosting.Silo.dll" "${BUILD_RUNTIME[@]}"; }
build_cli() { build cli Cli/Cli.csproj "$(output_of Cli)/hosting.dll" Cli; }


# Everything, tests and benchmarks too; then the smaller builds have nothing to do either.
build_all() {
  local runtime cli
  runtime=$(build_fingerprint "${BUILD_RUNTIME[@]}")
  cli=$(build_fingerprint Cli)
  build all Hosting.sln "$(output_of Silo)/Hosting.Silo.dll" Hosting.sln "${BUILD_RUNTIME[@]}" Tests
  printf '%s\n' "$runtime" >"$BUILD_STATE/runtime.stamp"
  printf '%s\n' "$cli" >"$BUILD_STATE/cli.stamp"
}

# The folder of what is started of a project, below the checkout.
output_of() {
  case $1 in
    Silo) printf 'Silo/bin/Release/net10.0/publish' ;; # compiled ahead
    *) printf '%s' "$1/bin/Release/net10.0" ;;
  esac
}

# What changes when a project's own output does; part of a launch script, so that a rebuilt service is restarted.
build_id() { stat -c '%n %s %Y' "$REPO/$(output_of "$1")"/Hosting.*.dll | sha1sum | cut -c1-12; }

# run_command PROJECT ASSEMBLY: the words that start it, quoted for a shell.
run_command() {
  local root program
  program=$REPO/$(output_of "$1")/$2
  root=$(dirname "$(readlink -f "$(command -v dotnet)")")
  if [[ -x $program && -d $root/host/fxr ]]; then
    printf 'env DOTNET_ROOT=%q %q' "$root" "$program"
  else
    printf 'dotnet %q' "$program.dll"
  fi
}
