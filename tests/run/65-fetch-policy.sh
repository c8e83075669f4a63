#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch and what must not happen: a server that sends us elsewhere gets nothing that was meant for another, and reaches nothing that
# only we can reach; and what the user keeps secret is in nothing that is shown.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

printf 'Hello\n' >"$files/hello"
hello=$(sum_of "$files/hello")
serve one
one=$WEB one_host=127.0.0.1:$PORT
serve two
two=$WEB two_host=127.0.0.1:$PORT

# --- what goes along with a redirect ---

private=(--header 'X-Private: needle' --header 'Authorization: Bearer needle' --header 'Cookie: needle' --header 'X-Api-Key: needle')
fresh
fetched 'headers of the user' "$files/hello" "$D/x" '' -- "${private[@]}" --checksum "$hello" --output "$D/x" "$one/file/hello?1"
is 'all are sent' "$(tail -n 1 "$T/one.log" | grep -o needle | grep -c .)" 4
fresh
fetched 'to the same origin' "$files/hello" "$D/x" '' -- "${private[@]}" --checksum "$hello" --output "$D/x" "$one/redirect/x?to=/file/hello?2"
is 'all go along' "$(tail -n 1 "$T/one.log" | grep -o needle | grep -c .)" 4
# elsewhere NAME FROM TO [OPTION...]: a redirect to another origin: what is needed arrives, and nothing of ours
elsewhere() {
	local name=$1 from=$2 to=$3 before
	shift 3
	fresh
	before=$(wc -l <"$T/two.log")
	fetched "$name" "$files/hello" "$D/x" '' -- "$@" --checksum "$hello" --output "$D/x" "$from/redirect/x?to=$to"
	is "$name: nothing of ours arrives" "$(sed "1,${before}d" "$T/two.log" | grep -c -e needle -e Authorization -e dXNlcjpuZWVkbGU)" 0
	is "$name: but the request does" "$(($(wc -l <"$T/two.log") > before))" 1
}
elsewhere 'to another port' "$one" "$two/file/hello" "${private[@]}"
elsewhere 'to another host' "$one" "http://localhost:${two##*:}/file/hello" "${private[@]}"
elsewhere 'and back again' "$one" "$two/redirect/x%3Fto=$one/redirect/x%253Fto=$two/file/hello" "${private[@]}"
is 'back at the first they do not come again' "$(tail -n 1 "$T/one.log" | grep -c needle)" 0
elsewhere 'with a password in the URL' "http://user:needle@$one_host" "$two/file/hello"
elsewhere 'with a password in the Location' "$one" "http://user:needle@$two_host/file/hello"
printf 'machine 127.0.0.1 login user password needle\ndefault login user password needle\n' >"$T/netrc"
chmod 600 "$T/netrc"
elsewhere 'H29: with netrc' "$one" "http://localhost:${two##*:}/file/hello" --netrc-file "$T/netrc"
elsewhere 'H29: to a port that netrc knows as well' "$one" "$two/file/hello" --netrc-file "$T/netrc"
is 'no Referer' "$(grep -c Referer "$T/one.log" "$T/two.log" | sed 's/.*://' | sort -u)" 0
fresh
fetch --retries 0 --checksum "$hello" --output "$D/x" "$one/redirect/x?to=http://user:secret@$two_host/private/x"
only_says 'a server cannot lend us a password' 1 "$two/private/x" 'status 401'

# --- where a redirect may not lead (H27) ---

for target in file:///etc/passwd file://127.0.0.1/etc/passwd ftp://127.0.0.1/x gopher://127.0.0.1/x 'data:,Hello' dict://127.0.0.1/x scp://127.0.0.1/x \
	ldap://127.0.0.1/x smb://127.0.0.1/x javascript:x mailto:x; do
	fresh
	refused "H27: a redirect to $target" 1 "${target%%:*}:" 'only http and https|[Rr]edirect' -- --retries 0 --output "$D/x" "$one/redirect/x?to=$target"
done
fresh
for target in '' '/a%01b' '/&pad=9000'; do
	refused "H27: a redirect to \"$target\"" 1 "$one/redirect/x" '[Rr]edirect|Location|control' -- --retries 0 --output "$D/x" "$one/redirect/x?to=$target"
done

# --- addresses that are not for artifacts ---

# never NAME URL REASON [OPTION...]: refused after the name is known, with no connection made
never() {
	local name=$1 url=$2 reason=$3
	shift 3
	fresh
	refused "$name" 1 "$url" "$reason" -- --retries 0 "$@" --output "$D/x" "$url"
}
for host in 169.254.169.254 169.254.170.2 169.254.1.1 2852039166 0xa9fea9fe 0251.0376.0251.0376 '[fd00:ec2::254]' '[fe80::1]' '[::ffff:169.254.169.254]' \
	100.100.100.200; do
	never "metadata: $host" "http://$host/x" 'metadata|link-local'
done
like 'the remedy' "$ERR" '.*--allow-metadata.*'
fresh
refused 'metadata: by a redirect' 1 'http://169.254.169.254/x' 'metadata|link-local' -- --retries 0 --output "$D/x" "$one/redirect/x?to=http://169.254.169.254/x"
fetch --retries 0 --deny-private --output "$D/x" "$one/file/hello?private"
only_says '--deny-private: this host' 1 "$one/file/hello" 'private'
is '--deny-private: not asked for anything' "$(asked one '/file/hello?private')" 0
for host in 10.0.0.1 172.16.0.1 192.168.1.1 '[::1]' '[fc00::1]' 0.0.0.0 '[::]' '[::ffff:127.0.0.1]' 127.1; do
	never "--deny-private: $host" "http://$host/x" 'private' --deny-private
done
if can_mount; then
	printf '127.0.0.1 localhost near.test\n169.254.169.254 meta.test\n' >"$T/hosts"
	# named ARGUMENT...: with names of ours
	named() {
		# shellcheck disable=SC2016 # for the inner shell
		timeout "$patience" unshare --mount sh -c 'mount --bind "$1" /etc/hosts && shift && exec "$@"' sh "$T/hosts" "$NX" fetch --no-cache \
			--retries 0 --output "$D/x" "$@" >"$T/out" 2>"$T/err" </dev/null
		RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
	}
	named http://meta.test/x
	only_says 'metadata: by a name' 1 http://meta.test/x 'metadata|link-local'
	named --deny-private "http://near.test:${one##*:}/file/hello?named"
	only_says '--deny-private: by a name' 1 "http://near.test:${one##*:}/file/hello" 'private'
	is '--deny-private: by a name: not asked for anything' "$(asked one '/file/hello?named')" 0
	named --checksum "$hello" "http://near.test:${one##*:}/file/hello?named"
	is 'names of ours work' "$RC $OUT" "0 $D/x"
else
	skip 'addresses behind names' 'no mounts here'
fi

# --- secrets ---

# Whatever is shown anywhere is gathered in $T/shown; every secret is "needle".
query='X-Amz-Signature=needle&X-Amz-Security-Token=needle&X-Amz-Credential=needle&token=needle&sig=needle&Signature=needle&password=needle&sshkey=needle&aws_access_key_secret=needle'
: >"$T/shown"
# shown ARGUMENT...: fetches with everything secret, as loudly as can be, and gathers what is seen
shown() {
	for level in '' --log-json; do
		# shellcheck disable=SC2086 # none or one
		timeout "$patience" "$NX" --log-level debug $level fetch --no-cache --json --retries 1 "${private[@]}" --header-file "$T/headers" --netrc-file "$T/netrc" \
			--output "$D/x" "$@" >>"$T/shown" 2>&1 </dev/null
	done
}
printf 'X-Other: needle\n' >"$T/headers"
user=http://user:needle@$one_host
shown --checksum "$hello" "$user/file/hello?$query"
shown --checksum "sha256:$(printf '%064d' 0)" "$user/file/hello?$query"
for path in status/404/x status/503/x short/x gzip/x headers/x reset/x http09/x; do shown "$user/$path?$query"; done
for target in "http://user:needle@$two_host/status/404/x?token=needle&sig=needle" ftp://user:needle@127.0.0.1/x?token=needle \
	http://169.254.169.254/x?token=needle; do
	shown "$user/redirect/x?to64=$(printf '%s' "$target" | base64 -w 0 | sed 's/=/%3D/g')"
done
shown "$user/hops/11/x?token=needle"
shown "http://user:needle@127.0.0.1:1/x?$query"
shown "http://user:needle@nx.invalid/x?$query"
shown "http://user:needle@127.0.0.1:99999/x?$query"
shown "ftp://user:needle@127.0.0.1/x?$query"
shown "$user/?$query"
shown --checksum "file:$user/status/404/SUMS?$query" "$user/file/hello?$query"
shown --checksum "file:$user/file/hello?$query" "$user/file/hello?$query"
shown --header $'X-Bad: needle\r\n' "$user/file/hello"
shown --header 'Authorization Bearer needle' "$user/file/hello"
shown --header 'Authorization Basic needle:' "$user/file/hello"
shown "http://user:pa/needle@$one_host/file/hello"
shown "http://user:pa?needle@$one_host/file/hello"
shown "$user/file/hello?checksum=file:$user/file/hello"
shown "$user/file/hello?checksum=file:http%3A//user:needle%40$one_host/file/hello"
http_proxy=http://user:needle@127.0.0.1:1 shown "$user/file/hello?$query"
is 'secrets are in no message and in no result' "$(grep -n needle "$T/shown" | head -n 5)" ''
is 'of which there were many' "$(($(wc -l <"$T/shown") > 40))" 1
is 'nor in any file that a download leaves' "$(cd "$D" && grep -rl needle . 2>/dev/null)" ''
fresh
KEEPS=1 fetch --retries 0 "${private[@]}" --output "$D/x" "http://user:needle@$one_host/range/hello?cut=3&token=needle"
is 'nor beside a part that is kept' "$(cd "$D" && grep -rl needle . 2>/dev/null)" ''

# The arguments of a process are everybody's to read: what was read from them is wiped. What the kernel shows is asked while the
# server keeps it waiting.
"$NX" fetch --no-cache "${private[@]}" --output "$D/x" "http://user:needle@$one_host/silent/title?token=needle" >"$T/title.out" 2>"$T/title.err" </dev/null &
pid=$!
ok 'a process that can be looked at' wait_for 60 grep -q silent/title "$T/one.log"
is 'its title shows no secret' "$(tr '\0' '\n' <"/proc/$pid/cmdline" | grep -c needle)" 0
kill -TERM $pid
wait $pid
is 'it ends at once' $? 143

finish
