package api

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxSocketPath is what fits into sun_path with its final zero.
const maxSocketPath = 107

// ownUser asks the system who is at the other end.
func ownUser(conn net.Conn) bool {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	same := false
	err = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		same = err == nil && int(cred.Uid) == os.Getuid()
	})
	return err == nil && same
}

// shortPath names the socket of home so that it fits: a long one by the number
// of an open folder, which is good until free is called.
func shortPath(home string) (path string, free func(), err error) {
	path = filepath.Join(home, SocketName)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	folder, err := os.Open(home)
	if err != nil {
		return "", nil, fmt.Errorf("api: home: %w", err)
	}
	path = "/proc/self/fd/" + strconv.Itoa(int(folder.Fd())) + "/" + SocketName
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		folder.Close()
		return "", nil, &Error{Reason: ReasonPath, Subject: home} // no /proc here
	}
	return path, func() { folder.Close() }, nil
}
