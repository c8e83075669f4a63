#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What becomes of archives: the good ones, and the hostile ones that tests/archives/make.py writes, each with what has to
# come of it. Drives `nomad-exec fetch`; with UNPACK=PATH, or when there is no such command, the program made of
# tests/place/unpack.c, which takes the same options and places files by the stage alone. Root or not.
. "${0%/*}/lib.sh"

UNPACK=${UNPACK-}
if [ -z "$UNPACK" ] && "$NX" fetch --help >/dev/null 2>&1; then
	FETCH=("$NX" --quiet fetch --no-cache)
elif UNPACK=${UNPACK:-${NX%/*}/tests/place/unpack} && [ -x "$UNPACK" ]; then
	FETCH=("$UNPACK")
else
	skip 'unpacking' "there is neither nomad-exec fetch nor $UNPACK"
	finish
fi
A=$T/archives D=$T/box/dest
ok 'the archives are written' python3 "$root/tests/archives/make.py" "$A"

# unpack OPTION... FILE: into $D; OUT, ERR and RC
unpack() {
	"${FETCH[@]}" --destination "$D" "${@:1:$#-1}" "${*: -1}" >"$T/out" 2>"$T/err" </dev/null
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}

# fresh: an empty destination in a box with something beside it
fresh() { rm -rf "$T/box" && mkdir -p "$D" && echo beside >"$T/box/beside"; }

# everything: all that is in the box, with content; not the time of $D, in which staging comes and goes
everything() {
	(cd "$T/box" && find . -printf '%p %y %m %U:%G %n %l' \( -path ./dest -printf '\n' -o -printf ' %T@\n' \) | sort
		find . -type f -exec sha256sum {} + | sort)
}

# listing: what is in $D, as make.py writes it
listing() {
	(cd "$D" && find . -mindepth 1 \( -type d -printf '%P=%y,%m\n' -o -type l -printf '%P=%y,%m,%s,%l\n' -o -printf '%P=%y,%m,%s\n' \) |
		words)
}

# words: the words of the input, sorted, on one line
words() { tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//'; }

# matches TEXT PATTERN: the pattern is literal but for *
matches() {
	local pattern
	pattern=$(printf '%s' "$2" | sed 's/[][\\?]/\\&/g')
	# shellcheck disable=SC2254 # a pattern it is
	case $1 in $pattern) return 0 ;; *) return 1 ;; esac
}

# refused FILE MESSAGE OPTION...: it is refused with this message, and nothing has changed
refused() {
	local file=$1 message="nomad-exec: unpack ${1##*/}: $2" before after
	before=$(everything)
	unpack "${@:3}" "$file"
	after=$(everything)
	if [ "$RC" != 1 ] || [ -n "$OUT" ] || [ "$(wc -l <"$T/err")" != 1 ] || ! matches "$ERR" "$message"; then
		fail "$NAME is refused" "expected: status 1, $message" "got:      status $RC, $OUT$ERR"
	elif [ "$before" != "$after" ]; then
		fail "$NAME is refused without a trace" "$(diff <(echo "$before") <(echo "$after"))"
	else
		pass "$NAME is refused"
	fi
}

# becomes FILE LISTING OPTION...: the destination, then
becomes() {
	local file=$1 got expected
	expected=$(printf '%s\n' "$2" | words)
	unpack "${@:3}" "$file"
	got=$(listing)
	if [ "$RC" = 0 ] && [ -z "$ERR" ] && [ "$got" = "$expected" ] && [ "$(cat "$T/box/beside")$(ls "$T/box")" = $'besidebeside\ndest' ]; then
		pass "$NAME"
	else
		fail "$NAME" "expected: status 0, $expected" "got:      status $RC, $got" "$ERR"
	fi
}

# --- every archive of make.py ---

while IFS=$'\t' read -r file verdict expected; do
	NAME=$file
	fresh
	case $verdict in
	refused)
		mkdir -p "$D/old/there" && echo old >"$D/old/file" && ln -s /etc "$D/old/link"
		refused "$A/$file" "$expected"
		;;
	is) becomes "$A/$file" "$expected" ;;
	esac
done <"$A/cases"

# --- what is not in the listing ---

times() { (cd "$D" && find . -mindepth 1 -printf '%P=%T@\n' | sed 's/\.0*$//' | words); }
fresh
before=$(date +%s)
python3 - "$T/times.tar" <<-END
	import tarfile, sys
	with tarfile.open(sys.argv[1], "w") as tar:
	    for name, kind, when in (("d", tarfile.DIRTYPE, 1000000000), ("d/f", tarfile.REGTYPE, 1000000001),
	                             ("e", tarfile.DIRTYPE, 1000000002), ("d/g", tarfile.REGTYPE, 1000000003),
	                             ("l", tarfile.SYMTYPE, 1000000004), ("d/zero", tarfile.REGTYPE, 0)):
	        info = tarfile.TarInfo(name)
	        info.type, info.mtime, info.linkname, info.uid, info.gid = kind, when, "d" if kind == tarfile.SYMTYPE else "", 7, 7
	        info.mode = 0o755
	        tar.addfile(info)
END
unpack "$T/times.tar"
zero=$(stat -c %Y "$D/d/zero")
is 'times are restored, those of directories after their content' "$RC $ERR $(times | sed 's/d.zero=[0-9.]*/d\/zero=now/')" \
	'0  d/f=1000000001 d/g=1000000003 d/zero=now d=1000000000 e=1000000002 l=1000000004'
ok 'a time of 0 means now' [ "$zero" -ge "$before" ]
is 'owners are dropped' "$(find "$D" -printf '%U:%G\n' | sort -u)" "$(id -u):$(id -g)"
fresh
unpack "$A/attributes.tar"
is 'attributes are dropped' "$(python3 -c 'import os, sys; print(os.listxattr(sys.argv[1]))' "$D/x")" '[]'
ok '... and file flags: it can be removed' rm "$D/x"
fresh
unpack "$A/sparse.tar"
is 'holes read as zeros' "$(sha256sum <"$D/sparse")" "$( (echo foo; head -c 99996 /dev/zero) | sha256sum)"
fresh
unpack "$A/hard-good.tar"
is 'hard links are hard links' "$(stat -c %h "$D/a") $(stat -c %i "$D/a")" "2 $(stat -c %i "$D/d/b")"

# --- options ---

NAME='--strip-components 1' && fresh && becomes "$A/implied.tar" 'sub=d,755 sub/a=f,644,4' --strip-components 1
NAME='--strip-components 2' && fresh && becomes "$A/implied.tar" 'a=f,644,4' --strip-components 2
NAME='--strip-components beyond all' && fresh && refused "$A/implied.tar" 'the archive is empty' --strip-components 3
NAME='--strip-components does not hide a bad name' && fresh &&
	refused "$A/name-dots-inside.tar" 'entry a/../../x: it has a .. in it' --strip-components 9
NAME='--strip-components: links are judged where they come to lie' && fresh &&
	refused "$A/links.tar" 'entry a/b/up: it is a link to ../../bin: it links to outside of the archive' --strip-components 1
NAME='--chmod is for files' && fresh &&
	becomes "$A/modes.zip" 'f0=f,640,4 f600=f,640,4 f666=f,640,4 f755=f,640,4 open=d,755 open/inside=f,640,4 sgid=f,640,4 shut=d,700 shut/inside=f,640,4 sticky=f,640,4 suid=f,640,4' --chmod 640
for form in tar.gz tar.bz2 tar.xz tar.zst zip; do
	NAME="--mode file: the one file of a $form" && fresh && becomes "$A/one.$form" 'one=f,644,4' --mode file
	is '... has its content' "$(cat "$D/one")" foo
	NAME="--mode file: two files of a $form" && fresh &&
		refused "$A/two.$form" 'entry *test1: it is more than the one file that is wanted' --mode file
done
NAME='--mode file: a link' && fresh && refused "$A/link-over-link.tar" 'entry x: it is a link, and one file is wanted' --mode file
NAME='--mode file: nothing' && fresh && refused "$A/top-alone.tar" 'the archive is empty' --mode file
NAME='--mode file: directories on the way do not count' && fresh && becomes "$A/implied.tar" 'implied=f,644,4' --mode file
NAME='--mode dir: an archive' && fresh && becomes "$A/one.tar" 'file=f,644,4' --mode dir
NAME='--mode dir: a compressed file' && fresh &&
	refused "$A/hello.gz" 'it is no archive, and a directory is wanted' --mode dir
NAME='--unpack no' && fresh && becomes "$A/two.tar" "two.tar=f,644,$(stat -c %s "$A/two.tar")" --unpack no
NAME='--unpack FORMAT' && cp "$A/two.tar.xz" "$A/other.name" && fresh &&
	becomes "$A/other.name" 'dir=d,755 dir/test2=f,644,3 test1=f,644,3' --unpack tar.xz
NAME='--unpack FORMAT that it has not' && fresh &&
	refused "$A/other.name" 'it should be tar.gz, but its content is xz' --unpack tar.gz
NAME='--unpack FORMAT, against the name' && cp "$A/two.tar.xz" "$A/wrong.tar.gz" && fresh &&
	becomes "$A/wrong.tar.gz" 'dir=d,755 dir/test2=f,644,3 test1=f,644,3' --unpack txz

# --- a destination that has something already ---

# prepared: a tree that the archive two.tar is merged into
prepared() { fresh && mkdir -m 700 "$D/dir" && echo old >"$D/dir/test2" && echo kept >"$D/dir/kept" && echo precious >"$T/box/beside"; }
prepared
unpack "$A/two.tar"
is 'files are replaced, others and directories stay' "$RC $ERR $(listing) $(cat "$D/dir/test2" "$D/dir/kept" | tr '\n' ' ')" \
	'0  dir/kept=f,644,5 dir/test2=f,644,3 dir=d,700 test1=f,644,3 t2 kept '
prepared && ln -f "$D/dir/test2" "$T/box/other-name"
unpack "$A/two.tar"
is '... by new ones: who has the old one keeps it' "$(cat "$T/box/other-name")" old
prepared && ln -s "$T/box/beside" "$D/test1"
unpack "$A/two.tar"
is 'a link in place of a file is replaced itself' "$RC $(stat -c %F "$D/test1") $(cat "$D/test1" "$T/box/beside" | tr '\n' ' ')" \
	'0 regular file t1 precious '
NAME='a link in place of a directory' && prepared && mv "$D/dir" "$T/box/away" && ln -s ../away "$D/dir" &&
	refused "$A/two.tar" 'dir: a link is there, where a directory is to be'
NAME='a file in place of a directory' && fresh && echo x >"$D/dir" &&
	refused "$A/two.tar" 'dir: a file is there, where a directory is to be'
NAME='a directory in place of a file' && prepared && rm "$D/dir/test2" && mkdir "$D/dir/test2" &&
	refused "$A/two.tar" 'dir/test2: a directory is there, where a file is to be'
NAME='a directory in place of the one file' && fresh && mkdir "$D/hello" &&
	refused "$A/hello.gz" 'give it its name: Is a directory; choose another name, or remove the directory hello'
NAME='a fifo in place of a file' && prepared && rm "$D/dir/test2" && mkfifo "$D/dir/test2" &&
	refused "$A/two.tar" 'replace dir/test2: it is a fifo; choose another directory'
NAME='a fifo in place of the one file' && fresh && mkfifo "$D/hello" &&
	refused "$A/hello.gz" 'replace hello: it is a fifo; choose another name'
NAME='--no-clobber' && prepared && refused "$A/two.tar" 'dir/test2: it is there already, and is not to be replaced' --no-clobber
NAME='--no-clobber beside others' && fresh && mkdir "$D/dir" && echo kept >"$D/dir/kept" &&
	becomes "$A/two.tar" 'dir=d,755 dir/kept=f,644,5 dir/test2=f,644,3 test1=f,644,3' --no-clobber
NAME='--no-clobber: the one file' && fresh && echo old >"$D/hello" &&
	refused "$A/hello.gz" 'give it its name: File exists; hello is there already, and is not to be replaced' --no-clobber
fresh && mkdir "$T/box/real" && rmdir "$D" && ln -s real "$D"
unpack "$A/two.tar"
is 'a destination that is a link itself is the directory it means' "$RC $ERR $(find "$T/box/real" -mindepth 1 -maxdepth 1 -printf "%f\n" | words)" '0  dir test1'

# --- what root can try ---

if [ "$(id -u)" = 0 ]; then
	fresh
	unpack --chown 65534:65533 "$A/links.tar"
	is '--chown: all of it' "$RC $ERR $(find "$D" -mindepth 1 -printf '%U:%G\n' | sort -u)" '0  65534:65533'
	is '... and what links lead to is not touched' "$(stat -c %u "$D" "$T/box/beside" | words)" '0 0'
	fresh && mkdir "$T/box/bin" && echo x >"$T/box/bin/tool"
	unpack --chown 65534:65533 "$A/hello.gz"
	is '--chown: one file' "$RC $(stat -c %u:%g "$D/hello")" '0 65534:65533'
	NAME='a device in place of the one file' && fresh && mknod "$D/hello" c 1 3 &&
		refused "$A/hello.gz" 'replace hello: it is a device; choose another name'
	fresh
	if mount -t tmpfs -o size=64k,mode=755 none "$D" 2>/dev/null; then
		NAME='a full disk' && head -c 300000 /dev/urandom >"$T/big" && tar -C "$T" -cf "$T/big.tar" big &&
			python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.compress(b"x" * 300000))' >"$T/big.gz"
		before=$(everything)
		unpack "$T/big.gz"
		is "$NAME" "$RC $ERR" '1 nomad-exec: unpack big.gz: write it: No space left on device'
		is '... nothing is left there' "$(everything)" "$before"
		umount "$D" && mount -t tmpfs -o ro none "$D"
		unpack "$A/two.tar"
		is 'a read-only destination' "$RC $ERR" "1 nomad-exec: make a file for the artifact in $D: Read-only file system"
		umount "$D"
	else
		skip 'a full disk' 'tmpfs cannot be mounted'
	fi
	fresh && mkdir "$D/dir"
	if mount --bind "$A" "$D/dir" 2>/dev/null; then
		unpack "$A/two.tar"
		is 'what is mounted in the destination is not entered' "$RC $ERR" \
			'1 nomad-exec: unpack two.tar: open the directory dir: Invalid cross-device link'
		umount "$D/dir"
	else
		skip 'a mount in the destination' 'nothing can be bound'
	fi
else
	skip 'owners, full and read-only disks' 'it takes root'
fi

# --- the child, and its end ---

python3 - "$T/slow.tar.bz2" <<-END
	import bz2, io, sys, tarfile, zlib
	data = bytearray(b"0123456789abcdef")
	while len(data) < 24 << 20:
	    data += zlib.compress(bytes(data[-65536:]) + len(data).to_bytes(8, "little"), 1)
	out = io.BytesIO()
	with tarfile.open(fileobj=out, mode="w") as tar:
	    info = tarfile.TarInfo("slow")
	    info.size = len(data)
	    tar.addfile(info, io.BytesIO(bytes(data)))
	open(sys.argv[1], "wb").write(bz2.compress(out.getvalue()))
END

# begin: unpacks the slow archive in the background; LAUNCHER, and CHILD, which is stopped as soon as it is confined
begin() {
	"${FETCH[@]}" --destination "$D" "$T/slow.tar.bz2" >"$T/out" 2>"$T/err" </dev/null &
	LAUNCHER=$! CHILD=
	if wait_for 60 confined; then pass 'a child unpacks'; else fail 'a child unpacks' "$(cat "$T/err")"; fi
}
# shellcheck disable=SC2317 # for wait_for
confined() {
	CHILD=$(pgrep -P "$LAUNCHER") && grep -q '^Seccomp:.2' "/proc/$CHILD/status" && kill -STOP "$CHILD" &&
		grep -q '^State:.T' "/proc/$CHILD/status"
}
fresh
begin
is 'the child can gain nothing, and is filtered' "$(grep -E '^(NoNewPrivs|Seccomp|CapPrm|CapEff):' "/proc/$CHILD/status" | tr '\t\n' '  ')" \
	'CapPrm: 0000000000000000 CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 '
is '... has three descriptors, and what writes' "$(cd "/proc/$CHILD/fd" && echo [0-9]* | sed 's/ 6$//')" '0 1 2 3 4 5'
if [ "$(id -u)" = 0 ]; then
	like '... has the staging directory as its root' "$(readlink "/proc/$CHILD/root")" '.*/box/dest/\.nomad-exec-place-[0-9a-f]{16}'
	ok '... and a network of its own, which is none' [ "$(readlink "/proc/$CHILD/ns/net")" != "$(readlink /proc/self/ns/net)" ]
fi
is 'the staging directory is for nobody else' "$(stat -c %a "$D"/.nomad-exec-place-*)" 700
kill -KILL "$CHILD"
wait "$LAUNCHER"
is 'a child that is killed' "$? $(cat "$T/err")" \
	'1 nomad-exec: unpack slow.tar.bz2: the process that unpacked it was ended by SIGKILL'
is '... leaves nothing' "$(ls -A "$D")" ''
fresh && mkdir "$T/box/elsewhere"
begin
mv "$D" "$T/box/moved" && ln -s elsewhere "$D"
kill -CONT "$CHILD"
wait "$LAUNCHER"
is 'a destination that is swapped meanwhile: the one that was opened is the one that is filled' \
	"$? $(cd "$T/box" && find moved elsewhere -mindepth 1)" '0 moved/slow'
fresh
begin
[ -z "$UNPACK" ] || "$UNPACK" --destination "$D" --clean
is 'what is alive is not cleaned away' "$(find "$D" -mindepth 1 -maxdepth 1 | wc -l)" 1
kill -KILL "$LAUNCHER"
wait "$LAUNCHER" 2>/dev/null
ok 'a child ends with its launcher' wait_for 60 [ ! -e "/proc/$CHILD" ]
is '... and its directory is left' "$(find "$D" -mindepth 1 -maxdepth 1 -name '.nomad-exec-place-*' | wc -l)" 1
NAME='the next one removes it' && becomes "$A/one.tar" 'file=f,644,4' ${UNPACK:+--clean}

finish
