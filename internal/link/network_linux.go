package link

import (
	"errors"
	"os"
	"syscall"
)

// Groups of rtnetlink(7): interfaces, and their addresses of both families.
const (
	groupLink = 0x1
	groupIPv4 = 0x10
	groupIPv6 = 0x100
)

// A networkEar is a netlink socket on which the kernel tells of changes.
type networkEar struct {
	file *os.File
	b    []byte
}

// openNetworkEar fails where programs may not listen, as on Android.
func openNetworkEar() (*networkEar, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, syscall.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	to := &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groupLink | groupIPv4 | groupIPv6}
	if err := syscall.Bind(fd, to); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return &networkEar{os.NewFile(uintptr(fd), "netlink"), make([]byte, 32<<10)}, nil
}

// Hear waits for a change. What it was is not read: who asks looks for itself. So
// the kernel's "too many to remember" is a change as well.
func (e *networkEar) Hear() error {
	if _, err := e.file.Read(e.b); err != nil && !isOverrun(err) {
		return err
	}
	return nil
}

func (e *networkEar) Close() error { return e.file.Close() }

func isOverrun(err error) bool { return errors.Is(err, syscall.ENOBUFS) }
