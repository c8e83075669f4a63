#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Objects fetched from a server that speaks as S3 does and computes every signature again: who signs well gets them, nobody else
# does, and no secret is shown or sent on. As anyone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C HOME=$T NOMAD_EXEC_NO_CACHE=1
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
unset AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE

id=AKIDEXAMPLE
secret='hush/wJalrXUtnFEMI+K7MDENG=bPxRfiCYEXAMPLEKEY'
encoded=hush%2FwJalrXUtnFEMI%2bK7MDENG%3DbPxRfiCYEXAMPLEKEY
token='hush/token+/=='
mkdir -p "$T/objects/bucket/dir" "$T/objects/public" "$T/files"
printf 'Hello\n' | tee "$T/objects/bucket/key.bin" "$T/objects/public/key.bin" >"$T/objects/bucket/dir/a b+c~ä.bin"
sha256=66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18

servers=()
trap 'kill "${servers[@]}"; rm -rf "$T"' EXIT
# serve NAME SCRIPT OPTION...: starts a server; its port is in $T/NAME.port, its log in $T/NAME.log
serve() {
	local name=$1 script=$2
	shift 2
	python3 "$here/../http/$script" --port-file "$T/$name.port" --log "$T/$name.log" "$@" 2>"$T/$name.err" &
	servers+=($!)
	wait_for 60 test -s "$T/$name.port" || { echo "Bail out! no server: $(cat "$T/$name.err")"; exit 1; }
}
serve s3 s3_server.py --dir "$T/objects" --key-id "$id" --secret "$secret" --region eu-west-1
serve sts s3_server.py --dir "$T/objects" --key-id "$id" --secret "$secret" --token "$token"
serve http server.py --dir "$T/files"
s3=s3::http://127.0.0.1:$(cat "$T/s3.port")
sts=s3::http://127.0.0.1:$(cat "$T/sts.port")
http=s3::http://127.0.0.1:$(cat "$T/http.port")
n=0

# gets NAME URL [OPTION...]: the object arrives, and nothing is said but where it is
gets() {
	local name=$1 url=$2
	n=$((n + 1))
	run_is "$name" 0 "$T/got.$n" '' -- fetch "${@:3}" --checksum "sha256:$sha256" --output "$T/got.$n" "$url"
	is "$name: its bytes" "$(cat "$T/got.$n" 2>&1)" Hello
}

# fails NAME STATUS REGEX URL: a message that matches and shows no secret; nothing is kept
fails() {
	nx fetch --retries 0 --output "$T/none" "$4"
	like "$1" "$RC $OUT$ERR" "$2 nomad-exec: $3"
	case $ERR in *hush*) fail "$1: no secret" "$ERR" ;; *) pass "$1: no secret" ;; esac
	is "$1: nothing is kept" "$(ls -d "$T"/none* 2>/dev/null)" ''
}

# last NAME: the last request that a server got
last() { tail -n 1 "$T/$1.log"; }

own="region=eu-west-1&aws_access_key_id=$id&aws_access_key_secret=$encoded"
gets 'with a key in the source' "$s3/bucket/key.bin?$own"
case $(last s3) in
*"$id/"*aws_access_key* | *hush*) fail 'the server sees neither secret nor our keys' "$(last s3)" ;;
*) pass 'the server sees neither secret nor our keys' ;;
esac
gets 'with a version' "$s3/bucket/key.bin?version=a%2Bb&$own"
like 'the version as S3 calls it' "$(last s3)" '.*"target": "/bucket/key\.bin\?versionId=a%2Bb".*'
AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_REGION=eu-west-1 gets 'with the environment' "$s3/bucket/key.bin"
AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token gets 'with a token' "$sts/bucket/key.bin"
mkdir "$T/.aws"
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n[sts]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n' \
	"$id" "$secret" "$id" "$secret" "$token" >"$T/.aws/credentials"
gets 'with the file' "$s3/bucket/key.bin?region=eu-west-1"
AWS_PROFILE=sts gets 'with a profile' "$sts/bucket/key.bin"
gets 'a key that needs encoding' "$s3/bucket/dir/a%20b+c~%C3%a4.bin?region=eu-west-1"
rm -r "$T/.aws"
gets 'without a key, what is public' "$s3/public/key.bin?region=eu-west-1"

fails 'without a key' 1 '.*403.*' "$s3/bucket/key.bin?region=eu-west-1"
fails 'with another secret' 1 '.*403.*' "$s3/bucket/key.bin?region=eu-west-1&aws_access_key_id=$id&aws_access_key_secret=hush"
fails 'with another token' 1 '.*403.*' "$sts/bucket/key.bin?aws_access_key_id=$id&aws_access_key_secret=$encoded&aws_access_token=hush"
fails 'what is not there' 1 '.*404.*' "$s3/bucket/none.bin?$own"
fails 'in another region' 1 \
	'.*400.*the bucket is in the region eu-west-1, the request was for us-east-2: name the right one in the source or in AWS_REGION' \
	"$s3/bucket/key.bin?${own/eu-west-1/us-east-2}"
requests=$(wc -l <"$T/s3.log")
fails 'a key without its secret' 2 \
	'.*the artifact source has no aws_access_key_secret, or an empty one, but aws_access_key_id.*' \
	"$s3/bucket/key.bin?aws_access_key_id=$id"
fails 'no object' 2 '.*it names no object.*' "$s3/bucket?$own"
fails 'a segment of dots' 2 '.*its key has a \. or \.\. between slashes.*' "$s3/bucket/../key.bin?$own"
is 'these never reached the server' "$(wc -l <"$T/s3.log")" "$requests"

gets 'through a redirect to another server' "$http/redirect/key.bin?to=${s3#s3::}/public/key.bin&$own"
like 'the first server got a signature' "$(last http)" '.*"authorization": "AWS4-HMAC-SHA256 .*'
case $(last s3 | tr '[:upper:]' '[:lower:]') in
*authorization* | *x-amz-*) fail 'the second one got none' "$(last s3)" ;;
*) pass 'the second one got none' ;;
esac
finish
