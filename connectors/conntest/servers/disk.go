package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// ballast is the file that fills a disk.
func (s *Server) ballast() string { return filepath.Join(s.data(), "ballast") }

// Fill leaves no byte free on the server's own disk; see [Disk].
func (s *Server) Fill(t testing.TB) {
	t.Helper()
	if s.conf.disk == "" {
		t.Fatal("the server has no disk of its own: start it with servers.Disk")
	}
	f, err := os.OpenFile(s.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 16 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}

// Free makes room again.
func (s *Server) Free() error {
	if err := os.Remove(s.ballast()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("make room on the disk of a server: %w", err)
	}
	return nil
}
