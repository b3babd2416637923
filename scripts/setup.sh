#!/bin/sh
# Installs what the tests need where it may (root on Debian or Ubuntu); else
# says in one line what is missing and which tests that leaves out.
set -eu
cd "$(dirname "$0")/.."
LEFT_OUT=${LEFT_OUT:-/dev/null}

have() { command -v "$1" >/dev/null 2>&1; }
have_key_store() { have dbus-daemon && have gnome-keyring-daemon && have secret-tool; }
have_chromium() { have chromium || have chromium-browser || have google-chrome; }

for tool in go node npm; do
	if ! have "$tool"; then
		echo "$tool is missing: install Go 1.26, Node 20 or later and npm, then run this again" >&2
		exit 1
	fi
done

want=''
have_chromium || want="$want chromium"
have ip || want="$want iproute2"
have gcc || want="$want gcc libc6-dev"
have nft || want="$want nftables"
have miniupnpd || want="$want miniupnpd miniupnpd-nftables"
have_key_store || want="$want dbus gnome-keyring libsecret-tools"
if [ -n "$want" ] && [ "$(id -u)" = 0 ] && have apt-get; then
	echo "installing:$want"
	# shellcheck disable=SC2086 # a list of package names
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $want; } \
		>.cache/apt.log 2>&1 || echo "the installation failed, see .cache/apt.log"
fi

out() {
	echo "$1"
	echo "$1" >>"$LEFT_OUT"
}
have_chromium || out 'Chromium is missing: the page is not driven in a browser (install the package chromium)'
have gcc || out 'gcc is missing: no race detector (install the package gcc)'
have nft || out 'nft is missing: no story with homes behind routers, nor with a real home router (install the package nftables)'
have miniupnpd || out 'miniupnpd is missing: no story with a real home router (install the packages miniupnpd and miniupnpd-nftables)'
have_key_store || out 'gnome-keyring is missing: no story with the key store of a desktop (install the packages dbus, gnome-keyring and libsecret-tools)'
if ! have ip; then
	out 'ip is missing: no story in network namespaces (install the package iproute2)'
elif ! { ip netns add kith-probe && ip -n kith-probe link; } >/dev/null 2>&1; then
	out 'network namespaces cannot be used here: no story with cut cables, the one over a cutting proxy runs'
fi
ip netns del kith-probe 2>/dev/null || true
