//go:build !linux

package servers

import "errors"

// CanMount is whether this process may give a server a disk of its own.
func CanMount() bool { return false }

func (s *Server) mount() error {
	if s.conf.disk == "" {
		return nil
	}
	return errors.New("a server has a disk of its own on Linux only")
}

func (s *Server) unmount() error { return nil }
