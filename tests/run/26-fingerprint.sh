#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The attributes of this host: against what other programs say of it, in each format, as root and as a user who is not, with cgroups
# and without. Nothing is changed and nothing is started by it.
# shellcheck disable=SC2016 # scripts in single quotes are for other shells
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
hint='nomad-exec: try: nomad-exec fingerprint --help'

# value ATTRIBUTE: what is printed for it alone, and the status
value() { nx fingerprint "$1"; echo "$RC $OUT$ERR"; }

# --- against other programs ---

nx fingerprint
cp "$T/out" "$T/all"
is 'all of it: status 0, no message' "$RC $ERR" '0 '
is 'one key=value a line' "$(grep -vE '^[a-z][A-Za-z0-9_.-]*=.+$' "$T/all")" ''
is 'sorted, no key twice' "$(cut -d= -f1 "$T/all")" "$(cut -d= -f1 "$T/all" | sort -u)"
is 'tasks can run here' "$(value driver.exec)" '0 1'
is 'kernel.name' "$(value kernel.name)" '0 linux'
is 'kernel.version' "$(value kernel.version)" "0 $(uname -r)"
is 'kernel.arch' "$(value kernel.arch)" "0 $(uname -m)"
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
is 'cpu.arch' "$(value cpu.arch)" "0 $arch"
is 'arch, as in 2016' "$(value arch)" "0 $arch"
is 'cpu.numcores' "$(value cpu.numcores)" "0 $(getconf _NPROCESSORS_ONLN)"
is 'memory.totalbytes' "$(value memory.totalbytes)" "0 $(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
is 'unique.hostname' "$(value unique.hostname)" "0 $(uname -n)"
is 'hostname, as in 2016' "$(value hostname)" "0 $(uname -n)"
is 'os.name' "$(value os.name)" "0 $(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')"
is 'driver.exec.version' "$(value driver.exec.version)" "0 $("$NX" version | cut -d' ' -f2)"
is 'os.cgroups.version' "$(value os.cgroups.version)" "0 $(if is_v2; then echo 2; else echo 1; fi)"
like 'unique.cgroup.mountpoint' "$(value unique.cgroup.mountpoint)" '0 /sys/fs/cgroup.*'
for controller in cpu memory pids; do
	is "driver.exec.cgroup.$controller" "$(value driver.exec.cgroup.$controller)" "0 $(if is_v2; then echo 2; else echo 1; fi)"
done
case ,$(value driver.exec.chroot_modes | cut -d' ' -f2), in *,bind,*) modes=bind ;; *) modes=none ;; esac
is 'driver.exec.chroot_modes' "$modes" bind
like 'os.signals' "$(value os.signals)" '0 (SIG[A-Z0-9]+,){20,}SIG[A-Z0-9]+'
is 'os.signals is sorted and has those that everyone uses' \
	"$(value os.signals | cut -d' ' -f2 | tr , '\n' | sort -c 2>&1; value os.signals | tr -s ', ' '\n' | grep -cxE 'SIG(INT|TERM|KILL|HUP|USR1|USR2|QUIT)')" 7
mkdir "$T/alloc"
nx fingerprint --alloc-dir "$T/alloc" unique.storage.bytestotal
is 'unique.storage.bytestotal, of the file system of allocations' "$RC $OUT" "0 $(($(stat -f -c '%b * %S' "$T/alloc")))"
is 'the numbers are numbers' "$(grep -E '^(cpu\.(frequency|numcores|reservablecores|totalcompute|usablecompute)|memory\.totalbytes|unique\.storage\.bytes[a-z]*|numa\.node\.count)=' \
	"$T/all" | grep -vE '=[1-9][0-9]*$')" ''
frequency=$(sed -n 's/^cpu\.frequency=//p' "$T/all") cores=$(sed -n 's/^cpu\.numcores=//p' "$T/all")
if [ -n "$frequency" ]; then
	is 'cpu.totalcompute is cores times MHz' "$(value cpu.totalcompute)" "0 $((frequency * cores))"
else
	is 'without a frequency there is no total' "$(grep '^cpu\.[a-z]*compute=' "$T/all")" ''
fi
is 'the same twice, but for what is free' "$("$NX" fingerprint | grep -v bytesfree)" "$(grep -v bytesfree "$T/all")"
is 'it is the same that references mean' "$("$NX" run -- /bin/echo "\${attr.kernel.version} \${attr.os.name} \${attr.cpu.arch} \${attr.memory.totalbytes}")" \
	"$(for a in kernel.version os.name cpu.arch memory.totalbytes; do "$NX" fingerprint $a; done | paste -sd' ')"

# --- what is asked for ---

is 'a prefix: all below it, with their names' "$("$NX" fingerprint os)" "$(grep '^os\.' "$T/all")"
is 'with a dot' "$("$NX" fingerprint os.)" "$(grep '^os\.' "$T/all")"
is 'a prefix ends where a name ends' "$(value o)" '1 '
is 'several, in the order of all' "$("$NX" fingerprint os kernel.name kernel.arch)" "$(grep -E '^(kernel\.(arch|name)=|os\.)' "$T/all")"
is 'one that is not there' "$(value no.such.attribute)" '1 '
is 'nor is the empty one' "$(value '')" '1 '
is 'one that is there and one that is not' "$("$NX" fingerprint no.such kernel.name; echo $?)" 'kernel.name=linux
0'

# --- JSON ---

python=$(python3 -c 'import sys; print(sys.executable)') || { echo 'Bail out! no python3'; exit 1; }
lines='import json, sys
for key, value in json.load(sys.stdin, object_pairs_hook=list):
    assert type(value) is str
    print(f"{key}={value}")'
is 'JSON has the same' "$("$NX" fingerprint --format json | "$python" -IS -c "$lines" | grep -v bytesfree)" "$(grep -v bytesfree "$T/all")"
is 'JSON of one' "$("$NX" fingerprint --format=json kernel.name | "$python" -IS -c "$lines")" kernel.name=linux
is 'JSON of none' "$("$NX" fingerprint -f json no.such | tr -d ' \n'; echo "${PIPESTATUS[0]}")" '{}1'

# --- hosts where tasks cannot run ---

cp "$NX" "$T/nomad-exec"
# as_nobody ARGUMENT...: OUT, ERR and RC as with nx
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$T/nomad-exec" "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
why='nomad-exec: warning: no driver.exec here: not root: the effective uid is 65534; run nomad-exec as root'
as_nobody fingerprint
is 'not as root: everything else is there, and why not is said' "$RC $ERR $(grep '^driver\.exec=' "$T/out")$(grep '^kernel' "$T/out")" "0 $why $(grep '^kernel' "$T/all")"
as_nobody fingerprint driver.exec
is 'a script that asks is told so' "$RC $OUT $ERR" "1  $why"
as_nobody --quiet fingerprint driver.exec
is 'quietly, too' "$RC $OUT $ERR" '1  '

# without_cgroups ARGUMENT...: in a mount namespace whose cgroups were unmounted
without_cgroups() {
	T=$T unshare --mount --propagation private /bin/sh -c '
		grep -E "^[^ ]* [^ ]* cgroup2? " /proc/mounts | cut -d" " -f2 | sort -r | while read -r m; do umount -l "$m"; done; exec "$T/nomad-exec" "$@"' - "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
without_cgroups fingerprint
is 'no cgroups: no driver.exec, nothing of cgroups, the rest is there' "$RC $(grep -E '^(driver\.exec(\.cgroup.*)?|os\.cgroups.*|unique\.cgroup.*)=' "$T/out")$(grep '^kernel' "$T/out")" \
	"0 $(grep '^kernel' "$T/all")"
like 'no cgroups: the reason and the remedy are said in one line' "$(wc -l <"$T/err") $ERR" '1 nomad-exec: warning: no driver.exec here: .*cgroup.*mount.*'

# --- use ---

run_is 'a format that is none' 2 '' "nomad-exec: --format: bad value \"xml\"; expected one of: text json
$hint" -- fingerprint --format xml
run_is 'an unknown option' 2 '' "nomad-exec: unknown option --all
$hint" -- fingerprint --all
"$NX" fingerprint >/dev/full 2>"$T/err"
is 'output that cannot be written' "$? $(cat "$T/err")" '1 nomad-exec: write to standard output: No space left on device'

finish
