package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// SocketName is the name of the Unix socket in a home folder.
const SocketName = "kith.sock"

// socketPatience bounds dialling a socket on this machine; its backlog may be
// full for a moment.
const socketPatience = 5 * time.Second

// socket accepts connections of this user alone.
type socket struct {
	net.Listener
	path string      // as people know it
	free func()      // of the short form of path
	kept atomic.Bool // the next program goes on with it
}

// listenSocket makes the socket of home. One that a killed program left behind
// is removed; one that answers is another program's.
func listenSocket(home string) (*socket, error) {
	path := filepath.Join(home, SocketName)
	if _, err := os.Lstat(path); err == nil {
		conn, err := dialSocket(context.Background(), home)
		if err == nil {
			conn.Close()
			return nil, &Error{Reason: ReasonRunning}
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("api: stale socket: %w", err)
		}
	}
	if err := os.Chmod(home, 0o700); err != nil {
		return nil, fmt.Errorf("api: home: %w", err)
	}
	short, free, err := shortPath(home)
	if err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		free()
		return nil, fmt.Errorf("api: socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // the short path may be gone by then
	// Between the two calls the folder keeps others out.
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		free()
		return nil, fmt.Errorf("api: socket: %w", err)
	}
	return &socket{Listener: l, path: path, free: free}, nil
}

// Accept turns away whoever is not this user.
func (s *socket) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if ownUser(conn) {
			return conn, nil
		}
		conn.Close()
	}
}

func (s *socket) Close() error {
	err := s.Listener.Close()
	defer s.free()
	if s.kept.Load() {
		return err
	}
	if rm := os.Remove(s.path); err == nil && !errors.Is(rm, fs.ErrNotExist) {
		err = rm
	}
	return err
}

func dialSocket(ctx context.Context, home string) (net.Conn, error) {
	short, free, err := shortPath(home)
	if err != nil {
		return nil, err
	}
	defer free()
	d := net.Dialer{Timeout: socketPatience}
	return d.DialContext(ctx, "unix", short)
}
