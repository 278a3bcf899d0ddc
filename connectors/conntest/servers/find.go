package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// find looks for a program where Debian puts servers and in PATH; one that is
// missing is installed from the packages where we may.
func find(program string, packages ...string) (string, error) {
	if path, ok := look(program); ok {
		return path, nil
	}
	if err := install(program, packages); err != nil {
		return "", fmt.Errorf("%s is missing, install it (apt-get install %s): %w", program, strings.Join(packages, " "), err)
	}
	if path, ok := look(program); ok {
		return path, nil
	}
	return "", fmt.Errorf("%s is missing after apt-get install %s", program, strings.Join(packages, " "))
}

// look prefers the newest PostgreSQL's own directory: programs find their
// share files from there.
func look(program string) (string, bool) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program) // the pattern is sound
	slices.Sort(found)
	slices.Reverse(found)
	found = append(found, "/usr/sbin/"+program)
	for _, f := range found {
		if st, err := os.Stat(f); err == nil && st.Mode()&0o111 != 0 {
			return f, true
		}
	}
	path, err := exec.LookPath(program)
	return path, err == nil
}

// install runs apt-get, one process at a time, such that no package starts a
// system server.
func install(program string, packages []string) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("only root can install it")
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return errors.New("not a Debian system")
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "retentiond-apt.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // gives the lock back
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, ok := look(program); ok {
		return nil
	}
	undo, err := quiet()
	defer func() { err = errors.Join(err, undo()) }()
	if err != nil {
		return err
	}
	if err := apt("update", "-q"); err != nil {
		return err
	}
	return apt(append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...)
}

// quiet keeps packages from starting a server or making a cluster, until undo.
func quiet() (undo func() error, err error) {
	var made []string
	undo = func() error {
		var errs []error
		for _, f := range made {
			errs = append(errs, os.Remove(f))
		}
		return errors.Join(errs...)
	}
	for _, f := range []struct{ path, text string }{
		{"/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n"},
		{"/etc/postgresql-common/createcluster.d/retentiond-tests.conf", "create_main_cluster = false\n"},
	} {
		if _, err := os.Stat(f.path); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return undo, err
		}
		if err := os.WriteFile(f.path, []byte(f.text), 0o755); err != nil {
			return undo, err
		}
		made = append(made, f.path)
	}
	return undo, nil
}

func apt(args ...string) error {
	c := exec.Command("apt-get", args...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
	}
	return nil
}
