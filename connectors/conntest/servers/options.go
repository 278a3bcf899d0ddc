package servers

import (
	"errors"
	"path/filepath"
)

// Option changes how a server of a test's own is started.
type Option func(*settings)

type settings struct {
	tls  bool
	cert string // the file with the certificate, PEM
	args []string
	disk string // the size of the data directory's own file system
	fake string // how the server's clock is moved
}

// TLS makes a server that refuses connections without TLS. Its certificate is
// its own authority; [Server.CA] names the file.
func TLS(s *settings) { s.tls = true }

// Set gives a setting of the server, as in its configuration file:
// Set("wal_level", "logical"), Set("innodb_lock_wait_timeout", "1").
func Set(name, value string) Option {
	return func(s *settings) { s.args = append(s.args, name+"="+value) }
}

// Disk gives the server's data a file system of its own of that size ("150m"), which
// [Server.Fill] fills. Only root can; see [CanMount].
func Disk(size string) Option { return func(s *settings) { s.disk = size } }

// Clock moves the server's clock as faketime takes it: "-3m", "+2 days".
func Clock(by string) Option { return func(s *settings) { s.fake = by } }

// CA returns the PEM file of the authority that signed the server's
// certificate; empty without [TLS]. It is gone when the server is.
func (s *Server) CA() string { return s.conf.cert }

// faked is a command whose clock is moved. The program faketime would stay beside the
// server as its parent, so its library is named instead.
func faked(by string, argv []string) ([]string, error) {
	if _, err := find("faketime", "faketime"); err != nil {
		return nil, err
	}
	lib, _ := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1") // the pattern is sound
	if len(lib) == 0 {
		return nil, errors.New("libfaketimeMT.so.1 is missing: install faketime")
	}
	return append([]string{"env", "LD_PRELOAD=" + lib[0], "FAKETIME=" + by, "DONT_FAKE_MONOTONIC=1"}, argv...), nil
}
