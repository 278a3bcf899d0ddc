// Command with runs a command with one PostgreSQL and one MariaDB server for
// all its processes, named in RETENTIOND_TEST_POSTGRES and
// RETENTIOND_TEST_MARIADB, ends them afterwards and exits as the command did:
//
//	go run ./connectors/conntest/servers/with go test ./...
//
// Where plenty of memory is free, the temporary files of servers and command are
// there: the tests end processes, not machines, and what a killed process has
// written stays. RETENTIOND_TEST_ON_DISK=1 leaves them on the disk.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
	}
	os.Exit(code)
}

// run keeps signals for the command: this process must outlive it to clean up.
func run(argv []string) (code int, err error) {
	if len(argv) == 0 {
		return 2, errors.New("no command is given")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	leave, err := inMemory()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, leave()) }()
	vars, stop, err := servers.ForEnvironment()
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return 1, err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), vars...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may have ended meanwhile
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return max(1, exit.ExitCode()), nil
			}
			return cmd.ProcessState.ExitCode(), err
		}
	}
}
