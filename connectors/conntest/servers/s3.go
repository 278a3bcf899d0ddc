package servers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// versitygw is an S3 service on files, with versions, conditional writes and Object
// Lock. It is built once, as a Go program, into the user's cache.
const versitygw = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"

// S3Server is an S3 service on loopback that ends with the test.
type S3Server struct {
	Addr                 string // host:port, without TLS
	AccessKey, SecretKey string

	keep *keeper
}

// Shell runs a script of the shell in the folder of the service's buckets, as their
// owner: a plain file below a bucket's folder is an object, so that very many are made
// at once.
func (s *S3Server) Shell(script string) error {
	return s.keep.run("sh", "-c", "cd data && "+script)
}

// S3 starts an S3 service of the test's own. RETENTIOND_TEST_VERSITYGW names the
// program where it is there already.
func S3(t testing.TB) *S3Server {
	t.Helper()
	s, close, err := startS3()
	if err != nil {
		t.Fatalf("an S3 service: %v", err)
	}
	t.Cleanup(func() {
		if err := close(); err != nil {
			t.Errorf("end the S3 service: %v", err)
		}
	})
	return s
}

func startS3() (s *S3Server, close func() error, err error) {
	program, err := s3Program()
	if err != nil {
		return nil, nil, err
	}
	k, err := newKeeper("s3", "KILL", nil)
	if err != nil {
		return nil, nil, err
	}
	data, versions := filepath.Join(k.dir, "data"), filepath.Join(k.dir, "versions")
	if err := k.run("mkdir", data, versions); err != nil {
		return nil, nil, errors.Join(err, k.close())
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, errors.Join(err, k.close())
	}
	s = &S3Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), AccessKey: random(), SecretKey: random(), keep: k}
	err = k.command([]string{program, "--port", s.Addr, "--access", s.AccessKey, "--secret", s.SecretKey, "posix", "--versioning-dir", versions, data})
	if err == nil {
		err = k.start()
	}
	for range 200 {
		if err != nil {
			break
		}
		var c net.Conn
		if c, err = net.Dial("tcp", s.Addr); err == nil {
			return s, k.close, c.Close()
		}
		if !k.running() {
			break
		}
		err = nil
		time.Sleep(50 * time.Millisecond)
	}
	return nil, nil, errors.Join(errors.New("it did not start"), err, k.close())
}

// s3Program finds or builds the service, where everybody may run it.
func s3Program() (string, error) {
	if path := os.Getenv("RETENTIOND_TEST_VERSITYGW"); path != "" {
		return path, nil
	}
	dir := filepath.Join(os.TempDir(), "retentiond-test-tools", filepath.Base(versitygw))
	path := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	own, err := os.MkdirTemp("", "retentiond-build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(own) }() // only what was built is of use
	c := exec.Command("go", "install", versitygw)
	c.Env = append(os.Environ(), "GOBIN="+own, "GOFLAGS=")
	c.Dir = own
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s: %w\n%s", versitygw, err, out)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return path, errors.Join(os.Chmod(own, 0o755), os.Rename(filepath.Join(own, "versitygw"), path))
}
