package servers

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A test process that dies by SIGKILL leaves no server and no directory.
func TestServersEndWithAKilledProcess(t *testing.T) {
	const child = "RETENTIOND_TEST_CHILD"
	if os.Getenv(child) != "" {
		for _, s := range []*Server{NewPostgres(t), NewMariaDB(t)} {
			fmt.Println("server", s.keeper.pid, s.dir)
		}
		fmt.Println("ready")
		time.Sleep(time.Minute) // the parent kills us long before
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServersEndWithAKilledProcess$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	type left struct {
		pid int
		dir string
	}
	var servers []left
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
		if !strings.HasPrefix(lines.Text(), "server ") {
			t.Log(lines.Text())
			continue
		}
		var l left
		if _, err := fmt.Sscanf(lines.Text(), "server %d %s", &l.pid, &l.dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(l.dir); err != nil || !alive(l.pid) {
			t.Fatalf("%v does not run: %v", l, err)
		}
		servers = append(servers, l)
	}
	if len(servers) != 2 {
		t.Errorf("the child started %d servers, want 2", len(servers))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // ended by a signal: that is no news
	for _, l := range servers {
		eventually(t, "server and directory are gone", func() bool {
			_, err := os.Stat(l.dir)
			return os.IsNotExist(err) && !alive(l.pid)
		})
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("not within 30s: %s", what)
}

// What was committed before SIGKILL is there after it, at the same address.
func TestKilledServerStartsAgain(t *testing.T) {
	for _, s := range []*Server{NewPostgres(t), NewMariaDB(t)} {
		dsn := s.Database(t)
		s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)")
		for name, end := range map[string]func() error{"kill": s.Kill, "stop": s.Stop} {
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if err := s.ping(); err == nil {
				t.Errorf("%s %s: it answers", s.engine.name(), name)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			if n := count(t, s, dsn, "SELECT count(*) FROM a"); n != 1 {
				t.Errorf("%s %s: %d rows, want 1", s.engine.name(), name, n)
			}
		}
	}
}
