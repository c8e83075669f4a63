#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --dry-run: what it prints is what a run then does, and it does none of it. As root, and as a user who could not.
# shellcheck disable=SC2016 # references in single quotes are for the launcher
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
hint='nomad-exec: try: nomad-exec run --help'

# plan OPTION...: the plan is in $T/out
plan() { nx run --dry-run --id plan "$@"; }

# part WORD: the lines of the plan that begin so, without that word
part() { sed -n "s/^$1  *//p" "$T/out"; }

# --- the process ---

group=$(id -g nobody) home=$(getent passwd nobody | cut -d: -f6)
plan --env 'A=${node.region}' --env $'B=\e]0;x\a\\' --env-file <(echo C=1) --meta m=1 --work-dir /local --hostname h --name web --cap-add net_bind_service \
	--timeout 1m --kill-signal TERM --kill-timeout 250ms --keep -- /bin/echo '${A}' $'a\nb' '' é
is 'the process, its rights and its times; what would act on a terminal is written out' "$RC $ERR$(grep -v -e ^root -e ^cgroup "$T/out")" \
	"0 id        plan
task      web
command   /bin/echo
argument  global
argument  a\\x0ab
argument  
argument  é
env       NOMAD_ALLOC_DIR=/alloc
env       NOMAD_TASK_DIR=/local
env       NOMAD_SECRETS_DIR=/secrets
env       NOMAD_ALLOC_ID=plan
env       NOMAD_SHORT_ALLOC_ID=plan
env       NOMAD_TASK_NAME=web
env       NOMAD_DC=dc1
env       NOMAD_REGION=global
env       PATH=/usr/local/bin:/usr/bin:/bin
env       USER=nobody
env       LOGNAME=nobody
env       HOME=$home
env       NOMAD_CPU_LIMIT=100
env       NOMAD_MEMORY_LIMIT=300
env       NOMAD_META_m=1
env       NOMAD_META_M=1
env       C=1
env       A=global
env       B=\\x1b]0;x\\x07\\x5c
directory /local
user      $(id -u nobody):$group (nobody)
capabilities net_bind_service
no_new_privs on
namespaces mount pid ipc uts cgroup
allocation $NOMAD_EXEC_ALLOC_DIR/plan, kept at the end
timeout   60000 ms, then signal 15, then after 250 ms SIGKILL"
plan --user 4123456:7 -- true
is 'a user without an entry' "$(part user), $(part capabilities), $(part allocation)" "4123456:7 (no entry), none, $NOMAD_EXEC_ALLOC_DIR/plan"
plan --user root --cap-drop mknod -- true
is 'capabilities of root' "$(part capabilities)" \
	'chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot audit_write setfcap'
plan --artifact-source 'http://127.0.0.1:1/${meta.v}' --checksum md5:00112233445566778899aabbccddeeff --meta v=x.bin --artifact-destination local/d --command x.bin
is 'an artifact, which is not fetched' "$RC $(part artifact) $(part checksum) $(part into)" \
	'0 http://127.0.0.1:1/x.bin md5:00112233445566778899aabbccddeeff local/d'
plan -- /no/such/command
is 'a command, which is not looked for' "$RC $(part command)" '0 /no/such/command'

# --- the groups ---

# limits OPTION...: the plan's groups, each as FILE=VALUE
limits() { plan --name t "$@" -- true; part cgroup | sed 's,^.*/nomad-exec/plan\.t/,,; s/ = /=/' | sort | tr '\n' ' '; }
optional='(where the kernel has it)'
if is_v2; then
	is 'limits when nothing is said' "$(limits)" "cpu.weight=17 memory.max=314572800 memory.swap.max=0 $optional pids.max=4096 "
	is 'others' "$(limits --cpu 1024 --memory 1.5G --pids 7)" "cpu.weight=100 memory.max=1610612736 memory.swap.max=0 $optional pids.max=7 "
	is 'none' "$(limits --memory 0 --pids unlimited)" 'cpu.weight=17 '
	is 'the least and the most' "$(limits --cpu 1 --memory 1K --pids 1) $(limits --cpu 262144 --memory 0 --pids 4194304)" \
		"cpu.weight=1 memory.max=1024 memory.swap.max=0 $optional pids.max=1  cpu.weight=10000 pids.max=4194304 "
else
	memory() { echo "memory.limit_in_bytes=$1 memory.memsw.limit_in_bytes=$1 $optional memory.swappiness=0 $optional"; }
	is 'limits when nothing is said' "$(limits)" "cpu.shares=100 $(memory 314572800) pids.max=4096 "
	is 'others' "$(limits --cpu 1024 --memory 1.5G --pids 7)" "cpu.shares=1024 $(memory 1610612736) pids.max=7 "
	is 'none' "$(limits --memory 0 --pids unlimited)" 'cpu.shares=100 '
	is 'the least and the most' "$(limits --cpu 1 --memory 1K --pids 1) $(limits --cpu 262144 --memory 0 --pids 4194304)" \
		"cpu.shares=2 $(memory 1024) pids.max=1  cpu.shares=262144 pids.max=4194304 "
fi

# --- what is planned is what happens ---

run=(--name t --cpu 500 --memory 64M --pids 50)
plan "${run[@]}" -- true
cp "$T/out" "$T/plan"
mkfifo "$T/go"
"$NX" run --id plan "${run[@]}" -- /bin/sh -c 'cat /proc/self/mountinfo; ls -A /; for l in /*; do [ ! -L $l ] || echo "$l -> $(readlink $l)"; done; echo ready; read -r x' \
	<"$T/go" >"$T/seen" 2>&1 &
exec 3>"$T/go"
ok 'a task runs by this plan' wait_for 60 grep -q '^ready' "$T/seen"

different=$(part cgroup | sed 's/ = / /' | while read -r path value optional; do
	[ -e "$path" ] || [ -n "$optional" ] || echo "$path is not there"
	[ ! -e "$path" ] || [ "$(cat "$path")" = "$value" ] || echo "$path is $(cat "$path"), not $value"
done)
is 'its groups have the values' "$different" ''
exec 3>&-
wait $!
is 'it ends' "$?" 1

planned=$({
	echo /
	sed -n 's/^root *\(bind\|tmpfs\|proc\|sysfs\) *\([^ ]*\).*/\2/p' "$T/plan"
	sed -n 's,^root *devices .*,/dev /dev/pts /dev/shm /dev/mqueue,p' "$T/plan" | tr ' ' '\n'
	sed -n 's/^root *\(mask\|read-only\) *\([^ ]*\).*/\2/p' "$T/plan" | while read -r path; do [ ! -e "$path" ] || echo "$path"; done
} | sort)
mounted=$(awk '/ - / { print $5 }' "$T/seen" | sort -u)
is 'every mount of the plan is there' "$(comm -23 <(echo "$planned") <(echo "$mounted")) $(grep -cx -e / -e /etc -e /local -e /proc <<<"$planned")" ' 4'
# What is mounted on the host below a directory comes with it.
binds=$(sed -n 's/^root *bind *\([^ ]*\) from .*/\1/p' "$T/plan")
is 'and no other, but what the host has below its directories' \
	"$(comm -13 <(echo "$planned") <(echo "$mounted") | while read -r path; do
		for bind in $binds; do [ "${path#"$bind"/}" = "$path" ] || continue 2; done
		echo "$path"
	done)" ''
is 'which of them are read-only' "$(sed -n 's/^root *bind *\([^ ]*\) .*read-only$/\1/p' "$T/plan" | sort)" \
	"$(awk '/ - / && $6 ~ /^ro/ { print $5 }' "$T/seen" | sort -u | grep -Fx "$binds")"
is 'every link' "$(sed -n 's/^root *link *//p' "$T/plan" | grep '^/[^/]* ' | sort)" "$(grep '^/.* -> ' "$T/seen" | sort)"

# --- nothing is done ---

plan --result "$T/report" --keep -- true
is 'no allocation, no group, no report' "$RC $(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of plan; ls "$T/report" 2>/dev/null)" '0 '
plan --alloc-dir "$T/other/alloc" -- true
is 'nor a directory for allocations' "$RC $(part allocation) $(ls -d "$T/other" 2>/dev/null)" "0 $T/other/alloc/plan "
cp "$NX" "$T/nomad-exec"
setpriv --reuid 65534 --regid 65534 --clear-groups "$T/nomad-exec" run --dry-run --id plan "${run[@]}" -- true >"$T/out" 2>"$T/err"
is 'a user who is not root gets the same plan' "$? $(cat "$T/err" "$T/out")" "0 $(cat "$T/plan")"
(
	trap '' PIPE
	"$NX" run --dry-run -- true >/dev/full 2>"$T/err"
)
is 'a plan that cannot be written' "$? $(cat "$T/err")" '125 nomad-exec: write to standard output: No space left on device'

# --- mistakes are found ---

run_is 'an unknown user' 125 '' \
	"nomad-exec: user \"none-such\": not in the host's database; \`getent passwd\` lists what is; a number need not be there
$hint" -- run --dry-run --user none-such -- true
run_is 'a checksum' 125 '' "nomad-exec: checksum md5:0: md5 has exactly 32 hex digits
$hint" -- run --dry-run --artifact-source /x --checksum md5:0 --command x
run_is 'no command' 125 '' "nomad-exec: no command; name one with --command PATH, or behind --
$hint" -- run --dry-run
run_is 'an unknown reference' 125 '' "nomad-exec: argument 1: unknown variable \${x}
$hint" -- run --dry-run --strict -- true '${x}'

finish
