#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A launch that fails says which step it was and why, in one line, ends with 125, starts nothing of the task and leaves nothing behind;
# the report tells the same. The failures come from outside: system calls that fail, limits, capabilities that are missing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# failed_with NAME MESSAGE: what the last run came to: OUT, ERR and RC; and its report
failed_with() {
	is "$1" "$RC $OUT$ERR" "125 nomad-exec: $2"
	is "$1: so says the report" "$(grep -E '"(phase|error|exit_code|pid)"' "$T/report" | tr -d '\n')" \
		"  \"pid\": null,  \"phase\": \"launch\",  \"exit_code\": null,  \"error\": \"$2\","
	is "$1: nothing is left" "$(left_of failing)" ''
}

# --- system calls of the process that becomes the task ---

# broken CALL:ERROR:when=N OPTION...: a run in which this call fails; N counts the calls of each process
broken() {
	rm -f "$T/report"
	strace -f -o "$T/trace" -e "trace=${1%%:*}" -e "inject=$1" "$NX" run --id failing --result "$T/report" "${@:2}" -- \
		/bin/echo ran >"$T/out" 2>"$T/err" </dev/null
	RC=$?
	OUT=$(cat "$T/out") ERR=$(grep -v '^strace: ' "$T/err")
}
if command -v strace >/dev/null; then
	broken unshare:error=ENOSPC:when=1
	failed_with 'the cgroup namespace' "make the task's cgroup namespace: No space left on device"
	broken sethostname:error=EPERM --hostname other
	failed_with 'the hostname' 'set the hostname other: Operation not permitted'
	broken close_range:error=ENOMEM
	failed_with 'descriptors' 'close inherited descriptors: Cannot allocate memory'
	broken setsid:error=EPERM
	failed_with 'the session' 'start a session: Operation not permitted'
	broken setresuid:error=EAGAIN
	failed_with 'the user' 'set the user: Resource temporarily unavailable'
	broken getcwd:error=ENOENT:when=1 --work-dir /tmp
	failed_with 'the working directory' 'find out where --work-dir /tmp is: No such file or directory'
	broken sched_setscheduler:error=EPERM
	failed_with 'scheduling' 'reset scheduling: Operation not permitted'
else
	skip 'system calls that fail' 'strace is not installed'
fi

# --- limits of the caller ---

# limited OPTIONS ARGUMENTS...: the launcher below ulimit; OUT is all that was printed, through a pipe, which has no size
limited() {
	# shellcheck disable=SC2086 # words
	OUT=$( (ulimit $1 && shift && exec "$NX" "$@") 2>&1 </dev/null)
	RC=$?
}
limited '-f 0' run --result "$T/report" -- /bin/echo ran
is 'a report that is larger than a file may be' "$RC $OUT" "125 ran
nomad-exec: --result $T/report: write: File too large"
limited '-S -f 0' run -- /bin/sh -c 'echo more >/local/file; ulimit -S -f'
is 'the limit is not for the task' "$RC $OUT" '0 unlimited'
head -c 100000 /dev/zero >"$T/large"
limited '-f 1' run --artifact-source "$T/large" --command large
like 'an artifact that is' "$RC $OUT" '125 nomad-exec: .*: File too large'
# From too few for anything to enough: each time all of it or one line, and nothing stays.
wrong='' ran=0 failed=0
for n in $(seq 6 24); do
	limited "-n $n" run --id failing -- /bin/sh -c 'mkdir -p /local/1/2/3/4/5/6/7/8/9; echo ran'
	case "$RC $OUT" in
	'0 ran') ran=$((ran + 1)) ;;
	'125 nomad-exec: '*) failed=$((failed + 1)) ;;
	*) wrong="$wrong $n: $RC $OUT" ;;
	esac
	[ "$(wc -l <<<"$OUT") $(left_of failing)" = '1 ' ] || wrong="$wrong $n: $OUT, $(left_of failing)"
done
is 'few descriptors' "$wrong $((ran > 0)) $((failed > 0))" ' 1 1'
deep=/local$(printf '/%d' $(seq 200))
limited '-n 24' run --id failing -- /bin/mkdir -p "$deep"
is 'and a deep tree' "$RC $OUT$(left_of failing)" '0 '
limited '-S -n 6' run -- /bin/sh -c 'ulimit -S -n'
is 'a soft limit is no obstacle' "$RC $OUT" '0 1024'
is 'nothing is left' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''

# --- capabilities that are missing ---

# lacks CAPABILITY MESSAGE: the launcher as root without it, and what fingerprint says
lacks() {
	if ! setpriv --bounding-set="-$1" "$NX" version >"$T/out" 2>&1; then
		skip "without $1" "$(cat "$T/out")"
		return
	fi
	out=$(setpriv --bounding-set="-$1" "$NX" run --id failing -- /bin/echo ran 2>&1 </dev/null)
	is "without $1" "$? $out$(left_of failing)" "125 nomad-exec: $2"
	out=$(setpriv --bounding-set="-$1" "$NX" fingerprint driver.exec 2>&1)
	is "without $1 there is no driver.exec" "$? $out" \
		"1 nomad-exec: warning: no driver.exec here: capability $1: not held; give it to nomad-exec, or to the container that it is in"
}
refused='Operation not permitted'
ask="$refused; \`nomad-exec fingerprint driver.exec\` tells what is missing"
lacks sys_admin "copy the mounts of the allocation $NOMAD_EXEC_ALLOC_DIR/failing (open_tree): $refused; it takes Linux 5.12 or newer, and CAP_SYS_ADMIN"
lacks mknod "fill /dev: $refused; making devices takes CAP_MKNOD"
lacks chown "fill the allocation $NOMAD_EXEC_ALLOC_DIR/failing: $refused; giving it to the task's user takes CAP_CHOWN"
lacks setpcap "limit the capability bounding set: $ask"
lacks setgid "set the supplementary groups: $ask"
lacks setuid "set the user: $ask"

finish
