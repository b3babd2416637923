package api

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// PortName is the file in the home folder that keeps the page's port, so that
// a bookmark stays good and the browser finds its drafts again.
const PortName = "web-port"

// triesForPort bounds the search for a port that is free on both addresses.
const triesForPort = 20

// windowsInUse is WSAEADDRINUSE, which Windows says in place of EADDRINUSE; no
// other system has an error of this number.
const windowsInUse = syscall.Errno(10048)

// listenWeb binds 127.0.0.1 and, where there is one, ::1 on one port: whoever
// held the other address would be reached by the name localhost. asked is
// HOST:PORT or empty; moved tells that the kept port was taken.
func listenWeb(home, asked string) (listeners []net.Listener, port int, moved bool, err error) {
	port, err = CheckWeb(asked)
	if err != nil {
		return nil, 0, false, err
	}
	if port != 0 {
		listeners, _, err = listenBoth(port)
		return listeners, port, false, err
	}
	kept := 0
	if asked == "" {
		kept = readPort(home)
	}
	if kept != 0 {
		listeners, _, err = listenBoth(kept)
		if err == nil {
			return listeners, kept, false, nil
		}
		moved = true
	}
	for range triesForPort {
		listeners, port, err = listenBoth(0)
		if err == nil {
			break
		}
	}
	if err == nil && asked == "" {
		err = keepPort(home, port)
	}
	if err != nil {
		closeAll(listeners)
		return nil, 0, false, err
	}
	return listeners, port, moved, nil
}

// CheckWeb reads the --web setting: HOST:PORT with a loopback host, :PORT, or
// nothing. Port 0 means any.
func CheckWeb(asked string) (port int, err error) {
	if asked == "" {
		return 0, nil
	}
	refused := &Error{Reason: ReasonWeb, Subject: asked}
	host, text, err := net.SplitHostPort(asked)
	if err != nil {
		return 0, refused
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, refused
	}
	if host != "" && host != "localhost" {
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.IsLoopback() {
			return 0, refused
		}
	}
	return int(n), nil
}

// listenBoth binds the two loopback addresses on one port, 0 for any.
func listenBoth(port int) (listeners []net.Listener, got int, err error) {
	for _, a := range []struct{ network, host string }{{"tcp4", "127.0.0.1"}, {"tcp6", "::1"}} {
		l, err := net.Listen(a.network, net.JoinHostPort(a.host, strconv.Itoa(port)))
		if err == nil {
			listeners = append(listeners, l)
			port = l.Addr().(*net.TCPAddr).Port
			continue
		}
		if a.network == "tcp6" && !hasIPv6() {
			continue
		}
		closeAll(listeners)
		if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windowsInUse) {
			return nil, 0, &Error{Reason: ReasonPort, Subject: strconv.Itoa(port), Err: err}
		}
		return nil, 0, fmt.Errorf("api: page: %w", err)
	}
	return listeners, port, nil
}

// hasIPv6 reports whether ::1 can be bound at all.
func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// readPort returns the kept port, 0 if there is none that makes sense.
func readPort(home string) int {
	b, err := os.ReadFile(filepath.Join(home, PortName))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	if err != nil || n < 1024 {
		return 0
	}
	return int(n)
}

func keepPort(home string, port int) error {
	if err := os.WriteFile(filepath.Join(home, PortName), []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
		return fmt.Errorf("api: page: %w", err)
	}
	return nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}
