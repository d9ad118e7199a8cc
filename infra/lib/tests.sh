# shellcheck shell=bash
# Running test projects and counting what they say. Each has a folder below TestResults with its log, results (trx) and exit
# status. Needs stack.sh, ui.sh.

TESTS_OUT=$REPO/TestResults
TESTS_SECONDS=900 # a project that takes longer hangs
# These start engines, namespaces and whole stacks: they take the machine for themselves, one at a time, in this order: the first
# saves the state of a real VM that the second resumes.
TESTS_ALONE=(HostAgent.Tests EndToEnd.Tests)

TESTS_VM_IMAGE=$REPO/infra/obj/vm-image # where HostAgent.Tests and EndToEnd.Tests look for it

# Whether one of the projects starts real VMs.
tests_need_vm() { [[ " $* " == *" HostAgent.Tests "* || " $* " == *" EndToEnd.Tests "* ]]; }

# The names of the test projects, one a line; with arguments only those whose name contains one of them.
tests_projects() {
  local file name word
  for file in "$REPO"/Tests/*.Tests/*.Tests.csproj; do
    [[ -e $file ]] || continue
    name=$(basename "$file" .csproj)
    if (($# == 0)); then printf '%s\n' "$name"; fi
    for word in "$@"; do
      if [[ $name == *"$word"* ]]; then printf '%s\n' "$name"; break; fi
    done
  done
}

tests_alone() { [[ " ${TESTS_ALONE[*]} " == *" $1 "* ]]; }

# tests_run NAME FILTER: runs one project to its end. Environment of a stack in use is kept from it.
tests_run() {
  local name=$1 filter=$2 out=$TESTS_OUT/$1 status=0
  mkdir -p "$out"
  (cd "$REPO" && exec env -u HOSTING_HOME -u HOSTING_HTTP_PORT -u HOSTING_API timeout -k 15 "$TESTS_SECONDS" \
    dotnet test "Tests/$name/$name.csproj" -c Release --no-build --nologo --results-directory "$out" \
    --logger "trx;LogFileName=results.trx" --logger "console;verbosity=minimal" ${filter:+--filter "$filter"}) \
    >"$out/log" 2>&1 </dev/null || status=$?
  printf '%s\n' "$status" >"$out/status.new"
  mv "$out/status.new" "$out/status" # its appearance says that the project is over
}

# tests_count NAME KIND: passed, failed, total ... of its results; 0 without any.
tests_count() {
  local count
  count=$(grep -o '<Counters [^>]*' "$TESTS_OUT/$1/results.trx" 2>/dev/null | sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p" | head -n 1) || true
  printf '%s' "${count:-0}"
}

# Whether it ended otherwise than by the outcome of its tests: it crashed, hung, or could not be loaded.
tests_crashed() {
  local status
  read -r status <"$TESTS_OUT/$1/status"
  ((status != 0 && $(tests_count "$1" failed) == 0))
}

# One line for a project that is over.
tests_line() {
  local name=$1 passed failed skipped mark="${GREEN}ok$PLAIN" text
  passed=$(tests_count "$name" passed)
  failed=$(tests_count "$name" failed)
  skipped=$(($(tests_count "$name" total) - $(tests_count "$name" executed)))
  text="$passed passed"
  ((failed == 0)) || { mark="${RED}FAILED$PLAIN" text+=", $failed failed"; }
  ((skipped == 0)) || text+=", $skipped skipped"
  if tests_crashed "$name"; then mark="${RED}CRASHED$PLAIN" text+=", then it ended with status $(<"$TESTS_OUT/$name/status")"; fi
  printf '  %s %-24s %s  %s%s%s\n' "$mark" "$name" "$text" "$DIM" "$(ui_seconds "$2")" "$PLAIN"
}

# The messages of a project's failures; the end of its log when it crashed.
tests_explain() {
  local name=$1 log=$TESTS_OUT/$1/log
  printf '\n'
  heading "$name"
  if tests_crashed "$name"; then
    tail -n 40 "$log" | sed 's/^/  /'
  else
    # From each failed test to the next, without the lines of success and of the runner.
    sed -n '/\[FAIL\]/,$p' "$log" | grep -vE '^(Failed!|Results File:|Test Run|Total tests)' | head -n 200 | cut -c1-400 | sed 's/^/  /' || true
  fi
  note "whole log: $log"
}
