//go:build packages

package configs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// These tests look at the packages in RETENTIOND_DIST; `make package-test` makes
// them first.

func packageFile(t *testing.T, kind string) string {
	t.Helper()
	dir := os.Getenv("RETENTIOND_DIST")
	found, err := filepath.Glob(filepath.Join(dir, "*."+kind))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d .%s files in %q, want one (make package-test): %v", len(found), kind, dir, err)
	}
	return found[0]
}

func outputOf(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// packaged is what both packages hold: mode and path, owned by root.
var packaged = []string{
	"drwxr-x--- /etc/retentiond",
	"drwxr-x--- /etc/retentiond/policies",
	"drwx------ /etc/retentiond/secrets",
	"-rwxr-xr-x /usr/bin/retentiond",
	"-rw-r--r-- /usr/lib/systemd/system/retentiond.service",
	"-rw-r--r-- /usr/lib/sysusers.d/retentiond.conf",
	"-rw-r--r-- /usr/share/doc/retentiond/CHANGELOG.md",
	"-rw-r--r-- /usr/share/doc/retentiond/README.md",
	"-rw-r--r-- /usr/share/doc/retentiond/copyright",
	"-rw-r--r-- /usr/share/doc/retentiond/examples/alerts.yaml",
	"-rw-r--r-- /usr/share/doc/retentiond/examples/grafana.json",
	"-rw-r--r-- /usr/share/doc/retentiond/examples/retentiond.yaml",
}

func TestPackageContents(t *testing.T) {
	var deb, rpm []string
	for _, line := range strings.Split(strings.TrimSpace(outputOf(t, "dpkg-deb", "-c", packageFile(t, "deb"))), "\n") {
		f := strings.Fields(line)
		path := strings.TrimSuffix(strings.TrimPrefix(f[5], "."), "/")
		if f[1] != "root/root" {
			t.Errorf("%s is owned by %s", path, f[1])
		}
		if f[0][0] != 'd' || strings.HasPrefix(path, "/etc/retentiond") {
			deb = append(deb, f[0]+" "+path)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(outputOf(t, "rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENAMES}\n]", packageFile(t, "rpm"))), "\n") {
		f := strings.Fields(line)
		if f[1] != "root" {
			t.Errorf("%s is owned by %s", f[2], f[1])
		}
		rpm = append(rpm, f[0]+" "+f[2])
	}
	byPath := func(a, b string) int { return strings.Compare(a[11:], b[11:]) }
	for kind, got := range map[string][]string{"deb": deb, "rpm": rpm} {
		slices.SortFunc(got, byPath)
		if diff := cmp.Diff(packaged, got); diff != "" {
			t.Errorf(".%s: %s", kind, diff)
		}
	}
}

// Installed into an empty root, with scripts that find no systemd at work: files
// and directories are there, and no service was started. Removed and purged, what
// proves stays.
func TestPackageInstallsAndLeavesTheProof(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("dpkg --root runs scripts in another root: only root can")
	}
	root := emptyRoot(t)
	dpkg := func(args ...string) {
		outputOf(t, "dpkg", append([]string{"--root=" + root, "--force-depends"}, args...)...)
	}
	dpkg("--install", packageFile(t, "deb"))
	passwd, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	if err != nil || !strings.Contains(string(passwd), "\nretentiond:x:") {
		t.Errorf("there is no user: %v\n%s", err, passwd)
	}
	version := outputOf(t, "chroot", root, "/usr/bin/retentiond", "version")
	if !strings.HasPrefix(version, "retentiond ") {
		t.Errorf("the program says %q", version)
	}
	for path, mode := range map[string]os.FileMode{"etc/retentiond": 0o750, "etc/retentiond/secrets": 0o700, "var/lib/retentiond": 0o700} {
		st, err := os.Stat(filepath.Join(root, path))
		if err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want %v", path, st, err, mode)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "etc/retentiond/retentiond.yaml")); err == nil {
		t.Error("a configuration was made up: the service would start with it")
	}
	proof := filepath.Join(root, "var/lib/retentiond/state.db")
	if err := os.WriteFile(proof, []byte("proof"), 0o600); err != nil {
		t.Fatal(err)
	}
	dpkg("--install", packageFile(t, "deb")) // again: an upgrade
	dpkg("--purge", "retentiond")
	if _, err := os.Stat(proof); err != nil {
		t.Errorf("purging took the proof: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/retentiond")); err == nil {
		t.Error("the program is still there")
	}
}

// emptyRoot is a root with a shell and what the scripts call, bound from the
// machine, read-only; its own etc, var and tmp.
func emptyRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, d := range []string{"dev", "etc", "tmp", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n",
		"etc/shadow": "root:*:19000:0:99999:7:::\n", "etc/gshadow": "root:*::\n",
		"var/lib/dpkg/status": "", "var/lib/dpkg/available": "",
	} {
		if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"sh", "getent", "groupadd", "useradd", "chown", "chmod", "mkdir"} {
		copyProgram(t, root, program)
	}
	return root
}

// copyProgram puts a program and its libraries into a root.
func copyProgram(t *testing.T, root, program string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	files := []string{path}
	for _, f := range strings.Fields(outputOf(t, "ldd", path)) {
		if strings.HasPrefix(f, "/") {
			files = append(files, f)
		}
	}
	libc, err := filepath.Glob("/lib/*-linux-gnu/libnss_files*")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range append(files, libc...) {
		to := filepath.Join(root, from)
		if program == "sh" && from == path {
			to = filepath.Join(root, "bin/sh")
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPackageSumsAndParts(t *testing.T) {
	dir := os.Getenv("RETENTIOND_DIST")
	check := exec.Command("sha256sum", "--check", "--quiet", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("SHA256SUMS: %v\n%s", err, out)
	}
	bom, err := os.ReadFile(filepath.Join(dir, "retentiond.cdx.json"))
	if err != nil || !strings.Contains(string(bom), `"bomFormat": "CycloneDX"`) {
		t.Errorf("no SBOM: %v", err)
	}
}

// As in the container, and as the unit has it: an empty root that nobody can write
// to, no shell, not root; only the state directory is writable. The daemon becomes
// ready, answers the health check that the image runs, and ends when asked.
func TestPackageServesInAReadOnlyRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("only root can make a read-only root of its own")
	}
	root := t.TempDir()
	outputOf(t, "dpkg-deb", "-x", packageFile(t, "deb"), root)
	program := filepath.Join(root, "usr/bin/retentiond")
	state := filepath.Join(root, "var/lib/retentiond")
	outputOf(t, program, "demo", "--rows", "50", "--dir", state)
	outputOf(t, "chown", "-R", "65532:65532", state)
	inside := func(args ...string) *exec.Cmd {
		script := `set -e
			mount --bind "$ROOT" "$ROOT"
			mount --bind "$ROOT/var/lib/retentiond" "$ROOT/var/lib/retentiond"
			mount -o remount,bind,ro "$ROOT"
			exec chroot --userspec=65532:65532 --groups= "$ROOT" "$@"`
		c := exec.Command("unshare", append([]string{"--mount", "--propagation", "private", "sh", "-c", script, "sh"}, args...)...)
		c.Env = append(os.Environ(), "ROOT="+root, "RETENTIOND_HTTP_LISTEN=127.0.0.1:18600", "HOME=/")
		return c
	}
	config := "/var/lib/retentiond/retentiond.yaml"
	daemon := inside("/usr/bin/retentiond", "--config", config, "serve")
	var said strings.Builder
	daemon.Stdout, daemon.Stderr = &said, &said
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	ready := false
	for range 100 {
		time.Sleep(200 * time.Millisecond)
		if inside("/usr/bin/retentiond", "--config", config, "healthcheck", "--ready").Run() == nil {
			ready = true
			break
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", daemon.Process.Pid))
	if err != nil || !strings.Contains(string(status), "Uid:\t65532\t65532") {
		t.Errorf("it runs as somebody else: %v\n%s", err, status)
	}
	if inside("/usr/bin/retentiond", "init", "--dir", "/etc/retentiond").Run() == nil {
		t.Error("the root can be written to")
	}
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil || !ready {
			t.Errorf("ready %v, ended with %v:\n%s", ready, err, said.String())
		}
	case <-time.After(40 * time.Second):
		_ = daemon.Process.Kill() // it is ours
		t.Errorf("it does not end:\n%s", said.String())
	}
}
