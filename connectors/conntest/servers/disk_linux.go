package servers

import (
	"fmt"
	"os"
	"syscall"
)

// CanMount is whether this process may give a server a disk of its own.
func CanMount() bool {
	if os.Geteuid() != 0 {
		return false
	}
	dir, err := os.MkdirTemp("", "retentiond-mount-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		return false
	}
	return syscall.Unmount(dir, 0) == nil
}

func (s *Server) mount() error {
	if s.conf.disk == "" {
		return nil
	}
	if err := os.Mkdir(s.data(), 0o700); err != nil {
		return err
	}
	options := "mode=700,size=" + s.conf.disk
	if as := s.keeper.as; as != nil {
		options += fmt.Sprintf(",uid=%d,gid=%d", as.Uid, as.Gid)
	}
	if err := syscall.Mount("tmpfs", s.data(), "tmpfs", 0, options); err != nil {
		s.conf.disk = ""
		return fmt.Errorf("a disk for the server: %w", err)
	}
	return nil
}

// unmount takes the disk away from whoever still uses it.
func (s *Server) unmount() error {
	if s.conf.disk == "" {
		return nil
	}
	s.conf.disk = ""
	return syscall.Unmount(s.data(), syscall.MNT_DETACH)
}
