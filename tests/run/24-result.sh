#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The report of a run: every key is there, says what happened, and null where nothing is known; it is written whole or not at all.
# As root; a task may try to have its own text taken for ours.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
R=$T/report.json
# What is first in PATH may be a slow wrapper.
python=$(python3 -c 'import sys; print(sys.executable)') || { echo 'Bail out! no python3'; exit 1; }

# Prints what is wrong with the shape of a report, and then the keys that were asked for, as KEY=VALUE in JSON on one line each.
cat >"$T/read.py" <<'EOF'
import datetime, json, os, re, sys

KEYS = """id task command pid phase exit_code signal oom_killed timed_out error started_at finished_at wall_ms
    cpu_user_ms cpu_system_ms memory_peak_bytes pids_peak cpu_throttled_ms oom_kills cgroup limits artifact timings_us"""
TEXTS = "id task command phase error started_at finished_at".split()
COUNTS = """pid exit_code signal wall_ms cpu_user_ms cpu_system_ms memory_peak_bytes pids_peak cpu_throttled_ms
    oom_kills""".split()
OBJECTS = {"cgroup": ["version", "path"], "limits": ["cpu_mhz", "memory_bytes", "pids"],
           "timings_us": ["setup", "fetch", "verify", "chroot", "launch", "run"]}

def no_duplicates(pairs):
    if len(dict(pairs)) != len(pairs):
        print("a key is there twice:", [key for key, _ in pairs])
    return dict(pairs)

def count(value):
    return value is None or type(value) is int and value >= 0

text = open(sys.argv[1], "rb").read().decode("utf-8")
report = json.loads(text, object_pairs_hook=no_duplicates)
def wrong(condition, what):
    if condition:
        print("wrong:", what, "in", text)

wrong(not text.endswith("}\n"), "the end")
wrong(list(report) != KEYS.split(), "the keys, or their order")
for key in TEXTS:
    wrong(not isinstance(report[key], (str, type(None))), key)
for key in COUNTS:
    wrong(not count(report[key]), key)
for key in "oom_killed", "timed_out":
    wrong(type(report[key]) is not bool, key)
for key, inner in OBJECTS.items():
    wrong(list(report[key]) != inner, "the keys of " + key)
    wrong(key != "cgroup" and not all(map(count, report[key].values())), key)
wrong(report["phase"] not in OBJECTS["timings_us"], "phase")
wrong(report["finished_at"] is None, "finished_at")
times = []
for key in "started_at", "finished_at":
    if report[key] is not None:
        wrong(not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", report[key]), key)
        times.append(datetime.datetime.fromisoformat(report[key][:-1] + "+00:00"))
wrong(abs(datetime.datetime.now(datetime.timezone.utc) - times[-1]) > datetime.timedelta(minutes=10), "finished_at")
if len(times) == 2:
    between = round((times[1] - times[0]) / datetime.timedelta(milliseconds=1))
    wrong(abs(report["wall_ms"] - between) > 500, "wall_ms")  # two clocks, read one after the other
    cpu = (report["cpu_user_ms"] or 0) + (report["cpu_system_ms"] or 0)
    wrong(cpu > (report["wall_ms"] + 20) * os.cpu_count(), "CPU time, which is more than there was")
if report["exit_code"] is not None:
    wrong(report["signal"] is not None or report["error"] is not None, "exit_code, beside another end")
for key in sys.argv[2].split():
    value = report
    for part in key.split("."):
        value = value[part]
    print(f"{key}={json.dumps(value)}")
EOF

# report_is NAME STATUS KEYS EXPECTED ARGUMENT...: the launcher's status, and these keys of its report
report_is() {
	local name=$1 status=$2 keys=$3 want=$4
	shift 4
	rm -f "$R"
	nx "$@"
	is "$name" "status $RC
$("$python" -IS "$T/read.py" "$R" "$keys" 2>&1)" "status $status
$want"
}

end='phase exit_code signal oom_killed timed_out error'
none='pid started_at wall_ms cpu_user_ms cpu_system_ms memory_peak_bytes pids_peak cpu_throttled_ms oom_kills cgroup.version cgroup.path'
all_null=$(tr ' ' '\n' <<<"$none" | sed 's/$/=null/')

# --- ends of a task ---

report_is 'the end of a task' 3 "$end task command artifact timings_us.fetch timings_us.verify" 'phase="run"
exit_code=3
signal=null
oom_killed=false
timed_out=false
error=null
task="sh"
command="/bin/sh"
artifact=null
timings_us.fetch=null
timings_us.verify=null' run --result "$R" -- /bin/sh -c 'exit 3'
for status in 124 125 126 127 137; do
	report_is "a task's own $status" $status 'phase exit_code signal timed_out error' "phase=\"run\"
exit_code=$status
signal=null
timed_out=false
error=null" run --result "$R" -- /bin/sh -c "exit $status"
done
report_is 'a signal' 143 'phase exit_code signal oom_killed error' 'phase="run"
exit_code=null
signal=15
oom_killed=false
error=null' run --result "$R" -- /bin/sh -c 'kill -TERM $$'
report_is 'a timeout' 124 'phase exit_code signal oom_killed timed_out error' 'phase="run"
exit_code=null
signal=2
oom_killed=false
timed_out=true
error=null' run --result "$R" --timeout 2 -- /bin/sleep 1000
report_is 'a timeout, and a task that ends well then' 124 'phase exit_code signal timed_out' 'phase="run"
exit_code=0
signal=null
timed_out=true' run --result "$R" --timeout 300ms --kill-signal TERM -- /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.02; done'

# --- what it was and what it used ---

version=1
if is_v2; then version=2; fi
report_is 'id, name, limits and cgroup' 0 'id task limits cgroup.version' "id=\"an-id\"
task=\"a-name\"
limits={\"cpu_mhz\": 500, \"memory_bytes\": 67108864, \"pids\": 20}
cgroup.version=\"$version\"" run --result "$R" --id an-id --name a-name --cpu 500 --memory 64M --pids 20 -- /bin/true
like 'the path of the cgroup' "$("$python" -IS "$T/read.py" "$R" cgroup.path)" 'cgroup.path="/.*/nomad-exec/an-id.a-name"'
report_is 'no limit is null' 0 limits 'limits={"cpu_mhz": 100, "memory_bytes": null, "pids": null}' \
	run --result "$R" --memory unlimited --pids 0 -- /bin/true
mkfifo "$T/go"
exec 3<>"$T/go"
rm "$R"
"$NX" run --result "$R" --id pid --keep -- /bin/sh -c 'echo up >/local/up; read -r x' <&3 >"$T/out" 2>&1 &
launcher=$!
ok 'a task runs' wait_for 60 test -s "$NOMAD_EXEC_ALLOC_DIR/pid/sh/local/up"
# The task's process as the host knows it: the one in our pid namespace that is process 2 of another.
pid=$(grep -l -P '^NSpid:\t\d+\t2$' /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3 | while read -r p; do
	[ "$(tr '\0' ' ' <"/proc/$p/cmdline")" != '/bin/sh -c echo up >/local/up; read -r x ' ] || echo "$p"; done)
is 'while it runs there is no report' "$(ls "$R" 2>/dev/null)" ''
echo >&3
wait $launcher
is 'its pid is that on the host' "$("$python" -IS "$T/read.py" "$R" pid)" "pid=$pid"
rm -r "$NOMAD_EXEC_ALLOC_DIR/pid"

nx run --result "$R" -- /bin/bash -c 'head -c 30000000 /dev/zero | tail -c 30000000 | wc -c >/dev/null; for ((i = 0; i < 100000; i++)); do :; done'
is 'what it used is counted' "$("$python" -IS - "$R" <<'EOF'
import json, os, sys
r = json.load(open(sys.argv[1]))
if not 30 <= r["cpu_user_ms"] + r["cpu_system_ms"] <= 2 * r["wall_ms"] * os.cpu_count():
    print("cpu", r["cpu_user_ms"], r["cpu_system_ms"], "in", r["wall_ms"])
if r["memory_peak_bytes"] is not None and not 30000000 < r["memory_peak_bytes"] < 300 << 20:
    print("memory_peak_bytes", r["memory_peak_bytes"])
if r["pids_peak"] is not None and not 3 <= r["pids_peak"] <= 20:
    print("pids_peak", r["pids_peak"])
if r["oom_kills"] not in (0, None):
    print("oom_kills", r["oom_kills"])
if not 30000 < r["timings_us"]["run"] < (r["wall_ms"] + 2000) * 1000:
    print("timings_us", r["timings_us"])
EOF
)" ''

# The time of processes that nobody waits for is known by the cgroup alone; where that does not have it, it is null, or not in the sum.
busy='i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done'
cpu_mount=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2 }' /proc/mounts)
counted=no
if is_v2 || [ -e "$cpu_mount/cpuacct.usage_user" ]; then counted=yes; fi
# cpu_of WHAT ARGUMENTS...: whether the report's CPU times are null, or how they compare to 100 ms
cpu_of() {
	nx run --result "$R" "$@"
	"$python" -IS - "$R" <<'EOF'
import json, sys
r = json.load(open(sys.argv[1]))
times = [r["cpu_user_ms"], r["cpu_system_ms"]]
print("null" if times == [None, None] else "more" if sum(times) > 100 else "less")
EOF
}
killed=$(cpu_of --timeout 1500ms --kill-timeout 1 -- /bin/sh -c "trap '' INT; while :; do :; done")
is "CPU time of a task that was killed, counted by its cgroup: $counted" "$killed" "$(if [ $counted = yes ]; then echo more; else echo null; fi)"
left=$(cpu_of -- /bin/sh -c "mkfifo /local/done; { $busy; echo >/local/done; exec sleep 1000; } & read -r x </local/done")
is "CPU time of what the task left running, counted by its cgroup: $counted" "$left" "$(if [ $counted = yes ]; then echo more; else echo less; fi)"
killed=$(cpu_of -- /bin/sh -c "$busy; kill -KILL \$\$")
is 'CPU time of a task that killed itself' "$killed" more

# A clock that is set back by an hour each time that it is looked at.
cat >"$T/back.c" <<'EOF'
#define _GNU_SOURCE
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int hours;
	int bad = syscall(SYS_clock_gettime, clock, now);
	if (clock == CLOCK_REALTIME)
		now->tv_sec -= 3600 * hours++;
	return bad;
}
EOF
if cc -shared -fPIC -w -o "$T/back.so" "$T/back.c" 2>"$T/cc"; then
	LD_PRELOAD=$T/back.so nx run --result "$R" -- /bin/sleep 0.2
	is 'a clock that is set back' "$RC $("$python" -IS - "$R" <<'EOF'
import json, sys
r = json.load(open(sys.argv[1]))
print("back" if r["finished_at"] < r["started_at"] else r, 200 <= r["wall_ms"] < 600000)
EOF
)" '0 back True'
else
	skip 'a clock that is set back' "no compiler: $(head -n 1 "$T/cc")"
fi

# --- artifacts ---

printf '#!/bin/sh\nexit 9\n' >"$T/program"
artifact "$T/program"
report_is 'an artifact that was verified' 9 'phase exit_code command artifact' "phase=\"run\"
exit_code=9
command=\"program\"
artifact={\"url\": \"file://$T/program\", \"bytes\": 17, \"digest\": \"${ARTIFACT[3]}\", \"from_cache\": false}" \
	run --result "$R" --artifact-source "file://$T/program" --checksum "${ARTIFACT[3]^^}" --command program
report_is 'one that was not' 9 'artifact' "artifact={\"url\": \"$T/program\", \"bytes\": 17, \"digest\": null, \"from_cache\": false}" \
	run --result "$R" --artifact-source "$T/program" --command program
bad=sha256:$(printf '%064d' 0)
report_is 'one that does not match' 125 "phase exit_code signal error artifact $none" "phase=\"verify\"
exit_code=null
signal=null
error=\"artifact $T/program: expected $bad, got ${ARTIFACT[3]} (17 bytes); nothing was kept\"
artifact={\"url\": \"$T/program\", \"bytes\": 17, \"digest\": null, \"from_cache\": false}
$all_null" run --result "$R" --artifact-source "$T/program" --checksum "$bad" --command program
report_is 'one that is not there' 125 "phase error artifact timings_us.verify timings_us.run $none" "phase=\"fetch\"
error=\"fetch $T/none: open it: No such file or directory\"
artifact=null
timings_us.verify=null
timings_us.run=null
$all_null" run --result "$R" --artifact-source "$T/none" --command program

# --- failures: the report says which, beyond doubt ---

report_is 'setup' 125 "id task command phase error $none limits" "id=null
task=null
command=null
phase=\"setup\"
error=\"user \\\"none-such\\\": not in the host's database; \`getent passwd\` lists what is; a number need not be there\"
$all_null
limits={\"cpu_mhz\": null, \"memory_bytes\": null, \"pids\": null}" run --result "$R" --user none-such -- /bin/true
report_is 'a destination, before anything is fetched' 125 "phase error artifact $none" "phase=\"setup\"
error=\"--artifact-destination /etc: expected a directory below local/ or alloc/\"
artifact=null
$all_null" run --result "$R" "${ARTIFACT[@]}" --artifact-destination /etc --command program
never='phase error exit_code signal pid'
report_is 'launch: the task'"'"'s directory' 125 "$never" 'phase="launch"
error="enter --work-dir /none inside the chroot: No such file or directory"
exit_code=null
signal=null
pid=null' run --result "$R" --work-dir /none -- /bin/true
report_is 'launch: not found' 127 "$never" 'phase="launch"
error="command none-such: not found inside the chroot; looked in /local, /, /usr/local/bin, /usr/bin and /bin there"
exit_code=null
signal=null
pid=null' run --result "$R" --command none-such
report_is 'launch: cannot be executed' 126 "$never" 'phase="launch"
error="execute /etc: Is a directory"
exit_code=null
signal=null
pid=null' run --result "$R" --command /etc
report_is 'UTF-8' 127 'command' 'command="/\u00e9"' run --result "$R" -- /é
report_is 'bytes that are no text' 127 'command' 'command="/?\u00e9"' run --result "$R" -- $'/\xff\xc3\xa9'
report_is 'text that would end a string' 127 'command task error' 'command="/a\"b\\c\n"
task="a_b_c_"
error="command /a\"b\\c?: not found inside the chroot; looked at /local and / there"' run --result "$R" -- $'/a"b\\c\n'

# An older report must not pass for that of a run that never began.
bad='--memory: bad value "5X"; expected a size such as 300 (MiB), 512K, 1.5G, or unlimited'
refused='phase error pid exit_code'
refusal() { printf 'phase="setup"\nerror=%s\npid=null\nexit_code=null' "$1"; }
for order in before behind; do
	echo stale >"$T/stale"
	case $order in
	before) nx run --result "$T/stale" --memory 5X -- /bin/true ;;
	behind) nx run --memory 5X --nonsense --memory 6X --result "$T/stale" -- /bin/true ;;
	esac
	is "an option that is wrong, --result $order it" "$RC $ERR
$("$python" -IS "$T/read.py" "$T/stale" "$refused")" "125 nomad-exec: $bad
nomad-exec: try: nomad-exec run --help
$(refusal "${bad//\"/\\\"}" | sed 's/^error=\(.*\)/error="\1"/')"
done
echo stale >"$T/stale"
NOMAD_EXEC_CPU=none nx run --result "$T/stale" -- /bin/true
is 'one of the environment' "$RC $("$python" -IS "$T/read.py" "$T/stale" phase)" '125 phase="setup"'
nx run --memory --result
is 'one without a value' "$RC $ERR" '125 nomad-exec: --memory: bad value "--result"; expected a size such as 300 (MiB), 512K, 1.5G, or unlimited
nomad-exec: try: nomad-exec run --help'
nx run --memory 5X -- /bin/true --result "$T/none"
is 'what belongs to the command is not read' "$RC $(ls "$T/none" 2>/dev/null)" '125 '
nx run --memory 5X --dry-run --result "$T/none" -- /bin/true
is 'nor is there a report of a --dry-run' "$RC $(ls "$T/none" 2>/dev/null)" '125 '
nx run --memory 5X --result "$T/none/r" -- /bin/true
is 'a report that cannot be written does not hide the mistake' "$RC $ERR" "125 nomad-exec: --result $T/none/r: write to its directory: No such file or directory
nomad-exec: $bad
nomad-exec: try: nomad-exec run --help"

# --- where it is written ---

echo old >"$R"
ln "$R" "$T/old"
chmod 600 "$R"
nx run --result "$R" -- /bin/true
is 'an older report is replaced as a whole' "$RC $(cat "$T/old") $("$python" -IS "$T/read.py" "$R" exit_code) $(stat -c %a "$R")" '0 old exit_code=0 644'
echo target >"$T/target"
ln -sf target "$T/link"
nx run --result "$T/link" -- /bin/true
is 'what a link leads to is not touched' "$(cat "$T/target")" target
is 'no other file is left beside it' "$(cd "$T" && echo report* link* ./*tmp*)" 'report.json link ./*tmp*'
(cd "$T" && "$NX" run --result here.json -- /bin/true)
is 'a relative path' "$("$python" -IS "$T/read.py" "$T/here.json" exit_code)" exit_code=0
nx run --result "$T/go" -- /bin/true
sed '/^}$/q' <&3 >"$T/fifo"
exec 3>&-
is 'a fifo' "$RC $("$python" -IS "$T/read.py" "$T/fifo" exit_code)" '0 exit_code=0'
"$NX" run --result /dev/fd/3 -- /bin/echo of the task 3>&1 >"$T/out" | cat >"$T/pipe"
is 'a pipe, apart from the output' "${PIPESTATUS[*]} $("$python" -IS "$T/read.py" "$T/pipe" exit_code) $(cat "$T/out")" '0 0 exit_code=0 of the task'
"$NX" run --result /dev/stdout -- /bin/echo of the task 2>"$T/err" | cat >"$T/pipe"
is 'stdout, behind the output' "${PIPESTATUS[*]} $(head -n 1 "$T/pipe") $(sed 1d "$T/pipe" >"$T/rest"; "$python" -IS "$T/read.py" "$T/rest" exit_code 2>&1 | tail -n 1)" \
	'0 0 of the task exit_code=0'
# on_dev OPTION...: writes the report to a stdout that is a file, with a /dev of the test's own: that of the host must not be at risk
on_dev() {
	NX=$NX T=$T unshare --mount --propagation private /bin/sh -c '
		mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && ln -s /proc/self/fd /dev/fd && ln -s /proc/self/fd/1 /dev/stdout
		"$NX" run --result /dev/stdout "$@" >"$T/pipe" 2>"$T/err"; ls -A /dev; readlink /dev/stdout' - "$@" >"$T/out" 2>&1
}
for end in of-the-task failed; do
	case $end in failed) on_dev --user none-such -- true ;; *) on_dev -- /bin/echo $end ;; esac
	is "stdout that is a file, $end: the link in /dev is not replaced" "$(cat "$T/out")" 'fd
null
stdout
/proc/self/fd/1'
	sed "/^$end$/d" "$T/pipe" >"$T/rest"
	is 'and the file has the report, and what the task wrote' "$(grep -c "^$end$" "$T/pipe") $("$python" -IS "$T/read.py" "$T/rest" phase 2>&1 | tail -n 1)" \
		"$([ $end = failed ] && echo '0 phase="setup"' || echo '1 phase="run"')"
done

# What the caller writes next comes behind the report, also in a file that is not appended to.
for to in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
	("$NX" run --result $to -- /bin/echo of the task; echo of the caller) >"$T/pipe" 2>"$T/err" </dev/null
	is "$to that is a file: before, the report, behind" \
		"$(head -n 1 "$T/pipe"), $(sed '1d;$d' "$T/pipe" >"$T/rest"; "$python" -IS "$T/read.py" "$T/rest" exit_code 2>&1 | tail -n 1), $(tail -n 1 "$T/pipe")$(cat "$T/err")" \
		'of the task, exit_code=0, of the caller'
done
for fd in 3 77; do
	nx run --result /dev/fd/$fd -- /bin/echo ran
	is "descriptor $fd, which the caller has not opened" "$RC $OUT$ERR" "125 nomad-exec: --result /dev/fd/$fd: open: Bad file descriptor"
done
"$NX" run --result /dev/fd/3 -- /bin/echo ran >"$T/out" 2>&1 3<"$T/target"
is 'one that is for reading' "$? $(cat "$T/out") $(cat "$T/target")" '125 nomad-exec: --result /dev/fd/3: open: Bad file descriptor target'

# The file that will be the report is there from the start, so that nothing runs in vain.
mkdir "$T/beside"
nx run --result "$T/beside/r" --keep --id beside -- /bin/true
is 'nothing is left beside a report' "$RC $(ls -A "$T/beside")" '0 r'
nx run --result "$T/beside/r" --user none-such -- /bin/true
is 'nor beside that of a failure' "$RC $(ls -A "$T/beside")" '125 r'
start beside run --result "$T/beside/r" -- /bin/sh -c 'echo up; exec sleep 1000'
ok 'a task runs' wait_for 60 said beside up
like 'meanwhile its report has a name that nobody foresees' "$(stat -c '%n %a' "$T/beside"/r.*)" "$T/beside/r\\.[A-Za-z0-9]{6} 600"
kill "$PID"
end_of beside "$PID"
is 'a run that a signal ended leaves nothing beside it either' "$RC $(ls -A "$T/beside") $(stat -c %a "$T/beside/r")" '143 r 644'
nx run --dry-run --result "$T/beside/none" -- /bin/true
is '--dry-run makes no report' "$RC $(ls -A "$T/beside")" '0 r'
rm -r "$NOMAD_EXEC_ALLOC_DIR/beside"

# refused NAME PATH MESSAGE: nothing runs when the report could not be written
refused() { run_is "$1" 125 '' "nomad-exec: $3" -- run --result "$2" -- /bin/echo ran; }
directory='write to its directory'
refused 'a directory that is not there' "$T/none/r" "--result $T/none/r: $directory: No such file or directory"
refused 'a file in the place of a directory' "$T/out/r" "--result $T/out/r: $directory: Not a directory"
nx run --result "$T" -- /bin/echo ran
like 'a directory' "$RC $OUT $ERR" "125  nomad-exec: --result $T: .*Is a directory"
nx run --result '' -- /bin/echo ran
is 'no path' "$RC $OUT$ERR" '125 nomad-exec: --result : it names no file'
nx run --result "$T/none/" -- /bin/echo ran
is 'a path that ends with a slash' "$RC $OUT$ERR" "125 nomad-exec: --result $T/none/: it names no file"
nx run --result /dev/full -- /bin/echo ran
is 'a report that cannot be written fails the run' "$RC $OUT, $ERR" '125 ran, nomad-exec: --result /dev/full: write: No space left on device'
nx run --result /dev/full -- /none
is 'but not instead of the first failure' "$RC $ERR" '127 nomad-exec: --result /dev/full: write: No space left on device
nomad-exec: command /none: not found inside the chroot; looked at /local and / there'
nx run --result "$T/usage.json"
is 'also when there was no command' "$RC $("$python" -IS "$T/read.py" "$T/usage.json" 'phase error')" '125 phase="setup"
error="no command; name one with --command PATH, or behind --"'

finish
