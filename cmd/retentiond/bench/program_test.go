package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the binary under test, built once.
var program binary

type binary struct {
	once sync.Once
	dir  string
	err  error
}

// profiled replaces main in a build for BENCH_PROFILE: the product knows of no
// profiles.
const profiled = `package main

import (
	"os"
	"runtime/pprof"
)

func init() {
	if file := os.Getenv("BENCH_PROFILE_TO"); file != "" {
		f, err := os.Create(file)
		if err != nil {
			panic(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			panic(err)
		}
	}
}
`

func (p *binary) path(b *testing.B) string {
	b.Helper()
	p.once.Do(func() { p.err = p.build() })
	if p.err != nil {
		b.Fatal(p.err)
	}
	return filepath.Join(p.dir, "retentiond")
}

func (p *binary) build() (err error) {
	if p.dir, err = os.MkdirTemp("", "retentiond-bench"); err != nil {
		return err
	}
	args := []string{"build", "-trimpath", "-o", filepath.Join(p.dir, "retentiond")}
	if os.Getenv("BENCH_PROFILE") != "" {
		overlay, err := p.overlay()
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, "github.com/retentiond/retentiond/cmd/retentiond")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// overlay adds a file to the package, and ends the profile where the process ends.
func (p *binary) overlay() (string, error) {
	house, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(house, "main.go"))
	if err != nil {
		return "", err
	}
	main := strings.Replace(string(text), "func main() { os.Exit(process()) }", "func main() { code := process(); pprof.StopCPUProfile(); os.Exit(code) }", 1)
	main = strings.Replace(main, `"os/signal"`, "\"os/signal\"\n\t\"runtime/pprof\"", 1)
	replace := map[string]string{}
	for name, text := range map[string]string{"main.go": main, "bench_profile.go": profiled} {
		file := filepath.Join(p.dir, name)
		replace[filepath.Join(house, name)] = file
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	body, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(p.dir, "overlay.json")
	return file, os.WriteFile(file, body, 0o600)
}

func (p *binary) remove() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// usage is what a process took.
type usage struct {
	took time.Duration
	cpu  time.Duration
	peak int64 // bytes of memory
}

// command runs retentiond to its end and returns what it printed.
func command(b *testing.B, args ...string) (string, usage) {
	b.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(program.path(b), args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, os.Environ()
	if dir := os.Getenv("BENCH_PROFILE"); dir != "" && strings.Contains(strings.Join(args, " "), " run ") {
		cmd.Env = append(cmd.Env, "BENCH_PROFILE_TO="+filepath.Join(dir, strings.ReplaceAll(b.Name(), "/", "-")+".pprof"))
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	quit, peak := make(chan struct{}), make(chan int64)
	go watch(cmd.Process.Pid, quit, peak)
	err := cmd.Wait()
	u := usage{took: time.Since(began)}
	close(quit)
	u.peak = <-peak
	if err != nil {
		b.Fatalf("retentiond %s: %v\n%.3000s\n%.3000s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	r, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	u.cpu = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	return out.String(), u
}

// watch reads the process's own high-water mark (ru_maxrss of a child begins at
// what its parent had).
func watch(pid int, quit <-chan struct{}, peak chan<- int64) {
	var most int64
	for {
		select {
		case <-quit:
			peak <- most
			return
		case <-time.After(5 * time.Millisecond):
			most = max(most, highWater(pid))
		}
	}
}

func highWater(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
