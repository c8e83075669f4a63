#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# References: which text is one, what it stands for and where, and that everything else stays as it is. As root; values may hold what
# an attacker wrote, and must not become references.
# shellcheck disable=SC2016 # references in single quotes are for the launcher
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
hint='nomad-exec: try: nomad-exec run --help'

# becomes NAME TEXT EXPECTED OPTION...: an argument of this text arrives as that
becomes() {
	local name=$1 text=$2 want=$3
	shift 3
	run_is "$name" 0 "$want" '' -- run "$@" -- /usr/bin/printf '%s' "$text"
}

# --- the page's example, and what the values are ---

run_is 'the arguments of the page' 0 'dc1 from the environment from the node' '' -- run --env 'MY_ENV=from the environment' \
	--meta 'foo=from the node' --command /bin/echo --args '${nomad.datacenter}' --args '${MY_ENV}' --args '${meta.foo}'
becomes 'the node, when nothing is said' \
	'${node.datacenter}|${node.region}|${node.class}|${node.pool}|${node.unique.name}' "dc1|global||default|$(uname -n)"
becomes 'the same, as the page writes it' \
	'${nomad.datacenter}|${nomad.region}|${nomad.class}|${nomad.pool}|${nomad.unique.name}' "dc1|global||default|$(uname -n)"
becomes 'the node, as said' '${node.datacenter}|${node.region}|${node.class}|${node.unique.name}' 'east|eu|fast|n1' \
	--datacenter east --region eu --node-class fast --node-name n1
nx fingerprint unique.host_id
becomes 'its id' '${node.unique.id} ${nomad.unique.id}' "$OUT $OUT"
becomes 'attributes' '${attr.kernel.name} ${attr.kernel.version} ${attr.cpu.numcores} ${attr.driver.exec}' \
	"linux $(uname -r) $(nproc --all) 1"
becomes 'meta: the last one of a key' '${meta.a}${meta.b-c.d_e}' '3x' --meta a=1 --meta a=3 --meta b-c.d_e=x
becomes 'our variables' '${NOMAD_TASK_DIR} ${NOMAD_ALLOC_DIR} ${NOMAD_SECRETS_DIR} ${NOMAD_CPU_LIMIT} ${NOMAD_MEMORY_LIMIT} ${NOMAD_ALLOC_ID} ${NOMAD_TASK_NAME}' \
	'/local /alloc /secrets 100 300 i printf' --id i
becomes 'variables of the user and of root' '${A}${HOME}${USER}' 'a/rootroot' --env A=a --user root
becomes 'a variable in three ways' '${A} ${env.A} ${env["A"]}' '1 1 1' --env A=1
becomes 'a name that only the third can say' '${env["a b=c"]}${env["$"]}${env["é"]}' '${env["a b=c"]}2-3' --env 'a b=1' --env '$=2-' --env é=3
becomes 'and that it has' '${env["a b"]}' 1 --env 'a b=1'

# --- which text is a reference ---

becomes 'several, and text around them' 'x${A}y${B}${A}z' 'x1y2 1z' --env A=1 --env 'B=2 '
becomes 'an empty value' '[${A}]' '[]' --env A=
for text in '$A' '$' '$$' '${' '${A' '${}' '${A B}' '${ A}' '${A }' '$ {A}' '$(A)' '%{A}' '{A}' '{{ A }}' '${A:-1}' '${A[0]}' '${env[A]}' '${env["A]}' \
	'${env["A"}' "\${env['A']}" '${é}' '${A
}' '$A{A}' '${A$' '#{A}' '${"A"}'; do
	becomes "plain text: $(printf %q "$text")" "$text" "$text" --env A=1 --env é=1
done
becomes 'an escaped one' '$${A} $$${A} $$$${A} $${' '${A} $${A} $$${A} ${' --env A=1
becomes 'what begins within another: the inner one' '${A${A}}' '${A1}' --env A=1
becomes 'a value is not scanned again' '${A}${B}' '${node.datacenter}$${B}${A}' --env 'A=$${node.datacenter}' --env 'B=$$${B}$${A}'
becomes 'nor do two values make a reference' '${A}${B}node.region}' '${node.region}' --env 'A=$' --env 'B={'
becomes 'unknown ones stay as they are' '${NOPE} ${node.nope} ${attr.nope} ${meta.nope} ${env.NOPE} ${env["NOPE"]} ${node} ${node.} ${.}' \
	'${NOPE} ${node.nope} ${attr.nope} ${meta.nope} ${env.NOPE} ${env["NOPE"]} ${node} ${node.} ${.}'
becomes 'names differ in case' '${a}${Node.region}' '${a}${Node.region}' --env A=1

# --- which value, when there are two ---

becomes 'in an argument the environment comes before the node' '${meta.foo} ${node.region}' 'mine mine' --meta foo=node \
	--env meta.foo=mine --env node.region=mine
run_is 'in a variable the node comes first' 0 'node global' '' -- run --meta foo=node --env meta.foo=mine --env node.region=mine \
	--env 'A=${meta.foo} ${node.region}' -- /usr/bin/printenv A
run_is 'a variable has those before it, not those behind' 0 '1 ${C}' '' -- run --env A=1 --env 'B=${A} ${C}' --env C=3 -- /usr/bin/printenv B
run_is 'those of a file, and ours' 0 '1 100' '' -- run --env 'B=${A} ${NOMAD_CPU_LIMIT}' --env-file <(echo A=1) -- /usr/bin/printenv B
run_is 'and itself, as it was' 0 '/mine:/usr/local/bin:/usr/bin:/bin' '' -- run --env 'PATH=/mine:${PATH}' -- /usr/bin/printenv PATH
run_is 'not a value of the caller' 0 '${NX_CALLER}' '' -- run --env 'A=${NX_CALLER}' -- /usr/bin/printenv A

# --- where ---

run_is 'in the command' 0 hello '' -- run --env DIR=/usr --command '${DIR}/bin/echo' --args hello
run_is 'in the command behind --' 0 hello '' -- run --env DIR=/usr -- '${DIR}/bin/echo' hello
run_is 'the rules for --command are for what it becomes' 125 '' "nomad-exec: --command \"/bin/echo hello\": more than one word; pass arguments with --args, or the whole command behind --
$hint" -- run --env 'A=echo hello' --command '/bin/${A}'
run_is 'a command that becomes nothing' 125 '' "nomad-exec: --command is empty
$hint" -- run --env A= --command '${A}'
run_is 'one argument stays one' 0 '1 a b' '' -- run --env 'A=a b' -- /bin/sh -c 'echo $# "$@"' - '${A}'
printf '${A}\0$${A}\0' >"$T/arguments"
run_is 'in the arguments of a file' 0 '1 ${A}' '' -- run --env A=1 --args-file "$T/arguments" --command /bin/echo
run_is 'in the working directory' 0 /alloc/data '' -- run --work-dir '${NOMAD_ALLOC_DIR}/${meta.d}' --meta d=data -- /bin/pwd
run_is 'in the host name' 0 web-dc1 '' -- run --hostname '${meta.role}-${node.datacenter}' --meta role=web -- /bin/uname -n
run_is 'in the name of the task' 0 web-dc1 '' -- run --name '${meta.role}-${node.datacenter}' --meta role=web -- /usr/bin/printenv NOMAD_TASK_NAME
run_is 'which keeps its rules' 125 '' "nomad-exec: --name \"../x\": expected 1 to 128 of A-Z a-z 0-9 _ . -, not beginning with . or -
$hint" -- run --name '${meta.x}' --meta x=../x -- true
printf '#!/bin/sh\necho "$0 $1"\n' >"$T/program-1.bin"
artifact "$T/program-1.bin"
ARTIFACT[1]=$T/'program-${meta.version}.bin'
run_is 'in the source and the destination of an artifact' 0 '/local/linux/program-1.bin 1' '' -- run --meta version=1 "${ARTIFACT[@]}" \
	--artifact-destination 'local/${attr.kernel.name}' --command 'linux/program-${meta.version}.bin' --args '${meta.version}'
run_is 'not in a checksum' 125 '' \
	'nomad-exec: checksum ${meta.type}:00: not supported; supported are md5, sha1, sha256, sha384 and sha512
'"$hint" -- run --meta type=md5 --artifact-source "$T/program-1.bin" --checksum '${meta.type}:00' --command program-1.bin
run_is 'not in an id' 125 '' 'nomad-exec: --id "${meta.x}": expected 1 to 128 of A-Z a-z 0-9 _ . -, not beginning with . or -
'"$hint" -- run --meta x=x --id '${meta.x}' -- true

# --- --strict ---

becomes 'strict: what is known, and plain text' '${A} ${node.region} ${attr.kernel.name} $${NOPE} ${ $x ${}' "1 global linux \${NOPE} \${ \$x \${}" --strict --env A=1
# strict WHERE VARIABLE OPTION...
strict() { local where=$1 variable=$2; shift 2; run_is "strict: $where" 125 '' "nomad-exec: $where: unknown variable \${$variable}
$hint" -- run --strict "$@"; }
strict 'argument 2' meta.nope --command /bin/echo --args a --args 'x${meta.nope}'
strict 'argument 1' NOPE -- /bin/echo '${env["NOPE"]}'
strict --command NOPE --command '/bin/${NOPE}'
strict 'the command' NOPE -- '${NOPE}'
strict A attr.nope --env 'A=${attr.nope}' -- true
strict B C --env 'B=${C}' --env C=1 -- true
strict --work-dir NOPE --work-dir '/${NOPE}' -- true
strict --hostname NOPE --hostname '${NOPE}' -- true
strict --name NOPE --name '${NOPE}' -- true
strict --artifact-source NOPE --artifact-source 'http://127.0.0.1:1/${NOPE}' --command x
strict --artifact-destination NOPE --artifact-source /x --artifact-destination 'local/${NOPE}' --command x

# --- much of it ---

{
	echo A=1
	seq 10000 | sed 's/.*/V&=${A}/'
} >"$T/env"
nx run --env-file "$T/env" -- /usr/bin/env
is '10,000 variables with references' "$RC $(grep -c '^V[0-9]*=1$' "$T/out")" '0 10000'
n=150000
yes '${V77}-' | head -n $n | tr -d '\n' >"$T/arguments"
nx run --dry-run --env-file "$T/env" --args-file "$T/arguments" -- /bin/true
is 'an argument of 1 MB, nothing but references' "$RC $(sed -n 's/^argument  //p' "$T/out")" "0 $(yes 1- | head -n $n | tr -d '\n')"

finish
