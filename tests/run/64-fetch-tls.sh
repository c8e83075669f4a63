#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch over https: who the server is, is proved, by every way there is to name an authority; each way to fail has its message; and
# there is no way from https to http.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

printf 'Hello\n' >"$files/hello"
hello=$(sum_of "$files/hello")

# --- an authority and what it signed ---

mkdir "$T/ca" "$T/ca/certs"
cat >"$T/ca/conf" <<END
[ca]
default_ca = ours
[ours]
database = $T/ca/index
new_certs_dir = $T/ca/certs
serial = $T/ca/serial
default_md = sha256
default_days = 2
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
END
: >"$T/ca/index"
echo 01 >"$T/ca/serial"
quiet() { "$@" >>"$T/openssl.log" 2>&1 || { echo "Bail out! $*: $(tail -n 5 "$T/openssl.log")"; exit 1; }; }
new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
quiet openssl req -x509 -config "$T/ca/conf" "${new_key[@]}" -keyout "$T/ca/key" -out "$T/ca.pem" -days 2 -subj '/CN=Tests of fetch'
# signed NAME ALTERNATIVES [OPTION...]: a certificate for a server, with its key in one file
signed() {
	local name=$1 names=$2
	shift 2
	quiet openssl req -new -config "$T/ca/conf" "${new_key[@]}" -keyout "$T/$name.key" -out "$T/$name.csr" -subj "/CN=$name" -addext "subjectAltName=$names"
	quiet openssl ca -batch -notext -config "$T/ca/conf" -cert "$T/ca.pem" -keyfile "$T/ca/key" -in "$T/$name.csr" -out "$T/$name.crt" "$@"
	cat "$T/$name.key" "$T/$name.crt" >"$T/$name.pem"
}
signed good IP:127.0.0.1,DNS:localhost
signed expired IP:127.0.0.1 -startdate 20200101000000Z -enddate 20200102000000Z
signed elsewhere DNS:elsewhere.test
quiet openssl req -x509 -config "$T/ca/conf" "${new_key[@]}" -keyout "$T/self.key" -out "$T/self.crt" -days 2 -subj /CN=self -addext subjectAltName=IP:127.0.0.1
cat "$T/self.key" "$T/self.crt" >"$T/self.pem"

declare -A url
for name in good expired elsewhere self; do
	serve $name --cert "$T/$name.pem"
	url[$name]=$WEB
done
serve old --cert "$T/good.pem" --tls-1.1
url[old]=$WEB
serve http
http=$WEB
good=${url[good]}

# --- who is believed ---

fresh
fetched '--cacert' "$files/hello" "$D/x" "$(unproved "$good/file/hello?1")" -- --cacert "$T/ca.pem" --output "$D/x" "$good/file/hello?1"
fresh
SSL_CERT_FILE=$T/ca.pem fetched 'SSL_CERT_FILE' "$files/hello" "$D/x" "$(unproved "$good/file/hello?2")" -- --output "$D/x" "$good/file/hello?2"
fresh
CURL_CA_BUNDLE=$T/ca.pem fetched 'CURL_CA_BUNDLE' "$files/hello" "$D/x" "$(unproved "$good/file/hello?3")" -- --output "$D/x" "$good/file/hello?3"
mkdir "$T/authorities"
cp "$T/ca.pem" "$T/authorities/$(openssl x509 -hash -noout -in "$T/ca.pem").0"
fresh
SSL_CERT_DIR=$T/authorities fetched 'SSL_CERT_DIR' "$files/hello" "$D/x" "$(unproved "$good/file/hello?4")" -- --output "$D/x" "$good/file/hello?4"
fresh
refused 'nobody believes it' 1 "$good/file/hello" 'issuer|unable to get' -- --retries 0 --output "$D/x" "$good/file/hello"
is 'and it is not asked for anything' "$(asked good '/file/hello"')" 0
like 'the remedy' "$ERR" '.*--cacert.*'
fresh
refused 'an authority that is not there' 1 "$T/none.pem" 'No such file|certificate' -- --retries 0 --cacert "$T/none.pem" --output "$D/x" "$good/file/hello"
fresh
fetched 'anybody is, with --insecure and sha256' "$files/hello" "$D/x" '' -- --insecure --checksum "$hello" --output "$D/x" "${url[self]}/file/hello"
fresh
refused '--insecure without a checksum' 2 --insecure 'sha256|checksum' -- --insecure --output "$D/x" "${url[self]}/file/hello"
refused '--insecure with a broken one' 2 --insecure 'sha256' -- --insecure --checksum md5:09f7e02f1290be211da707a266f153b3 --output "$D/x" "${url[self]}/file/hello"

# --- H37: each in its own words ---

# bad NAME REASON
bad() {
	fresh
	refused "H37: $1" 1 "${url[$1]}/file/hello" "$2" -- --retries 0 --cacert "$T/ca.pem" --output "$D/x" "${url[$1]}/file/hello"
	is "H37: $1: not asked for anything" "$(asked "$1" /file/hello)" "$3"
	sed "s|${url[$1]}||" "$T/err" >>"$T/words"
}
bad expired 'expired' 0
bad elsewhere 'name|host|match' 0
bad self 'self[- ]signed' "$(asked self /file/hello)"
bad old 'protocol|version|TLS' 0
is 'H37: four messages' "$(sort -u "$T/words" | grep -c .)" 4
fetch --retries 3 --cacert "$T/ca.pem" --output "$D/x" --json "${url[expired]}/file/hello"
is 'H37: and it is not tried again' "$(json attempts)" 1

# --- between http and https ---

fresh
refused 'H26: https to http' 1 "$http/file/hello" 'https to http' -- --cacert "$T/ca.pem" --output "$D/x" "$good/redirect/x?to=$http/file/hello"
is 'H26: not asked for' "$(asked http /file/hello)" 0
fetched 'http to https' "$files/hello" "$D/x" '' -- --cacert "$T/ca.pem" --checksum "$hello" --output "$D/x" "$http/redirect/x?to=$good/file/hello"
fresh
printf '%s  x\n' "${hello#sha256:}" >"$files/SUMS"
refused 'K36: a sums file from https to http' 1 "$http/file/SUMS" 'https to http' -- --cacert "$T/ca.pem" \
	--checksum "file:$good/redirect/SUMS?to=$http/file/SUMS" --output "$D/x" "$good/file/hello"
fresh
refused 'https through http to https: the first step counts' 1 "$http/redirect" 'https to http' -- --cacert "$T/ca.pem" \
	--output "$D/x" "$good/redirect/x?to=$http/redirect/x%3Fto=$good/file/hello"

# --- resume and proxy (H39) ---

made f.bin 3000000
fresh
fetch --json --cacert "$T/ca.pem" --checksum "$(sum_of "$files/f.bin")" --output "$D/x" "$good/range/f.bin?1.cut=1000000"
is 'cut, and gone on with' "$RC $(cmp "$files/f.bin" "$D/x" 2>&1) $(sent_bytes good '/range/f.bin?1.cut')" '0  3000000'
serve proxy --proxy
fresh
https_proxy=$WEB fetched 'H39: https_proxy' "$files/hello" "$D/x" '' -- --checksum "$hello" --cacert "$T/ca.pem" --output "$D/x" "https://localhost:${good##*:}/file/hello"
is 'H39: through a tunnel' "$(grep -c "\"CONNECT\", \"target\": \"localhost:${good##*:}\"" "$T/proxy.log")" 1
fresh
https_proxy=$WEB refused 'H39: a proxy that cannot' 1 'https://localhost:1/x' '502|[Pp]roxy|CONNECT|tunnel' -- --retries 0 --cacert "$T/ca.pem" --output "$D/x" https://localhost:1/x

finish
