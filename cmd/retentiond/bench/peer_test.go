package bench

import (
	"bytes"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// patiently runs a peer's program, and ends it where it takes too long: its rate
// until then counts.
func patiently(b *testing.B, program string, args ...string) (took time.Duration, part bool) {
	b.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		b.Fatalf("%v: install it (Debian: apt-get install percona-toolkit)", err)
	}
	var out bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	err = cmd.Wait()
	took, part = time.Since(began), !stop.Stop()
	var exit *exec.ExitError
	if err != nil && (!part || !errors.As(err, &exit)) {
		b.Fatalf("%s: %v\n%.2000s", program, err, out.String())
	}
	return took, part
}
