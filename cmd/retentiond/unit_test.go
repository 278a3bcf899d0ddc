package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// mostExposed is the most that `systemd-analyze security` may say of the unit.
const mostExposed = 2.0

func systemdAnalyze(t *testing.T, args ...string) string {
	t.Helper()
	tool, err := servers.Tool("systemd-analyze", "systemd")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "SYSTEMD_LOG_COLOR=0", "SYSTEMD_PAGER=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestUnitIsHardened(t *testing.T) {
	out := systemdAnalyze(t, "security", "--offline=yes", "../../configs/retentiond.service")
	m := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no level:\n%s", out)
	}
	if level, err := strconv.ParseFloat(m[1], 64); err != nil || level > mostExposed {
		t.Errorf("exposure %s, at most %.1f:\n%s", m[1], mostExposed, out)
	}
}

// The unit is verified with this test's own binary in the place of the program.
func TestUnitIsValid(t *testing.T) {
	text, err := os.ReadFile("../../configs/retentiond.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := strings.Replace(string(text), "ExecStart=/usr/bin/retentiond", "ExecStart="+self, 1)
	file := filepath.Join(t.TempDir(), "retentiond.service")
	if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(systemdAnalyze(t, "verify", "--man=no", "--recursive-errors=no", file), "\n") {
		if strings.Contains(line, "retentiond.service") {
			t.Error(line)
		}
	}
	words := shellWords(regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(string(text))[1])
	cmd, rest, err := rootCommand(newApp(streams{})).Find(words[1:])
	if err != nil || !cmd.HasParent() {
		t.Errorf("%v starts no command of ours: %v", words, err)
	} else if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%v: %v", words, err)
	}
}

// The image's command lines are commands of ours too.
func TestImageCommandsExist(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`CMD \[(.*)\]`).FindAllStringSubmatch(string(text), -1)
	if len(lines) != 2 {
		t.Fatalf("%d command lines, want the health check's and the daemon's", len(lines))
	}
	for _, l := range lines {
		words := strings.Split(strings.ReplaceAll(l[1], `"`, ""), ", ")
		if words[0] == "/usr/bin/retentiond" {
			words = words[1:]
		}
		cmd, _, err := rootCommand(newApp(streams{})).Find(words)
		if err != nil || !cmd.HasParent() {
			t.Errorf("%v is no command of ours: %v", words, err)
		}
	}
	if !regexp.MustCompile(`(?m)^USER 65532:65532$`).Match(text) || !strings.Contains(string(text), "\nFROM scratch\n") {
		t.Error("the image is not empty, or runs as root")
	}
}
