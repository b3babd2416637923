package api

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// ErrLocked is what Run returns where the home was locked and the program is to begin
// anew.
var ErrLocked = errors.New("api: locked")

// Files are the addresses of a server whose Run returned ErrLocked: they are bound, and
// who connects waits.
func (s *Server) Files() []*os.File { return s.files }

// prepareHandover keeps a second hold of each address, which stays when the server
// lets go of its own.
func (s *Server) prepareHandover() error {
	if !s.cfg.Anew {
		return nil
	}
	for _, l := range append([]net.Listener{s.socket.Listener}, s.web...) {
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			s.Close()
			return errors.Join(fmt.Errorf("api: %w", err), s.dropFiles())
		}
		s.files = append(s.files, f)
	}
	return nil
}

// handOver makes ErrLocked of an end that was for a lock.
func (s *Server) handOver(err error) error {
	if err == nil && s.anew.Load() {
		return ErrLocked
	}
	return errors.Join(err, s.dropFiles())
}

func (s *Server) dropFiles() (err error) {
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	s.files = nil
	return err
}

// inherit takes addresses over: the socket first, then those of the page.
func (s *Server) inherit(files []*os.File) error {
	for i, f := range files {
		l, err := net.FileListener(f)
		f.Close() // l has its own
		if err != nil {
			return fmt.Errorf("api: inherited address: %w", err)
		}
		if i == 0 {
			s.socket = &socket{Listener: l, path: filepath.Join(s.cfg.Home, SocketName), free: func() {}}
			continue
		}
		at, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return fmt.Errorf("api: inherited address %s is none of a page", l.Addr())
		}
		s.web, s.port = append(s.web, l), at.Port
	}
	return nil
}
