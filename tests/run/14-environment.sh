#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The environment of a task: what is in it when nothing is said, what --env, --env-file and --meta add, and that nothing else of the
# caller's gets there. The whole of it is compared. As root; the caller's environment may hold secrets.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# What every task has unless something else is said.
ours='HOME=/nonexistent
LOGNAME=nobody
NOMAD_ALLOC_DIR=/alloc
NOMAD_ALLOC_ID=0123456789abcdef
NOMAD_CPU_LIMIT=100
NOMAD_DC=dc1
NOMAD_MEMORY_LIMIT=300
NOMAD_REGION=global
NOMAD_SECRETS_DIR=/secrets
NOMAD_SHORT_ALLOC_ID=01234567
NOMAD_TASK_DIR=/local
NOMAD_TASK_NAME=env
PATH=/usr/local/bin:/usr/bin:/bin
USER=nobody'
home=$(getent passwd nobody | cut -d: -f6)
ours=${ours/\/nonexistent/"$home"}

# environment OPTION...: the whole environment of a task started with these options, sorted, each variable ended by ^
environment() {
	"$NX" run --id 0123456789abcdef "$@" -- /usr/bin/env -0 2>"$T/err" </dev/null >"$T/out" || echo "status $?"
	sort -z "$T/out" | tr '\0' '^'
	cat "$T/err"
}

# env_is NAME CHANGES OPTION...: the environment is `ours` with these lines added, or put in place of those of the same variable
env_is() {
	local name=$1 changes=$2 got want
	shift 2
	got=$(environment "$@")
	want=$(printf '%s\n' "$changes" "$ours" | awk -F= 'NF && !seen[$1]++' | sort | tr '\n' '^')
	is "$name" "$(tr '^' '\n' <<<"$got")" "$(tr '^' '\n' <<<"$want")"
}

# without NAME...: `ours` without these variables
without() { printf '%s\n' "$ours" | grep -v -E "^($(IFS='|' && echo "$*"))="; }

# --- nothing said ---

env_is 'the environment of a task when nothing is said' ''
whole=$ours
ours=$(without USER LOGNAME) env_is 'of a uid without an entry: no name, home is /' 'HOME=/' --user 4123456
env_is 'of a uid with an entry: as by name' '' --user "$(id -u nobody)"
env_is 'of root' "HOME=$(getent passwd root | cut -d: -f6)
LOGNAME=root
USER=root" --user root
ours=$(without NOMAD_MEMORY_LIMIT) env_is 'no limit, no variable' 'NOMAD_CPU_LIMIT=700' --memory unlimited --cpu 700
env_is 'limits in MHz and MiB' 'NOMAD_CPU_LIMIT=1
NOMAD_MEMORY_LIMIT=1536' --cpu 1 --memory 1.5G
env_is 'name, datacenter and region' 'NOMAD_DC=east 1
NOMAD_REGION=eu
NOMAD_TASK_NAME=web' --name web --datacenter 'east 1' --region eu
nx run --env A=1 -- /usr/bin/env
like 'a random id is a UUID, its first eight digits the short one' "$(grep ALLOC_ID "$T/out" | sort)" \
	'NOMAD_ALLOC_ID=([0-9a-f]{8})-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} NOMAD_SHORT_ALLOC_ID=\1'
is 'no two tasks have the same' "$(for _ in 1 2 3 4; do "$NX" run -- /usr/bin/printenv NOMAD_ALLOC_ID; done | sort -u | wc -l)" 4

# --- the caller's ---

SECRET=needle LD_PRELOAD='' LD_LIBRARY_PATH='' NOMAD_TOKEN=needle NOMAD_EXEC_DATACENTER=dc1 TERM=xterm TMPDIR=/var/tmp BASH_ENV=/x HOME=/caller USER=caller \
	env_is 'nothing of the caller'"'"'s environment is passed' ''
PASSED='a b$c=d' EMPTY='' env_is 'but what is asked for by name' 'EMPTY=
PASSED=a b$c=d' --env PASSED --env EMPTY
env_is 'what the caller does not have is passed over' '' --env NX_SURELY_NOT_THERE
REFERENCE='${node.datacenter} $${x} ${' env_is 'a value that is passed on is no place for references' 'REFERENCE=${node.datacenter} $${x} ${' --env REFERENCE
more=$PATH:/caller
PATH=$more HOME=/caller env_is 'PATH and HOME are passed on only by name' "PATH=$more
HOME=/caller" --env PATH --env HOME
env -i "$NX" run --alloc-dir "$T/alloc" --id 0123456789abcdef -- /usr/bin/env >"$T/out" 2>"$T/err" </dev/null
is 'a caller without any environment' "$(sort "$T/out")$(cat "$T/err")" "$ours"

# --- --env ---

env_is 'values as they are' 'A=1
B=
C= =x=
D=a  b	c
E=é$HOME$(id)"'"'"'\n
F=$x' --env A=1 --env=B= --env 'C= =x=' --env 'D=a  b	c' --env 'E=é$HOME$(id)"'"'"'\n' --env 'F=$x'
is 'newlines and bytes that are no text' "$(environment --env $'N=one\ntwo\n' --env $'X=\x80\xff\x01' | tr '^' '\n' | grep -a -A2 '^[NX]=' | od -An -c)" \
	"$(printf 'N=one\ntwo\n\n--\nX=\200\377\001\n' | od -An -c)"
env_is 'the last one of a name wins' 'A=3' --env A=1 --env A=2 --env A=3
A=caller env_is 'whether given or passed on' 'A=caller' --env A=1 --env A
env_is 'the user'"'"'s values win over ours' 'HOME=/mine
NOMAD_DC=mine
NOMAD_TASK_DIR=
PATH=/mine
USER=mine' --env HOME=/mine --env NOMAD_DC=mine --env NOMAD_TASK_DIR= --env PATH=/mine --env USER=mine
env_is 'names of any bytes' 'a b=1
a.b-c=2
É=3' --env 'a b=1' --env a.b-c=2 --env É=3
hint='nomad-exec: try: nomad-exec run --help'
run_is 'an empty name' 125 '' "nomad-exec: --env =x: expected KEY=VALUE or KEY
$hint" -- run --env =x -- true
run_is 'nothing at all' 125 '' "nomad-exec: --env : expected KEY=VALUE or KEY
$hint" -- run --env '' -- true

# --- --env-file ---

printf '%s\n' '# a comment' '' 'A=1' 'B= a b # no comment ' 'C=' 'PASSED' 'NX_SURELY_NOT_THERE' 'D="quoted" \n $HOME' 'A=2' ' #E=5' >"$T/env"
printf 'F=without a newline' >>"$T/env"
PASSED=on env_is 'lines as they are: no quotes, no shell' ' #E=5
A=2
B= a b # no comment 
C=
D="quoted" \n $HOME
F=without a newline
PASSED=on' --env-file "$T/env"
printf 'A=file\nB=file\nD=file\n' >"$T/one"
printf 'B=second\nC=second\n' >"$T/two"
env_is 'a later file wins over an earlier, an option over both, wherever it stands' 'A=option
B=second
C=second
D=file' --env A=option --env-file "$T/one" --env-file "$T/two"
env_is 'a pipe' 'A=1' --env-file <(echo A=1)
env_is 'an empty file' '' --env-file /dev/null
printf 'A=1\n# x\n=2\n' >"$T/env"
run_is 'a line without a name' 125 '' "nomad-exec: $T/env, line 3: no name before \"=\"; expected KEY=VALUE
$hint" -- run --env-file "$T/env" -- true
printf 'A=1\0002\n' >"$T/env"
run_is 'a NUL' 125 '' "nomad-exec: $T/env: holds a NUL byte
$hint" -- run --env-file "$T/env" -- true
run_is 'a file that is not there' 125 '' "nomad-exec: read $T/none-such: No such file or directory" -- run --env-file "$T/none-such" -- true
run_is 'a file without an end' 125 '' 'nomad-exec: read /dev/zero (at most 2 MiB): File too large' -- run --env-file /dev/zero -- true

seq 10000 | sed 's/.*/V&=value of &/' >"$T/env"
is '10,000 variables' "$(environment --env-file "$T/env" | tr '^' '\n' | grep '^V' | sort -V | cmp - "$T/env" && echo same)" same
long=$(head -c 131069 /dev/zero | tr '\0' x)
is 'the longest variable that Linux has, 128 KiB with its end' "$(environment --env "A=$long" | tr '^' '\n' | grep -c "^A=x*$")" 1
run_is 'a longer one' 126 '' 'nomad-exec: execute /bin/true: Argument list too long; shorten the arguments or the environment' -- \
	run --env-file <(printf 'A=%s\n' "x$long") -- /bin/true

# --- --meta ---

env_is 'meta: the key as it is and in capitals' 'NOMAD_META_foo=bar = x
NOMAD_META_FOO=bar = x' --meta 'foo=bar = x'
env_is 'meta: what a name may not have becomes _' 'NOMAD_META_rack_1___.x=2
NOMAD_META_RACK_1___.X=2' --meta 'rack-1 é.x=2'
run_is 'meta: no key' 125 '' "nomad-exec: --meta =x: expected KEY=VALUE
$hint" -- run --meta =x -- true
run_is 'meta: no value' 125 '' "nomad-exec: --meta foo: expected KEY=VALUE
$hint" -- run --meta foo -- true
is 'the environment when nothing is said is still the same' "$ours" "$whole"

finish
