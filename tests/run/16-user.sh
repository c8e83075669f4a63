#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who a task is and where it starts: user, groups, umask, working directory, host name, task name and allocation id. As root; a wrapper
# may pass on names that an attacker chose.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
hint='nomad-exec: try: nomad-exec run --help'

# --- user and groups ---

# The four user ids, the four group ids, and the supplementary groups as the kernel has them.
look='sed -n "s/^[UG]id:\t//p; s/^Groups:\t/groups /p" /proc/self/status | tr "\t\n" "  " | sed "s/ *$//"; echo; id'

# ids UID GID [GROUP...]: what the kernel says of such a process, on one line
ids() { echo "$1 $1 $1 $1 $2 $2 $2 $2 groups ${*:3}" | sed 's/ *$//'; }

# user_is NAME STATUS-LINE ID-LINE OPTION...
user_is() { local name=$1 status=$2 id=$3; shift 3; run_is "$name" 0 "$status
$id" '' -- run "$@" -- /bin/sh -c "$look"; }

nobody=$(id -u nobody) group=$(id -g nobody) group_name=$(id -gn nobody)
nobody_is="uid=$nobody(nobody) gid=$group($group_name) groups=$group($group_name)"
user_is 'nobody, when nothing is said' "$(ids "$nobody" "$group")" "$nobody_is"
user_is 'nobody by name' "$(ids "$nobody" "$group")" "$nobody_is" --user nobody
user_is 'nobody by number' "$(ids "$nobody" "$group")" "$nobody_is" --user "$nobody"
user_is 'nobody and its group by name' "$(ids "$nobody" "$group")" "$nobody_is" --user "nobody:$group_name"
user_is 'root' "$(ids 0 0)" 'uid=0(root) gid=0(root) groups=0(root)' --user root
user_is 'root by number' "$(ids 0 0)" 'uid=0(root) gid=0(root) groups=0(root)' -u 0
user_is 'root with another group' "$(ids 0 "$group")" "uid=0(root) gid=$group($group_name) groups=$group($group_name)" --user "root:$group_name"
user_is 'a number without an entry is its own group' "$(ids 4123456 4123456)" 'uid=4123456 gid=4123456 groups=4123456' --user 4123456
user_is 'two numbers without entries' "$(ids 4123456 4123457)" 'uid=4123456 gid=4123457 groups=4123457' --user=4123456:4123457
user_is 'the largest numbers' "$(ids 4294967294 4294967294)" 'uid=4294967294 gid=4294967294 groups=4294967294' --user 4294967294:4294967294
user_is 'numbers with leading zeros are decimal' "$(ids 10 8)" "$(setpriv --reuid 10 --regid 8 --clear-groups id)" --user 010:08

# The caller's groups are not the task's, and neither is what it was before.
setpriv --groups 7,8,9 "$NX" run -- /bin/sh -c "$look" >"$T/out" 2>&1
is 'the caller'"'"'s supplementary groups are not passed on' "$(sed -n 1p "$T/out")" "$(ids "$nobody" "$group")"
run_is 'there is no way back to root' 127 '' 'setpriv: setresuid failed: Operation not permitted' -- run -- /usr/bin/setpriv --reuid=0 id
run_is 'nor to its group' 127 '' 'setpriv: setresgid failed: Operation not permitted' -- run -- /usr/bin/setpriv --regid=0 --keep-groups id
run_is 'nor to its groups' 127 '' 'setpriv: setgroups failed: Operation not permitted' -- run -- /usr/bin/setpriv --groups=0 id

# A host whose users are in groups of others: in a mount namespace, with databases of the test's own.
own='root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\nalice:x:2001:2002::/home/alice:/bin/sh\n2003:x:2005:2002::/:/bin/sh\n'
groups='root:x:0:\nnogroup:x:65534:\nalice:x:2002:\nwheel:x:2010:bob,alice\naudio:x:2011:alice,alice\nlate:x:2001:alice\nother:x:2013:bob\n'
on_host() {
	printf '%b' "$own" >"$T/passwd"
	printf '%b' "$groups" >"$T/group"
	T=$T NX=$NX unshare --mount --propagation private /bin/sh -c 'mount --bind "$T/passwd" /etc/passwd; mount --bind "$T/group" /etc/group; exec "$NX" "$@"' - \
		"$@" >"$T/out" 2>&1
}
on_host run --user alice -- /bin/sh -c "$look; env | grep -e HOME -e USER -e LOGNAME | sort"
is 'primary and supplementary groups of a user, home and names' "$(cat "$T/out")" "$(ids 2001 2002 2001 2010 2011)
uid=2001(alice) gid=2002(alice) groups=2002(alice),2001(late),2010(wheel),2011(audio)
HOME=/home/alice
LOGNAME=alice
USER=alice"
on_host run --user 2001:wheel -- /bin/sh -c "$look"
is 'a group that is given replaces the primary one; the others stay' "$(sed -n 1p "$T/out")" "$(ids 2001 2010 2001 2011)"
on_host run --user 2003 -- /bin/sh -c "$look"
is 'digits are a number, though a name may look so' "$(sed -n 1p "$T/out")" "$(ids 2003 2003)"
on_host run --user root -- /bin/sh -c "$look"
is 'root is in no group that it was not put in' "$(sed -n 1p "$T/out")" "$(ids 0 0)"

for user in no-such-user Nobody; do
	run_is "an unknown user: $user" 125 '' \
		"nomad-exec: user \"$user\": not in the host's database; \`getent passwd\` lists what is; a number need not be there
$hint" -- run --user "$user" -- true
done
run_is 'an unknown group' 125 '' \
	"nomad-exec: group \"no-such-group\": not in the host's database; \`getent group\` lists what is; a number need not be there
$hint" -- run --user nobody:no-such-group -- true
for user in '' -1 +1 ' root' 'root ' $'root\n' 4294967295 99999999999999999999999; do
	run_is "no user: \"$user\"" 125 '' \
		"nomad-exec: user \"$(printf %s "$user" | tr '\n' '?')\": expected a name or a number from 0 to 4294967294
$hint" -- run --user "$user" -- true
done
for user in nobody: nobody:-1 nobody:4294967295 nobody:a:b 0:0:0; do
	run_is "no group: \"$user\"" 125 '' "nomad-exec: group \"${user#*:}\": expected a name or a number from 0 to 4294967294
$hint" -- run --user "$user" -- true
done
run_is 'no user: ":0"' 125 '' "nomad-exec: user \"\": expected a name or a number from 0 to 4294967294
$hint" -- run --user :0 -- true

# --- files that it makes ---

make='umask; >/local/f; mkdir /local/d; stat -c "%a %u:%g" /local/f /local/d'
for mask in 000 022 077 777; do
	(umask $mask && exec "$NX" run --user 1234:5678 -- /bin/sh -c "$make") >"$T/out" 2>&1
	is "umask and files, from a caller with umask $mask" "$(cat "$T/out")" '0022
644 1234:5678
755 1234:5678'
done

# --- working directory ---

run_is 'the root, when nothing is said' 0 / '' -- run -- /bin/pwd
(cd /usr/bin && "$NX" run -- /bin/pwd >"$T/out")
is 'wherever the caller is' "$(cat "$T/out")" /
run_is 'a directory of the task' 0 /local '' -- run -w /local -- /bin/pwd
run_is 'one of the host, by a detour' 0 /usr/share '' -- run --work-dir /usr/bin/.././//share/. -- /bin/pwd
run_is 'one through a link' 0 /usr/bin '' -- run --work-dir /proc/self/root/../usr/bin -- /bin/pwd -P
run_is 'one that only the user may enter' 0 /secrets '' -- run --work-dir /secrets --user 1234 -- /bin/pwd
run_is 'a relative path' 125 '' "nomad-exec: --work-dir local: expected an absolute path inside the chroot
$hint" -- run --work-dir local -- true
run_is 'no path' 125 '' "nomad-exec: --work-dir : expected an absolute path inside the chroot
$hint" -- run --work-dir= -- true
run_is 'one that is not there' 125 '' 'nomad-exec: enter --work-dir /none inside the chroot: No such file or directory' -- \
	run --work-dir /none -- true
run_is 'one that only the host has' 125 '' "nomad-exec: enter --work-dir $T inside the chroot: No such file or directory" -- \
	run --work-dir "$T" -- true
run_is 'a file' 125 '' 'nomad-exec: enter --work-dir /etc/passwd inside the chroot: Not a directory' -- run --work-dir /etc/passwd -- true
run_is 'one that the user may not enter' 125 '' \
	'nomad-exec: enter --work-dir /proc/1/cwd inside the chroot: Permission denied; the task'"'"'s user may not' -- run --work-dir /proc/1/cwd -- true
# Every descriptor that the launcher, init or the caller could have left open leads back to the host's tree, were it still open.
"$NX" run --work-dir /proc/self/fd/7 -- /bin/pwd >"$T/out" 2>&1 7</
is 'a directory that the caller holds open' "$? $(cat "$T/out")" \
	'125 nomad-exec: enter --work-dir /proc/self/fd/7 inside the chroot: No such file or directory'
for fd in 3 4 5 6 8 9; do
	nx run --user root --work-dir "/proc/self/fd/$fd" -- /bin/pwd
	like "descriptor $fd of ours" "$RC $ERR" "125 nomad-exec: enter --work-dir /proc/self/fd/$fd inside the chroot: (No such file or directory|Not a directory)"
done

# --- host name ---

run_is 'the host'"'"'s name, when nothing is said' 0 "$(uname -n)" '' -- run -- /bin/uname -n
run_is 'another name' 0 web-1.example '' -- run --hostname web-1.example -- /bin/uname -n
longest=$(printf '%064d' 7)
run_is 'the longest' 0 "$longest" '' -- run --hostname "$longest" -- /bin/uname -n
run_is 'a longer one' 125 '' "nomad-exec: --hostname \"0$longest\": expected 1 to 64 bytes
$hint" -- run --hostname "0$longest" -- true
run_is 'an empty one' 125 '' "nomad-exec: --hostname \"\": expected 1 to 64 bytes
$hint" -- run --hostname '' -- true

# --- task name and allocation id ---

# named OPTION...: the task's name, and the host's directory of it, of an allocation that is kept
named() {
	nx run --keep --id named "$@" --args -c --args 'echo "$NOMAD_TASK_NAME"'
	echo "$OUT$ERR $(cd "$NOMAD_EXEC_ALLOC_DIR/named" && echo *)"
	rm -r "$NOMAD_EXEC_ALLOC_DIR/named"
}
is 'the name is the base name of the command' "$(named --command /bin/sh)" 'sh alloc sh'
is 'or what is said' "$(named --command /bin/sh --name web.1_X-)" 'web.1_X- alloc web.1_X-'
cp /bin/sh "$T/-a é"
artifact "$T/-a é"
nx run --keep --id named "${ARTIFACT[@]/"$T/-a é"/"file://$T/%2da%20%c3%a9"}" -- /bin/sh
is 'a file name that begins with a dash is refused' "$RC $ERR" \
	"125 nomad-exec: artifact source file://$T/%2da%20%c3%a9: its file name begins with -
$hint"
rm -r "$NOMAD_EXEC_ALLOC_DIR/named" # kept, as it was asked for
nx run --dry-run -- '/local/.a é'
is 'what a name may not have becomes _' "$RC $(grep '^task ' "$T/out")" '0 task      _a___'
longest=$(printf '%0128d' 7)
run_is 'the longest name and id' 0 "$longest $longest" '' -- run --name "$longest" --id "$longest" -- \
	/bin/sh -c 'echo "$NOMAD_TASK_NAME $NOMAD_ALLOC_ID"'
run_is 'a short id is its own short form' 0 'ab ab' '' -- run --id ab -- /bin/sh -c 'echo "$NOMAD_ALLOC_ID $NOMAD_SHORT_ALLOC_ID"'
for bad in ../x a/b /x '' . .. .x -x 'a b' $'a\nb' 'a%b' é "0$longest" '*' '$(id)'; do
	for option in id name; do
		run_is "no $option: $(printf %.20q "$bad")" 125 '' \
			"nomad-exec: --$option \"$(printf %s "$bad" | tr '\n' '?')\": expected 1 to 128 of A-Z a-z 0-9 _ . -, not beginning with . or -
$hint" -- run --$option "$bad" -- true
	done
done
run_is 'a name that is ours' 125 '' "nomad-exec: --name alloc: that is the allocation's shared directory; choose another
$hint" -- run --name alloc -- true
mkdir "$T/programs" && cp /bin/sh "$T/programs/alloc"
artifact "$T/programs/alloc"
run_is 'a command of that name gets another' 0 task '' -- run "${ARTIFACT[@]}" --command alloc --args -c --args 'echo "$NOMAD_TASK_NAME"'
is 'nothing is left' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''

finish
