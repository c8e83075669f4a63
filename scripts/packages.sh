# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the project needs from the system, and how it gets there: functions for scripts/quickstart and scripts/test, which
# source this file from the top of the project. Installs with apt where there is apt, as root; says what to install
# everywhere else. Installs nothing that is there already.

# The foreign headers that the sources may include: the header, Debian's package, Fedora's.
foreign_headers='
archive.h libarchive-dev libarchive-devel
curl/curl.h libcurl4-openssl-dev libcurl-devel
jansson.h libjansson-dev jansson-devel
libcgroup.h libcgroup-dev libcgroup-devel
openssl/evp.h libssl-dev openssl-devel
seccomp.h libseccomp-dev libseccomp-devel
zlib.h zlib1g-dev zlib-devel
'

# included_headers: the lines of foreign_headers whose header the sources include today
included_headers() {
	local header debian fedora
	while read -r header debian fedora; do
		[[ -n $header ]] && grep -rqF "#include <$header>" src && printf '%s\n' "$header $debian $fedora"
	done <<<"$foreign_headers"
	true
}

# Debian's packages to build and to run the program. Each -dev package brings the library that is opened at run time.
build_packages() {
	printf '%s\n' gcc libc6-dev make
	included_headers | awk '{ print $2 }'
}

# What the tests need beyond that: for the build and unit tests, for scripts/lint, for tests/run, for the guest.
test_packages() {
	printf '%s\n' binutils check git pkgconf
	printf '%s\n' clang-format clang-tidy cppcheck mandoc shellcheck
	printf '%s\n' openssl perl procps python3 python3-botocore strace
	tests/vm/guest --packages
}

# missing_packages NAME...: those that Debian's database does not have as installed
missing_packages() {
	local name
	for name in "$@"; do
		# One line for each architecture that has it.
		dpkg-query --show --showformat='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed ||
			printf '%s\n' "$name"
	done
}

# apt_install NAME...: the lists of a fresh system are empty or old: then they are fetched, and it is tried once more.
apt_install() {
	local apt=(apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120)
	export DEBIAN_FRONTEND=noninteractive
	"${apt[@]}" install "$@" >/dev/null 2>&1 || { "${apt[@]}" update && "${apt[@]}" install "$@"; }
}

# say_what_to_install: for systems without apt; succeeds if all that building needs is there
say_what_to_install() {
	local compiler=${CC:-cc} header debian fedora program missing=()
	for program in "${compiler%% *}" make; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
	while read -r header debian fedora; do
		printf '#include <%s>\n' "$header" | $compiler -E -x c - >/dev/null 2>&1 ||
			missing+=("the header $header (Debian: $debian; Fedora: $fedora)")
	done < <(included_headers)
	((${#missing[@]} == 0)) && return
	printf '%s: this system has no apt-get, and these are missing:\n' "$0" >&2
	printf '  %s\n' "${missing[@]}" >&2
	printf 'Install them with the package manager of this system, and start again.\n' >&2
	return 1
}

# need_packages NAME...: installs what is missing of them, or says why it cannot
need_packages() {
	local missing
	if ! command -v apt-get >/dev/null; then
		say_what_to_install
		return
	fi
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	if [[ $EUID != 0 ]]; then
		printf '%s: these packages are missing: %s\nInstall them as root, for example: sudo apt-get install %s\n' \
			"$0" "${missing[*]}" "${missing[*]}" >&2
		return 1
	fi
	printf 'Installing %s\n' "${missing[*]}"
	apt_install "${missing[@]}"
}
