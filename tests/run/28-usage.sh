#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line itself, and the launcher in places where it cannot work: help, options and their values, defaults from the
# environment, messages, callers who closed or left out what every program has, callers who are not root, hosts without a library,
# without cgroups, without /proc. As root; hosts that this one is not are mount namespaces of the test's own.
# shellcheck disable=SC2016 # scripts in single quotes are for other shells
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
hint='nomad-exec: try: nomad-exec run --help'
hints='nomad-exec: try: nomad-exec --help'
cp "$NX" "$T/nomad-exec"
export T

# --- help and version ---

nx version
like 'version: one line' "$RC $OUT$ERR" '0 nomad-exec [0-9]+\.[0-9]+\.[0-9]+'
version=$OUT
for option in --version -V '--quiet --version'; do
	# shellcheck disable=SC2086 # several words
	run_is "$option" 0 "$version" '' -- $option
done
nx help
like 'help names every command and how to see its options' "$RC $ERR$OUT" '0 nomad-exec runs .* run .* verify .* fingerprint .* help \[COMMAND\] .* version .* --log-level .*'
help=$OUT
for option in --help -h '-q --help'; do
	# shellcheck disable=SC2086 # several words
	run_is "$option" 0 "$help" '' -- $option
done
for command in run verify fingerprint; do
	nx help $command
	like "help $command: what it does, how it is used, its options, its manual" "$RC $ERR$OUT" \
		"0 .* usage: nomad-exec $command \[OPTIONS\].* options: .* The manual: man nomad-exec-$command"
	help=$OUT
	run_is "$command --help" 0 "$help" '' -- $command --help
	run_is "$command -h" 0 "$help" '' -- $command -h
done
run_is 'help behind other options' 0 "$("$NX" help run)" '' -- run --user none-such --keep --help --none-such
run_is 'but not as the value of one' 0 --help '' -- run --command /usr/bin/printf --args=%s --args --help
run_is 'of a command that is none' 125 '' "nomad-exec: unknown command none-such
$hints" -- help none-such
is 'every option has a line of its own' "$("$NX" run --help | sed -n '/^options:/,/^$/p' | sed 1d | grep -vE '^  (-[a-z], )?--[a-z-]+( [^ ]+)?  +[^ ].*$' | grep .)" ''

# --- what is no use ---

run_is 'nothing at all' 125 '' "nomad-exec: no command; the one that runs tasks is: nomad-exec run --command PATH
$hints" --
for word in none-such runn - '' RUN; do
	run_is "no command: \"$word\"" 125 '' "nomad-exec: unknown command $word
$hints" -- "$word"
done
for option in --none-such --versio --log_level -x --none=1 ---; do
	run_is "no option: $option" 125 '' "nomad-exec: unknown option $option
$hints" -- "$option"
done
for option in --comm --command-line --user_ -x --Command -1; do
	run_is "no option of run: $option" 125 '' "nomad-exec: unknown option $option
$hint" -- run "$option" true
done
run_is 'global options stand before the command' 125 '' "nomad-exec: unknown option --log-json
$hint" -- run --log-json -- true
run_is 'a value that is missing' 125 '' "nomad-exec: --command needs a value: --command PATH
$hint" -- run --command
run_is 'a letter whose value is missing' 125 '' "nomad-exec: --timeout needs a value: --timeout DURATION
$hint" -- run -t
run_is 'a value that nobody asked for' 125 '' "nomad-exec: --keep takes no value
$hint" -- run --keep=1 -- true

# --- values ---

# bad OPTION EXPECTED VALUE...: none of these will do
bad() {
	local option=$1 expected=$2 value
	shift 2
	for value; do
		run_is "no value of --$option: \"$value\"" 125 '' "nomad-exec: --$option: bad value \"$value\"; expected $expected
$hint" -- run "--$option" "$value" -- true
	done
}
bad memory 'a size such as 300 (MiB), 512K, 1.5G, or unlimited' -1 +1 '' x 1x ' 1' '1 ' 0x10 1e3 .5 99999999999999999999 16777216T 1KB none
bad cpu 'a whole number from 1 to 262144' 0 -1 262145 1.5 '' 1M 18446744073709551617
bad pids 'a whole number from 0 to 4194304, or unlimited' -1 4194305 x ''
bad timeout 'a duration such as 250ms, 10s, 1m30s or 2h' -1 '' 1x 1s1m 1d 1m30 s '1 s' 99999999999999999999
bad kill-timeout 'a duration such as 250ms, 10s, 1m30s or 2h' forever
bad kill-signal 'a signal such as TERM, SIGINT or 9' 0 65 -9 FOO SIG '' TERM1
run_is 'no capability' 125 '' "nomad-exec: --cap-add none_such: unknown capability; see capabilities(7), or all
$hint" -- run --cap-add none_such -- true
run_is 'nothing that could be dropped' 125 '' "nomad-exec: --cap-drop : unknown capability; see capabilities(7), or all
$hint" -- run --cap-drop '' -- true
run_is 'a control character does not reach the terminal' 125 '' "nomad-exec: --cpu: bad value \"?[31m?\"; expected a whole number from 1 to 262144
$hint" -- run --cpu $'\e[31m\n' -- true

# planned WORD OPTION...: the lines of the plan that begin so, on one line
planned() { "$NX" run --dry-run "${@:2}" 2>&1 | grep -E "^($1) " | tr -s ' ' | tr '\n' ';'; }
is 'letters, with their values apart and attached' "$(planned 'directory|user|timeout' -u root -w/local -t5 -sTERM -k 250ms -- true)" \
	'directory /local;user 0:0 (root);timeout 5000 ms, then signal 15, then after 250 ms SIGKILL;'
is 'letters together' "$("$NX" run -nuroot -- true | grep ^user)" 'user      0:0 (root)'
is 'the last one of an option counts' "$(planned user --user root --user=nobody -u 0 -- true)" 'user 0:0 (root);'
for value in 1m30s 90 90s 1.5m 90000ms; do is "a duration: $value" "$(planned timeout --timeout $value -- true)" 'timeout 90000 ms, then signal 2, then after 5000 ms SIGKILL;'; done
for value in TERM SIGTERM 15 sigterm; do is "a signal: $value" "$(planned timeout --timeout 1 -s $value -- true)" 'timeout 1000 ms, then signal 15, then after 5000 ms SIGKILL;'; done
for value in 100 100M 100m 100MiB 102400K 0.1G; do
	case $value in *G) want=107374182 ;; *) want=104857600 ;; esac
	is "a size: $value" "$(planned cgroup --memory $value -- true | grep -oE 'memory\.(max|limit_in_bytes) = [0-9]+' | cut -d' ' -f3)" $want
done

# --- defaults from the environment ---

is 'every kind of option' "$(NOMAD_EXEC_USER=root NOMAD_EXEC_WORK_DIR=/local NOMAD_EXEC_TIMEOUT=1m NOMAD_EXEC_KILL_SIGNAL=TERM NOMAD_EXEC_KEEP=1 NOMAD_EXEC_CAP_DROP=all \
	NOMAD_EXEC_CAP_ADD=kill NOMAD_EXEC_CPU=7 planned 'env +NOMAD_CPU_LIMIT.*|directory|user|capabilities|allocation|timeout' --id i --env NOMAD_CPU_LIMIT='${NOMAD_CPU_LIMIT} ' -- true)" \
	"env NOMAD_CPU_LIMIT=7 ;directory /local;user 0:0 (root);capabilities kill;allocation $NOMAD_EXEC_ALLOC_DIR/i, kept at the end;$(
	)timeout 60000 ms, then signal 15, then after 5000 ms SIGKILL;"
is 'an option wins, also over a list' "$(NOMAD_EXEC_USER=root NOMAD_EXEC_CAP_ADD=net_raw planned 'user|capabilities' --user nobody --cap-add kill -- true)" \
	"user $(id -u nobody):$(id -g nobody) (nobody);capabilities kill;"
is 'a flag that is off' "$(for off in '' 0; do NOMAD_EXEC_KEEP=$off planned allocation --id i -- true; done)" \
	"allocation $NOMAD_EXEC_ALLOC_DIR/i;allocation $NOMAD_EXEC_ALLOC_DIR/i;"
NOMAD_EXEC_STRICT=yes run_is 'a flag that is neither' 125 '' "nomad-exec: NOMAD_EXEC_STRICT: bad value \"yes\"; expected 1 or 0
$hint" -- run -- true
NOMAD_EXEC_MEMORY=lots nx run -- true
like 'a bad value' "$RC $OUT$ERR" '125 nomad-exec: [^;]*(--memory|NOMAD_EXEC_MEMORY): bad value "lots"; expected a size such as .* nomad-exec: try: .*'
NOMAD_EXEC_COMMAND=/bin/false NOMAD_EXEC_ARGS=x NOMAD_EXEC_ARGS_FILE=/none NOMAD_EXEC_ID=../x NOMAD_EXEC_ENV=A=1 NOMAD_EXEC_ENV_FILE=/none NOMAD_EXEC_META=a=1 \
	NOMAD_EXEC_ARTIFACT_SOURCE=/none NOMAD_EXEC_CHECKSUM=x NOMAD_EXEC_RESULT=/none/x NOMAD_EXEC_DRY_RUN=1 NOMAD_EXEC_HELP=1 NOMAD_EXEC_VERSION=1 NOMAD_EXEC_NONE_SUCH=1 \
	run_is 'what names one task, or may be secret, has no default' 0 'ran' '' -- run -- /bin/echo ran
NOMAD_EXEC_FORMAT=json nx fingerprint kernel.name
is 'options of other commands' "$RC $(tr -d ' \n' <"$T/out")" '0 {"kernel.name":"linux"}'
printf '#!/bin/sh\n' >"$T/program"
NOMAD_EXEC_QUIET=1 run_is 'global options' 0 '' '' -- run --artifact-source "$T/program" --command program

# --- messages ---

unverified="artifact $T/program: not verified, because no --checksum was given"
run_is 'warnings, when nothing is said' 0 '' "nomad-exec: warning: $unverified" -- run --artifact-source "$T/program" --command program
for level in '--log-level error' --quiet -q; do
	# shellcheck disable=SC2086 # several words
	run_is "$level: no warnings" 0 '' '' -- $level run --artifact-source "$T/program" --command program
	# shellcheck disable=SC2086
	run_is "$level: but errors" 127 '' 'nomad-exec: command /none: not found inside the chroot; looked at /local and / there' -- $level run -- /none
done
nx --log-level debug run -- /bin/echo ran
is 'debug: the stages, on stderr alone' "$OUT $(grep -c '^nomad-exec: ' "$T/err") $(grep -vc '^nomad-exec: ' "$T/err")" "ran $(wc -l <"$T/err") 0"
run_is 'no level' 125 '' "nomad-exec: --log-level: bad value \"loud\"; expected one of: error warn info debug
$hints" -- --log-level loud run -- true

python=$(python3 -c 'import sys; print(sys.executable)') || { echo 'Bail out! no python3'; exit 1; }
cat >"$T/lines.py" <<'EOF'
import json, sys
for line in sys.stdin.buffer.read().decode("utf-8").splitlines():
    message = json.loads(line)
    print(message["level"], message["message"])
EOF
run_is '--log-json: one object a line' 0 '' "{\"level\":\"warn\",\"message\":\"$unverified\"}" -- --log-json run --artifact-source "$T/program" --command program
for name in '/a"b\c' $'/\e\n\t\x7f' '/é' $'/\xff\xfe' $'/\xc3'; do
	nx --log-json run -- "$name"
	like "--log-json: valid whatever it quotes: $(printf %q "$name")" "$RC $("$python" -IS "$T/lines.py" <"$T/err" 2>&1 | sed 's/ command .*: not/ command: not/')" \
		'127 error command: not found inside the chroot; .*'
done
nx --log-json run -- "/$(head -c 2000 /dev/zero | tr '\0' '"')"
like '--log-json: however long' "$RC $("$python" -IS "$T/lines.py" <"$T/err" 2>&1)" '127 error command /"*'

# --- descriptors that the caller closed ---

for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
	rm -f "$T/report"
	(eval "exec $closed" && exec "$NX" run --result "$T/report" --user none-such -- true) </dev/null >"$T/out" 2>"$T/err"
	is "$closed: an error has its status, and its words are in no file of ours" \
		"$? $("$python" -IS -c 'import json, sys; print(json.load(open(sys.argv[1]))["phase"])' "$T/report" 2>&1)" '125 setup'
	(eval "exec $closed" && exec "$NX" help run) </dev/null >"$T/out" 2>"$T/err"
	is "$closed: help ends well" "$? $(cat "$T/err")" '0 '
done
"$NX" help >/dev/full 2>"$T/err"
is 'help that cannot be written' "$? $(cat "$T/err")" '125 nomad-exec: write to standard output: No space left on device'
# --- callers that leave out what every program has ---

"$python" -IS -c 'import ctypes, sys; ctypes.CDLL(None).execv(sys.argv[1].encode(), (ctypes.c_char_p * 1)(None))' "$T/nomad-exec" >"$T/out" 2>"$T/err"
is 'no argument at all, not even its own name' "$? $(cat "$T/out" "$T/err")" "125 nomad-exec: no command; the one that runs tasks is: nomad-exec run --command PATH
$hints"
(exec -a '' "$NX" run -- /bin/echo ran) >"$T/out" 2>&1
is 'an empty name' "$? $(cat "$T/out")" '0 ran'
env -i "$NX" run --alloc-dir "$T/alloc" -- /bin/echo ran >"$T/out" 2>&1
is 'no environment' "$? $(cat "$T/out")" '0 ran'
env HOME= PATH= TMPDIR=/none/such LC_ALL=xx_XX LANG=$'\xff' LD_LIBRARY_PATH=/none "$NX" run -- /bin/echo ran >"$T/out" 2>&1
is 'an environment that makes no sense' "$? $(cat "$T/out")" '0 ran'
mkdir "$T/gone"
(cd "$T/gone" && rmdir "$T/gone" && exec "$NX" run -- /bin/pwd) >"$T/out" 2>&1
is 'a directory that is gone' "$? $(cat "$T/out")" '0 /'

# --- callers who are not root ---

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@" >"$T/out" 2>"$T/err" </dev/null; }
as_nobody "$T/nomad-exec" run --alloc-dir "$T/theirs" -- /bin/echo ran
is 'run' "$? $(cat "$T/out" "$T/err")" '125 nomad-exec: tasks are isolated by means that take root: Operation not permitted; run nomad-exec as root, or with sudo'
is 'which did nothing' "$(ls -d "$T/theirs" 2>/dev/null)" ''
for words in version help 'help run' 'run --help'; do
	# shellcheck disable=SC2086 # several words
	as_nobody "$T/nomad-exec" $words
	# shellcheck disable=SC2086
	is "$words works for anyone" "$? $(cat "$T/out" "$T/err")" "0 $("$NX" $words)"
done
cp "$NX" "$T/setuid" && chmod 4755 "$T/setuid"
if ! findmnt -nT "$T" -o OPTIONS | grep -qw nosuid; then
	for words in 'run -- /bin/echo ran' version; do
		# shellcheck disable=SC2086 # several words
		as_nobody "$T/setuid" $words
		is "a setuid copy refuses to work: $words" "$? $(cat "$T/out" "$T/err")" \
			'125 nomad-exec: nomad-exec must not be setuid: its caller would choose what runs as root; chmod u-s it'
	done
else
	skip 'a setuid copy refuses to work' "$T is mounted nosuid"
fi
unshare --user --map-root-user "$T/nomad-exec" run -- /bin/echo ran >"$T/out" 2>"$T/err"
is 'root of a user namespace: it does not work, and says so in one line' "$? $(cat "$T/out") $(grep -c '^nomad-exec: ' "$T/err") $(wc -l <"$T/err")" '125  1 1'
is 'and nothing is left' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''

# --- hosts without a library ---

# without LIBRARY ARGUMENT...: in a mount namespace where no file of that name, which may have a * in it, can be opened; OUT, ERR and RC as with nx
without() {
	local library=$1
	shift
	LIBRARIES=$(/sbin/ldconfig -p | sed -n "s,^[[:space:]]*${library//\*/[^ .]*}\.so\..* => \(.*\)/[^/]*$,\1,p" | sort -u) LIBRARY=$library \
		unshare --mount --propagation private /bin/sh -ec '
		for lower in $LIBRARIES; do
			lower=$(realpath "$lower")
			mount -t tmpfs none "$T/over"
			mkdir "$T/over/upper" "$T/over/work"
			mount -t overlay -o "lowerdir=$lower,upperdir=$T/over/upper,workdir=$T/over/work" none "$lower"
			rm -f "$lower"/$LIBRARY.so.*
		done
		[ -n "$LIBRARIES" ] && exec "$T/nomad-exec" "$@"' - "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$?
	OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
mkdir "$T/over"
sum=$(sha256sum <"$T/program" | cut -d' ' -f1)
absent='cannot open shared object file: No such file or directory; install it: apt install'
without libcgroup run -- /bin/echo ran
is 'libcgroup' "$RC $OUT$ERR" "125 nomad-exec: open the library for cgroups: libcgroup.so.2: $absent libcgroup2 (Debian 12) or libcgroup3 (Debian 13)"
without libcgroup version
is 'version takes no library' "$RC $OUT$ERR" "0 $version"
without libcrypto run --artifact-source "$T/program" --checksum "sha256:$sum" --command program
is 'libcrypto, which alone could tell that the artifact is right' "$RC $OUT$ERR" \
	"125 nomad-exec: open the library for checksums: libcrypto.so.3: $absent libssl3 (Debian 12) or libssl3t64 (Debian 13)"
without libcrypto run -- /bin/echo ran
is 'libcrypto is needed for that alone' "$RC $OUT$ERR" '0 ran'
without 'libcurl*' run --artifact-source http://127.0.0.1:1/program --checksum "sha256:$sum" --command program
like 'libcurl' "$RC $OUT$ERR" "125 nomad-exec: open the library for downloads: libcurl[^ ]*: $absent libcurl4 .*"
without libjansson run --result "$T/report" -- /bin/echo ran
is 'libjansson: nothing runs when there could be no report' "$RC $OUT$ERR" "125 nomad-exec: --result $T/report: open the library for JSON: libjansson.so.4: $absent libjansson4"
without libjansson run -- /bin/echo ran
is 'libjansson is needed for that alone' "$RC $OUT$ERR" '0 ran'
is 'and nothing is left' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''

# --- hosts without cgroups, /proc or /dev ---

# on_host SCRIPT: in a mount namespace of its own; OUT, ERR and RC as with nx
on_host() {
	unshare --mount --propagation private /bin/sh -c "$1" >"$T/out" 2>"$T/err" </dev/null
	RC=$?
	OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
groups='grep -E "^[^ ]* [^ ]* cgroup2? " /proc/mounts | cut -d" " -f2 | sort -r | while read -r m; do'
on_host "$groups"' umount -l "$m"; done; exec "$T/nomad-exec" run -- /bin/echo ran'
is 'no cgroups' "$RC $OUT$ERR" '125 nomad-exec: no cgroups on this host: Cgroup is not mounted; mount them: mount -t cgroup2 none /sys/fs/cgroup'
if command -v strace >/dev/null; then
	out=$(strace -f -o "$T/trace" -P /proc/cgroups -e inject=openat:error=EMFILE "$T/nomad-exec" run -- /bin/echo ran 2>&1 | grep -v ^strace:)
	is 'cgroups that cannot be looked at' "$out" 'nomad-exec: libcgroup finds no cgroups on this host: Too many open files'
else
	skip 'cgroups that cannot be looked at' 'strace is not installed'
fi
on_host "$groups"' mount -o remount,bind,ro "$m"; done; exec "$T/nomad-exec" run -- /bin/echo ran'
like 'read-only cgroups: the file is named' "$RC $OUT$(wc -l <"$T/err") $ERR" '125 1 nomad-exec: [^:]* /[^:]*: Read-only file system.*'
if ! is_v2; then
	on_host 'umount -l /sys/fs/cgroup/memory && exec "$T/nomad-exec" run -- /bin/echo ran'
	is 'one controller is missing' "$RC $OUT$ERR" '125 nomad-exec: the cgroup controller memory is not available on this host; enable it in the kernel, or mount -t cgroup2 none /sys/fs/cgroup'
fi
on_host 'umount -l /proc; exec "$T/nomad-exec" run -- /bin/echo ran'
is 'no /proc: status, one line on stderr, nothing on stdout' "$RC $OUT $(grep -c '^nomad-exec: ' "$T/err") $(wc -l <"$T/err")" '125  1 1'
on_host 'umount -l /proc; "$T/nomad-exec" version'
is 'no /proc: version' "$RC $OUT$ERR" "0 $version"
on_host 'mount -t tmpfs none /dev; exec "$T/nomad-exec" run -- /bin/sh -c "echo ran; ls -A /dev | wc -l"'
is 'an empty /dev: the task has its own' "$RC $OUT $ERR" '0 ran
14 '
on_host 'mount -t tmpfs none /dev; exec "$T/nomad-exec" run -- /bin/echo ran <&-'
is 'nor is there anything to put in the place of a closed descriptor: then it fails' "$RC $OUT" '125 '
CGROUP_LOGLEVEL=DEBUG on_host 'exec "$T/nomad-exec" run --dry-run -- /bin/true'
is 'what libcgroup has to say does not reach stdout' "$RC $(grep -vE '^(id|task|command|env|directory|user|capabilities|no_new_privs|namespaces|allocation|root|cgroup) ' "$T/out")" '0 '
is 'and nothing is left' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''

finish
