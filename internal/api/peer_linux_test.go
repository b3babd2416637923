package api_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	v1 "kith/proto/kith/v1"
)

// nobody is the user that every system has for those without rights.
const nobody = 65534

// TestSocketOtherUser: even where folder and socket are open to all, another
// user is turned away before a byte is read.
func TestSocketOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	h := move(t, "Ann")
	for _, folder := range []string{h.home, filepath.Dir(h.home)} {
		if err := os.Chmod(folder, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(sockPath(h.home), 0o666); err != nil {
		t.Fatal(err)
	}
	if n := answerAs(t, h, nobody); n != 0 {
		t.Errorf("another user was answered with %d bytes", n)
	}
	if n := answerAs(t, h, 0); n == 0 {
		t.Error("the owner got no answer")
	}
	if _, err := h.socket.GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil {
		t.Error(err)
	}
}

// answerAs connects as a user and returns how many bytes come back. The user
// changes for one thread alone, and only for the connect.
func answerAs(t *testing.T, h *house, user int) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	become(t, user)
	err = unix.Connect(fd, &unix.SockaddrUnix{Name: sockPath(h.home)})
	become(t, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Both writes may find the connection closed, which is what is asked.
	_, _ = unix.Write(fd, []byte("GET / HTTP/1.1\r\nHost: kith\r\nConnection: close\r\n\r\n"))
	n, err := unix.Read(fd, make([]byte, 4096))
	if err != nil {
		return 0
	}
	return n
}

func become(t *testing.T, user int) {
	t.Helper()
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(user), ^uintptr(0)); e != 0 {
		t.Fatal(e)
	}
}
