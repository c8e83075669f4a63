#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What fetch can do, through `run --artifact-source`: headers, names, modes, archives, the cache and the retries of a download; and
# when it fails the task is never started, status 125, and the report says in which phase. 20-artifact has the rest.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

printf '#!/bin/sh\necho "$0: $*"\n' >"$files/tool"
sum=$(sum_of "$files/tool")
serve web
http=$WEB

# nothing_left NAME: no allocation and no group
nothing_left() { is "$1: nothing is left" "$(ls -A "$NOMAD_EXEC_ALLOC_DIR" 2>/dev/null; groups_of '*')" ''; }
# runs NAME STDOUT ARGUMENT...: status 0 and this output alone
runs() { local name=$1 out=$2; shift 2; run_is "$name" 0 "$out" '' -- run "$@"; }
# fails NAME PHASE OBJECT REASON ARGUMENT...: status 125, one error, no task, and the phase in the report
fails() {
	local name=$1 phase=$2 object=$3 reason=$4
	shift 4
	rm -f "$T/report"
	nx run --result "$T/report" "$@"
	only_says "$name" 125 "$object" "$reason"
	is "$name: the report" "$(python3 -c 'import json, sys
r = json.load(open(sys.argv[1])); print(r["phase"], r["exit_code"], bool(r["error"]))' "$T/report" 2>&1)" "$phase None True"
	nothing_left "$name"
}
task=(--command tool --args a)

runs 'http' '/local/tool: a' --artifact-source "$http/file/tool?1" --checksum "$sum" "${task[@]}"
fails 'a mismatch' verify "$http/file/tool" 'expected sha256:0+, got sha256:' --artifact-source "$http/file/tool" \
	--checksum "sha256:$(printf '%064d' 0)" "${task[@]}"
fails 'status 404' fetch "$http/status/404/tool" 'status 404' --artifact-source "$http/status/404/tool" --checksum "sha256:$(printf '%064d' 1)" "${task[@]}"

# --- the cache ---

count() { asked web /range/tool; }
runs 'into the cache' '/local/tool: a' --artifact-source "$http/range/tool" --checksum "$sum" "${task[@]}"
runs 'out of the cache' '/local/tool: a' --artifact-source "$http/range/tool" --checksum "$sum" "${task[@]}"
is 'fetched once at most' "$(($(count) <= 1))" 1
nx run --result "$T/report" --artifact-source "$http/range/tool" --checksum "$sum" "${task[@]}"
is 'the report knows' "$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["artifact"]["from_cache"])' "$T/report" 2>&1)" True
nx run --artifact-source "$http/range/tool" --checksum "$sum" --user root -- /bin/sh -c 'echo x >>/local/tool; rm -f /local/tool'
runs 'what a task does to its copy is not in the cache' '/local/tool: a' --artifact-source "$http/range/tool" --checksum "$sum" "${task[@]}"

# --- headers, retries ---

rm -rf "$NOMAD_EXEC_CACHE_DIR"
runs 'a header (N07)' '/local/tool: a' --artifact-header 'X-Foobar: ${NOMAD_TASK_NAME}' --name foobar \
	--artifact-source "$http/range/tool?need=X-Foobar:foobar" --checksum "$sum" "${task[@]}"
rm -rf "$NOMAD_EXEC_CACHE_DIR"
again() {
	nx run "${@:2}"
	like "$1" "$RC $OUT $ERR" '0 /local/tool: a nomad-exec: warning: fetch .*trying again in [0-9.]+ s.*'
}
again 'not at the first time' --artifact-source "$http/range/tool?1.status=503" --checksum "$sum" "${task[@]}"
rm -rf "$NOMAD_EXEC_CACHE_DIR"
again 'a cut, gone on with' --artifact-source "$http/range/tool?1.cut=5" --checksum "$sum" "${task[@]}"
rm -rf "$NOMAD_EXEC_CACHE_DIR"
runs 'the query key checksum' '/local/tool: a' --artifact-source "$http/range/tool?checksum=$sum" "${task[@]}"
printf '%s  tool\n' "${sum#sha256:}" >"$files/SUMS"
rm -rf "$NOMAD_EXEC_CACHE_DIR"
runs 'a sums file' '/local/tool: a' --artifact-source "$http/range/tool" --checksum "file:$http/file/SUMS" "${task[@]}"
fails 'metadata' fetch http://169.254.169.254/tool 'metadata|link-local' --artifact-source http://169.254.169.254/tool --checksum "sha256:$(printf '%064d' 2)" "${task[@]}"

# --- modes and archives ---

mkdir -p "$T/tree/sub"
cp "$files/tool" "$T/tree/tool"
chmod 755 "$T/tree/tool"
echo data >"$T/tree/sub/data"
tar -C "$T/tree" -czf "$files/tree.tar.gz" tool sub
tar -C "$T/tree" -czf "$files/one.tar.gz" tool
gzip -c "$files/tool" >"$files/tool.gz"
list=(-- /bin/sh -c 'cd /local && find . -type f | sort')
for archive in tree one; do printf -v "$archive" '%s' "$(sum_of "$files/$archive.tar.gz")"; done
# shellcheck disable=SC2154 # set above
{
	runs 'N11: any: an archive' './sub/data
./tool' --artifact-source "$http/file/tree.tar.gz" --checksum "$tree" "${list[@]}"
	runs 'N11: any: a plain file' ./tool --artifact-source "$http/file/tool" --checksum "$sum" "${list[@]}"
	runs 'N11: any: an archive, not unpacked' ./tree.tar.gz --artifact-source "$http/file/tree.tar.gz?archive=false" --checksum "$tree" "${list[@]}"
	runs 'N11: dir: an archive' './sub/data
./tool' --artifact-mode dir --artifact-source "$http/file/tree.tar.gz" --checksum "$tree" "${list[@]}"
	fails 'N11: dir: a plain file' chroot tool '.' --artifact-mode dir --artifact-source "$http/file/tool" --checksum "$sum" "${list[@]}"
	fails 'N11: file: two members' chroot tree.tar.gz 'one|more than' --artifact-mode file --artifact-source "$http/file/tree.tar.gz" --checksum "$tree" "${list[@]}"
	runs 'N11: file: one member' ./tool --artifact-mode file --artifact-destination local/tool --artifact-source "$http/file/one.tar.gz" --checksum "$one" "${list[@]}"
	runs 'what was in an archive runs' '/local/tool: a' --artifact-source "$http/file/tree.tar.gz" --checksum "$tree" "${task[@]}"
}
runs 'N11: any: one compressed file' ./tool --artifact-source "$http/file/tool.gz" --checksum "$(sum_of "$files/tool.gz")" "${list[@]}"
runs 'N11: file: a plain file under another name' './bin/renamed' --artifact-mode file --artifact-destination local/bin/renamed \
	--artifact-source "$http/file/tool" --checksum "$sum" "${list[@]}"
nx run --artifact-mode weird --artifact-source "$http/file/tool" --checksum "$sum" "${task[@]}"
only_says 'N06: a mode that is none' 125 weird 'any.*file.*dir'

# --- local files (fetch.md: only with --allow-file, or in fetch itself) and the rest stay as 20-artifact has them ---

# --- several, at the same time ---

printf 'one\n' >"$files/one" && printf 'two\n' >"$files/two"
one=$(sum_of "$files/one") two=$(sum_of "$files/two")
all=(--artifact-source "$http/range/tool" --checksum "$sum" --artifact-source "$http/range/one" --checksum "$one" --artifact-destination local/1
	--artifact-source "$http/range/two" --artifact-destination alloc/data --checksum "$two")
run_is 'three artifacts, each with its own options' 0 'one
two
/local/tool: a' '' -- run --no-cache "${all[@]}" -- /bin/sh -c 'cat /local/1/one /alloc/data/two; exec /local/tool a'
run_is 'options in front of all are for the first' 0 'one' '' -- run --no-cache --checksum "$one" --artifact-source "$http/range/one" -- \
	/bin/cat /local/one
# Each waits until all are asked for: one after the other they would never end.
run_is 'none waits for another' 0 'one
two' '' -- run --no-cache --artifact-source "$http/range/one?together=2" --checksum "$one" \
	--artifact-source "$http/range/two?together=2" --checksum "$two" -- /bin/cat /local/one /local/two
fails 'one of several is wrong' verify "$http/range/two" 'expected sha256:.*, got sha256:' --no-cache --artifact-source "$http/range/one" \
	--checksum "$one" --artifact-source "$http/range/two" --checksum "$one" --command one
fails 'one that fails ends the others' fetch "$http/status/404/x" 'status 404' --no-cache \
	--artifact-source "$http/range/one?stall=0" --checksum "sha256:$(printf '%064d' 3)" \
	--artifact-source "$http/status/404/x" --checksum "sha256:$(printf '%064d' 4)" --command tool
run_is 'an option of none' 125 '' 'nomad-exec: --checksum without --artifact-source: there is nothing that it is for
nomad-exec: try: nomad-exec run --help' -- run --checksum "$one" -- /bin/true

finish
