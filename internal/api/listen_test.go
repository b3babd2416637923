package api_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"kith/internal/api"
	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

var emptyPage = fstest.MapFS{".gitkeep": {}}

func TestCheckWeb(t *testing.T) {
	for asked, want := range map[string]int{
		"": 0, "localhost:4600": 4600, "127.0.0.1:0": 0, "127.0.0.9:80": 80, "[::1]:4600": 4600, ":4600": 4600,
		"0.0.0.0:4600": -1, "[::]:4600": -1, "192.168.1.5:4600": -1, "example.com:80": -1, "localhost": -1,
		"localhost:http": -1, "localhost:65536": -1, "localhost:-1": -1, "::1:80": -1, "127.1:80": -1,
	} {
		port, err := api.CheckWeb(asked)
		if err != nil {
			port = -1
			if x := api.Explain(err); x.Reason != "api/web" {
				t.Errorf("%q: %v", asked, err)
			}
		}
		if port != want {
			t.Errorf("%q: %d, want %d", asked, port, want)
		}
	}
}

func port(h *house) int {
	n, err := strconv.Atoi(strings.TrimPrefix(h.server.Address(), "http://localhost:"))
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestPortKept(t *testing.T) {
	home := t.TempDir()
	first := open(t, api.Config{Home: home})
	kept := port(first)
	first.stop()
	second := open(t, api.Config{Home: home})
	if port(second) != kept || second.server.Moved() {
		t.Errorf("port %d, then %d", kept, port(second))
	}
	second.stop()

	// Somebody else takes the port, on the address that one may forget.
	squatter := squat(t, kept)
	third := open(t, api.Config{Home: home})
	if port(third) == kept || !third.server.Moved() {
		t.Errorf("port %d although it is taken", kept)
	}
	third.stop()
	squatter.Close()
}

// squat takes a port on ::1, or on 127.0.0.1 where there is no IPv6.
func squat(t *testing.T, port int) net.Listener {
	t.Helper()
	for _, host := range []string{"::1", "127.0.0.1"} {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			t.Cleanup(func() { l.Close() })
			return l
		}
	}
	t.Fatal("no address to take")
	return nil
}

func TestPortTaken(t *testing.T) {
	l := squat(t, 0)
	home := t.TempDir()
	n, err := node.Open(node.Config{Home: home, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	_, err = api.Listen(api.Config{Node: n, Home: home, Web: "localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)})
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Reason != api.ReasonPort {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(sockPath(home)); err == nil {
		t.Error("the socket of a server that did not start is left")
	}
}

func TestBothAddresses(t *testing.T) {
	h := move(t, "Ann")
	for _, host := range []string{"127.0.0.1", "::1"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port(h))))
		if err != nil {
			if l, listenErr := net.Listen("tcp", net.JoinHostPort(host, "0")); listenErr == nil {
				l.Close()
				t.Errorf("%s: %v", host, err)
			}
			continue // this machine has no such address
		}
		conn.Close()
	}
}

func TestSocketPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes")
	}
	h := move(t, "Ann")
	for path, want := range map[string]os.FileMode{h.home: 0o700, sockPath(h.home): 0o600, filepath.Join(h.home, api.PortName): 0o600} {
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
	}
	h.stop()
	if _, err := os.Lstat(sockPath(h.home)); err == nil {
		t.Error("the socket outlived the server")
	}
}

// TestSocketStale: what kill -9 leaves behind is in nobody's way, and a program
// that answers is left alone.
func TestSocketStale(t *testing.T) {
	home := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: sockPath(home), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(node.Config{Home: home, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.Listen(api.Config{Node: n, Home: home})
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Reason != api.ReasonRunning {
		t.Errorf("beside one that answers: %v", err)
	}
	n.Close()
	l.SetUnlinkOnClose(false)
	l.Close()
	h := open(t, api.Config{Home: home})
	if _, err := h.socket.GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil {
		t.Error(err)
	}
}

// TestLongHome: a Unix socket's path has 107 bytes at most, a home may have more.
func TestLongHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), strings.Repeat("long-name/", 15))
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" {
		n, err := node.Open(node.Config{Home: home, Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		if _, err := api.Listen(api.Config{Node: n, Home: home}); api.Explain(err).Reason != "api/path" {
			t.Errorf("%v", err)
		}
		return
	}
	h := open(t, api.Config{Home: home})
	if _, err := h.socket.GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(sockPath(home)); err != nil {
		t.Error(err)
	}
	h.stop()
	if _, err := os.Lstat(sockPath(home)); err == nil {
		t.Error("the socket outlived the server")
	}
}
