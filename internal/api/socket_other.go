//go:build !linux

package api

import (
	"net"
	"path/filepath"
)

// maxSocketPath is the smallest of the systems this is for: macOS has 104 bytes
// with the final zero, Windows 108.
const maxSocketPath = 103

// ownUser relies on the folder, which is 0700, and the socket, which is 0600.
func ownUser(net.Conn) bool { return true }

func shortPath(home string) (path string, free func(), err error) {
	path = filepath.Join(home, SocketName)
	if len(path) > maxSocketPath {
		return "", nil, &Error{Reason: ReasonPath, Subject: home}
	}
	return path, func() {}, nil
}
