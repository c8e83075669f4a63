# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers of the tests that drive the real binary. Each tests/run/NN-topic.sh sources this file, makes its checks, and ends with
# `finish`. Output is TAP. A failed check prints what was expected and what came. A prerequisite is probed by doing; with
# MUST_RUN=1 a skip is a failure. Everything a test makes is below $T, in groups named nomad-exec, or ended by pid.
# OUT, ERR, RC, PID and ARTIFACT are results, for the tests that source this file.
# shellcheck disable=SC2034
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
NX=${NX:-$root/build/nomad-exec}
T=$(mktemp -d "${TMPDIR:-/tmp}/nx-test.XXXXXX")
chmod 755 "$T"
# Allocations of tests are below $T too, and what is cached. Files of this host serve as artifacts; what fails is not tried again.
export NOMAD_EXEC_ALLOC_DIR=$T/alloc NOMAD_EXEC_CACHE_DIR=$T/cache NOMAD_EXEC_ALLOW_FILE=1 NOMAD_EXEC_RETRIES=0
checks=0 failures=0

[ -x "$NX" ] || { echo "Bail out! $NX is not there: run make"; exit 1; }
trap 'rm -rf "$T"' EXIT

pass() { checks=$((checks + 1)); echo "ok $checks - $1"; }

# fail NAME [LINE...]
fail() {
	checks=$((checks + 1)) failures=$((failures + 1))
	echo "not ok $checks - $1"
	shift
	for line in "$@"; do printf '%s\n' "$line" | sed 's/^/#   /'; done
}

# is NAME GOT EXPECTED: the same text
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected: $3" "got:      $2"; fi; }

# like NAME GOT REGEX: the whole text matches the extended regular expression
like() { if printf '%s' "$2" | tr '\n' ' ' | grep -Eqx -- "$3"; then pass "$1"; else fail "$1" "expected match of: $3" "got: $2"; fi; }

# ok NAME COMMAND...: the command succeeds
ok() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "failed with $?: $*" "$out"; fi
}

# skip NAME REASON
skip() {
	if [ "${MUST_RUN:-0}" = 1 ]; then fail "$1" "skipped, which MUST_RUN=1 forbids: $2"; else pass "$1 # SKIP $2"; fi
}

# nx ARGUMENTS...: runs the launcher; OUT, ERR and RC are what it printed and its status
nx() {
	"$NX" "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$?
	OUT=$(tr -d '\0' <"$T/out") ERR=$(tr -d '\0' <"$T/err")
}

# run_is NAME STATUS STDOUT STDERR -- ARGUMENTS...: the launcher's status and whole output
run_is() {
	local name=$1 status=$2 out=$3 err=$4
	shift 5
	nx "$@"
	if [ "$RC" = "$status" ] && [ "$OUT" = "$out" ] && [ "$ERR" = "$err" ]; then
		pass "$name"
	else
		fail "$name" "expected status $status, got $RC" "expected stdout: $out" "got stdout:      $OUT" \
			"expected stderr: $err" "got stderr:      $ERR"
	fi
}

# cgroup_roots: where the controllers are mounted, one line each
cgroup_roots() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

# groups_of ID: the cgroup directories of an allocation
groups_of() { for r in $(cgroup_roots); do ls -d "$r/nomad-exec/$1".* 2>/dev/null; done; }

# v2: the memory controller is on the unified hierarchy
is_v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }

# left_of ID: whatever an ended allocation left: groups and directories
left_of() { groups_of "$1"; ls -d "$NOMAD_EXEC_ALLOC_DIR/$1" 2>/dev/null; true; }

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	local until=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt "$until" ] || return 1
		sleep 0.05
	done
}

finish() {
	echo "1..$checks"
	[ "$failures" = 0 ]
	exit $?
}

# start NAME ARGUMENTS...: runs the launcher in the background; PID is its pid. What it prints is in $T/NAME.out and $T/NAME.err.
start() {
	local name=$1
	shift
	: >"$T/$name.out" # else said could find what an earlier one left
	"$NX" "$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null &
	PID=$!
}

# said NAME LINE: whether a started task has printed this line by now; for wait_for
said() { grep -qx -- "$2" "$T/$1.out"; }

# end_of NAME PID: waits for its end; OUT, ERR and RC as with nx
end_of() {
	wait "$2"
	RC=$?
	OUT=$(tr -d '\0' <"$T/$1.out") ERR=$(tr -d '\0' <"$T/$1.err")
}

# artifact FILE: the options that fetch and verify this file, in ARTIFACT
artifact() { ARTIFACT=(--artifact-source "$1" --checksum "sha256:$(sha256sum <"$1" | cut -c-64)"); }
