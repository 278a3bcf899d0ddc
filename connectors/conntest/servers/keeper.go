package servers

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

//go:embed keeper.sh
var keeperScript string

// keeper is a small shell that owns one directory and at most one server in it.
// It reads a pipe from this process: when the pipe ends, because we closed it
// or because this process is gone, it ends the server and removes the directory.
type keeper struct {
	dir string
	as  *syscall.Credential // nil: this process is not root

	mu    sync.Mutex
	cmd   *exec.Cmd
	words io.WriteCloser
	reply *bufio.Reader
	pid   int // 0: no server
}

// newKeeper makes an empty directory that belongs to an unprivileged user where
// we are root: both servers refuse to run as root.
func newKeeper(name, signal string, users []string) (*keeper, error) {
	dir, err := os.MkdirTemp("", "retentiond-"+name+"-")
	if err != nil {
		return nil, err
	}
	k := &keeper{dir: dir}
	if os.Geteuid() == 0 {
		if k.as, err = unprivileged(users); err == nil {
			err = os.Chown(dir, int(k.as.Uid), int(k.as.Gid))
		}
		if err != nil {
			return nil, errors.Join(err, os.Remove(dir))
		}
	}
	k.cmd = k.process("sh", "-c", keeperScript, "retentiond-keeper", dir, signal)
	k.cmd.SysProcAttr.Setsid = true // a terminal's ^C ends the tests; the keeper cleans up after them
	if k.words, err = k.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	k.reply = bufio.NewReader(out)
	if err := k.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return k, nil
}

func unprivileged(users []string) (*syscall.Credential, error) {
	for _, name := range append(users, "nobody") {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("no unprivileged user among %v: a database server does not run as root", users)
}

// process is a command that runs in the directory, as its owner.
func (k *keeper) process(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = k.dir
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+k.dir)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: k.as}
	return c
}

// run runs a command to its end; its output is in the error.
func (k *keeper) run(name string, args ...string) error {
	if out, err := k.process(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// write makes a file in the directory that only its owner reads.
func (k *keeper) write(name string, text []byte) (string, error) {
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", err
	}
	if k.as == nil {
		return path, nil
	}
	return path, os.Chown(path, int(k.as.Uid), int(k.as.Gid))
}

// command sets what start runs.
func (k *keeper) command(argv []string) error {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	_, err := k.write("command", []byte("exec "+strings.Join(quoted, " ")+"\n"))
	return err
}

func (k *keeper) ask(word string) (int, error) {
	if _, err := io.WriteString(k.words, word+"\n"); err != nil {
		return 0, fmt.Errorf("keeper of %s: %w", k.dir, err)
	}
	line, err := k.reply.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("keeper of %s: %w", k.dir, err)
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

func (k *keeper) start() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pid != 0 {
		if alive(k.pid) {
			return errors.New("the server runs already")
		}
		if err := k.reap(); err != nil {
			return err
		}
	}
	pid, err := k.ask("start")
	k.pid = pid
	return err
}

// end sends the server a signal through send and returns when it is gone.
func (k *keeper) end(send func(pid int) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pid == 0 {
		return nil
	}
	if err := send(k.pid); err != nil {
		return err
	}
	return k.reap()
}

func (k *keeper) reap() error {
	_, err := k.ask("wait")
	k.pid = 0
	return err
}

func (k *keeper) running() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pid != 0 && alive(k.pid)
}

// close ends the server and removes the directory; it may be called again.
func (k *keeper) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd == nil {
		return nil
	}
	err := errors.Join(k.words.Close(), k.cmd.Wait())
	k.cmd, k.pid = nil, 0
	return err
}
