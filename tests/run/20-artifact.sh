#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An artifact from its source to its execution: what was verified is what runs, and when anything is wrong with it nothing runs and
# nothing is left. As root; the server is the attacker, and so is whoever names a source or a destination.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# The same bytes again and again: what is cached would come from no server.
export NOMAD_EXEC_NO_CACHE=1
export LC_ALL=C
hint='nomad-exec: try: nomad-exec run --help'
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY

files=$T/files
mkdir "$files"
printf '#!/bin/sh\necho "$0: $*"\n' >"$files/binary.bin"
chmod 600 "$files/binary.bin"
size=$(stat -c %s "$files/binary.bin")
sum() { "$1sum" <"$files/binary.bin" | cut -d' ' -f1; }
sha256=$(sum sha256)
file=file://$files/binary.bin
ran='/local/binary.bin: a b'
task=(--command binary.bin --args a --args b)

python3 "$here/../http/server.py" --port-file "$T/port" --dir "$files" --log "$T/log" 2>"$T/server.err" &
server=$!
trap 'kill $server; rm -rf "$T"' EXIT
wait_for 60 test -s "$T/port" || { echo "Bail out! no HTTP server: $(cat "$T/server.err")"; exit 1; }
http=http://127.0.0.1:$(cat "$T/port")
web=$http/file/binary.bin

# nothing_left NAME: no allocation and no group
nothing_left() { is "$1: nothing is left" "$(ls -A "$NOMAD_EXEC_ALLOC_DIR" 2>/dev/null; groups_of '*')" ''; }

# refused NAME MESSAGE OPTION...: status 125, this message alone, no output: nothing ran
refused() { local name=$1 message=$2; shift 2; run_is "$name" 125 '' "nomad-exec: $message" -- run "$@"; }

# --- the page's example ---

run_is 'http: the page'"'"'s example' 0 "$ran" '' -- run --artifact-source "$web" --checksum "sha256:$sha256" "${task[@]}"
is 'http: asked for once' "$(grep -c . "$T/log")" 1
run_is 'file URL' 0 "$ran" '' -- run --artifact-source "$file" --checksum "sha256:$sha256" "${task[@]}"
run_is 'absolute path' 0 "$ran" '' -- run --artifact-source "$files/binary.bin" --checksum "sha256:$sha256" "${task[@]}"
run_is 'file URL with a host, and with escapes' 0 "$ran" '' -- run --artifact-source "file://localhost$files/%62inary%2Ebin" \
	--checksum "sha256:$sha256" "${task[@]}"
run_is 'through redirects, under the name that was asked for' 0 '/local/asked: ' '' -- \
	run --artifact-source "$http/redirect/asked?to=$http/hops/3/binary.bin" --checksum "sha256:$sha256" --command asked
nothing_left 'after these'

# --- checksums ---

for type in sha1 sha256 sha384 sha512 md5; do
	case $type in
	md5 | sha1) warning="nomad-exec: warning: checksum type $type is broken: different files with one checksum can be made; use sha256" ;;
	*) warning='' ;;
	esac
	run_is "$type" 0 "$ran" "$warning" -- run --artifact-source "$file" --checksum "$type:$(sum $type)" "${task[@]}"
	run_is "$type without its name" 0 "$ran" "$warning" -- run --artifact-source "$file" --checksum "$(sum $type)" "${task[@]}"
	other=$(sum $type | tr 0-9a-f 1-9a-f0)
	run_is "$type that does not match" 125 '' "${warning:+$warning
}nomad-exec: artifact $file: expected $type:$other, got $type:$(sum $type) ($size bytes); nothing was kept" -- \
		run --artifact-source "$file" --checksum "$type:$other" "${task[@]}"
	refused "$type that is too short" "checksum $type:${other%?}: $type has exactly ${#other} hex digits
$hint" --artifact-source "$file" --checksum "$type:${other%?}" "${task[@]}"
	refused "$type that is too long" "checksum $type:${other}0: $type has exactly ${#other} hex digits
$hint" --artifact-source "$file" --checksum "$type:${other}0" "${task[@]}"
	refused "$type with a letter that is no digit" "checksum $type:${other%?}g: $type has exactly ${#other} hex digits
$hint" --artifact-source "$file" --checksum "$type:${other%?}g" "${task[@]}"
done
run_is 'capitals' 0 "$ran" '' -- run --artifact-source "$file" --checksum "SHA256:${sha256^^}" "${task[@]}"
one_off=${sha256%?}$(tr 0-9a-f 1-9a-f0 <<<"${sha256: -1}")
refused 'one digit off' "artifact $web: expected sha256:$one_off, got sha256:$sha256 ($size bytes); nothing was kept" \
	--artifact-source "$web" --checksum "sha256:$one_off" "${task[@]}"
nothing_left 'after a mismatch'
requests=$(wc -l <"$T/log")
for bad in sha257:00 crc32:00000000 : "$sha256:" "sha256" "sha256 :$sha256" "sha:$sha256"; do
	case $bad in *:*) why='not supported; supported are md5, sha1, sha256, sha384 and sha512' ;;
	*) why='expected TYPE:HEX, or 32, 40, 64, 96 or 128 hex digits' ;; esac
	refused "no checksum: $bad" "checksum $bad: $why
$hint" --artifact-source "$web" --checksum "$bad" "${task[@]}"
done
refused 'the page'"'"'s own checksum, which is none' "checksum sha256:abd123445ds4555555555: sha256 has exactly 64 hex digits
$hint" --artifact-source "$web" --checksum sha256:abd123445ds4555555555 "${task[@]}"
refused 'an empty checksum' "checksum : expected TYPE:HEX, or 32, 40, 64, 96 or 128 hex digits
$hint" --artifact-source "$web" --checksum '' "${task[@]}"
is 'these are found out before anything is fetched' "$(wc -l <"$T/log")" "$requests"
refused 'a checksum of nothing' "--checksum without --artifact-source: there is nothing that it is for
$hint" --checksum "sha256:$sha256" --command /bin/true

unverified="nomad-exec: warning: artifact $file: not verified, because no --checksum was given"
run_is 'without a checksum it runs, with a warning' 0 "$ran" "$unverified" -- run --artifact-source "$file" "${task[@]}"
run_is 'over plain http it says more' 0 "$ran" "${unverified/"$file"/"$web"}; over plain http anyone on the way can replace it" -- run --artifact-source "$web" "${task[@]}"
run_is '--quiet: with none' 0 "$ran" '' -- --quiet run --artifact-source "$web" "${task[@]}"

# --- what is placed where ---

# placed OPTION...: where the artifact is, with mode and owner, as the task sees it
placed() { nx run --artifact-source "$file" --checksum "sha256:$sha256" "$@" -- /bin/sh -c 'find /local /alloc -type f -exec stat -c "%n %a %u:%g" {} +'; }
where() { placed "${@:2}"; is "$1" "$RC $OUT$ERR" "0 $WANT"; }
WANT='/local/binary.bin 755 0:0' where 'local/, executable, root'"'"'s'
WANT='/local/binary.bin 755 0:0' where 'the same for a task of root' --user root
for destination in local /local local/ ./local //local/./ ; do
	WANT='/local/binary.bin 755 0:0' where "$destination" --artifact-destination "$destination"
done
WANT='/local/a/b c/binary.bin 755 0:0' where 'directories on the way are made' --artifact-destination 'local/a//b c/'
WANT='/alloc/data/binary.bin 755 0:0' where 'alloc/' --artifact-destination alloc/data
WANT='/alloc/x/binary.bin 755 0:0' where '../alloc/, as Nomad writes it' --artifact-destination ../alloc/x
nx run --artifact-source "$file" --checksum "sha256:$sha256" --artifact-destination local/a/b -- /bin/sh -c '
	stat -c "%a %u:%g" /local/a /local/a/b; echo x 2>/dev/null >>/local/binary.bin; (echo x >>/local/a/b/binary.bin) 2>&1 | sed "s/.*: //"; rm -f /local/a/b/binary.bin 2>&1 | sed "s/.*: //"'
is 'a task that is not root can neither write to it nor remove it from a directory of ours' "$OUT" '755 0:0
755 0:0
Permission denied
Permission denied'
is 'the source stays as it is' "$(stat -c %a "$files/binary.bin") $(sum sha256)" "600 $sha256"
for destination in /etc etc ../x / '' . .. ../../etc secrets locale local.d tmp /tmp alloc.d local/.. local/../.. local/../../x alloc/../../x \
	local/a/.. ../alloc/..; do
	refused "destination \"$destination\"" "--artifact-destination $destination: expected a directory below local/ or alloc/
$hint" --artifact-source "$file" --checksum "sha256:$sha256" --artifact-destination "$destination" "${task[@]}"
done
run_is 'a destination is judged before anything is fetched' 125 '' "nomad-exec: --artifact-destination etc: expected a directory below local/ or alloc/
nomad-exec: try: nomad-exec run --help" -- run --artifact-source "$T/none" --artifact-destination etc "${task[@]}"
nothing_left 'after these'
is 'nothing was made beside the allocations' "$(cd "$T" && echo *)" 'alloc err files log out port server.err'

# --- sources that are wrong ---

NOMAD_EXEC_ALLOW_FILE='' run_is 'a file of this host has to be allowed' 125 '' "nomad-exec: artifact source $file: it is a file of this host; if that is meant, add --allow-file
nomad-exec: try: nomad-exec run --help" -- run --artifact-source "$file" --checksum "sha256:$sha256" "${task[@]}"

refused 'a file that is not there' "fetch $files/none: open it: No such file or directory" --artifact-source "file://$files/none" --command none
refused 'a directory' "fetch $files: it is not a regular file" --artifact-source "$files" --command files
mkfifo "$files/fifo"
refused 'a fifo, without waiting' "fetch $files/fifo: it is not a regular file" --artifact-source "$files/fifo" --command fifo
supported='not supported; supported are http://, https://, s3::, s3://, file:// and absolute paths'
for source in binary.bin ./binary.bin ftp://127.0.0.1/x git::https://127.0.0.1/x hg::https://127.0.0.1/x '' 'file:x' "HTTP:/127.0.0.1/x"; do
	refused "source \"$source\"" "artifact source $source: $supported
$hint" --artifact-source "$source" --command x
done
refused 'a URL without a file name' "artifact source $http/: it names no file: it ends with the host or with a /
$hint" --artifact-source "$http/" --command x
refused 'a URL with a line break' "artifact source $http/?x: it has a control character in it
$hint" --artifact-source "$http/"$'\n''x' --command x
refused 'status 404' "fetch $http/file/none: the server answered with status 404" \
	--artifact-source "$http/file/none" --checksum "sha256:$sha256" --command none
nx run --artifact-source "$http/short/binary.bin" --checksum "sha256:$sha256" "${task[@]}"
like 'a body that ends early is not run' "$RC $OUT$(wc -l <"$T/err") $ERR" "125 1 nomad-exec: fetch $http/short/binary.bin: .+"
nx run --artifact-source "http://127.0.0.1:1/binary.bin" --checksum "sha256:$sha256" "${task[@]}"
like 'a server that is not there' "$RC $OUT$(wc -l <"$T/err") $ERR" '125 1 nomad-exec: fetch http://127.0.0.1:1/binary.bin: .*Connection refused.*'
nothing_left 'after these'

# --- secrets ---

secret="http://user:needle@${http#http://}/file/binary.bin?x-amz-signature=needle&token=needle"
nx --log-level debug run --result "$T/report" --artifact-source "$secret" --checksum "sha256:$one_off" "${task[@]}"
is 'passwords and signatures are not in messages or the report' "$RC $(cat "$T/out" "$T/err" "$T/report" | grep -c needle)" '125 0'
like 'but the rest of the source is' "$(tail -n 1 "$T/err")" \
	"nomad-exec: artifact $http/file/binary.bin\?x-amz-signature=\*\*\*&token=\*\*\*: expected .*"
nx run --dry-run --artifact-source "$secret" --checksum "sha256:$sha256" "${task[@]}"
is 'nor in the plan' "$RC $(grep -c needle "$T/out")" '0 0'

# --- the user interrupts ---

"$NX" run --artifact-source "$http/silent/binary.bin" --checksum "sha256:$sha256" "${task[@]}" >"$T/out" 2>"$T/err" &
launcher=$!
ok 'a server that does not answer is waited for' wait_for 60 grep -q silent "$T/log"
kill -TERM $launcher
wait $launcher
is 'a signal ends that, and the status says so' "$? $(cat "$T/out")" '143 '
nothing_left 'after that'

finish
