// Command retentiond enforces data retention rules on databases, honours
// litigation holds, and proves what it did.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(process()) }

// process runs the command line of this process and returns its exit code. The
// first signal asks the work to stop between batches; the second ends the
// process at once (what was committed stays audited, L7).
func process() int {
	boundMemory()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	a := newApp(streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Environ(), Prog: programName(os.Args[0])})
	go obey(signals, a, cancel)
	return execute(ctx, a, os.Args[1:])
}

// obey turns the first signal into a stop request and the second into an end.
func obey(signals <-chan os.Signal, a *app, stop context.CancelFunc) {
	<-signals
	if !a.looks.Load() {
		_, _ = fmt.Fprintln(a.Err, "stopping after the batch at work; a second signal ends at once")
	}
	stop()
	<-signals
	os.Exit(exitInterrupted)
}

// streams is what a command reads and writes, so that tests and `demo` run the
// same code as a person does.
type streams struct {
	In       io.Reader
	Out, Err io.Writer
	Env      []string // KEY=value, as os.Environ gives it
	Prog     string   // how a person calls the program; empty: its plain name
}

// run executes one command line and returns its exit code (see exit.go). A
// cancelled ctx stops long work between batches.
func run(ctx context.Context, args []string, s streams) int {
	return execute(ctx, newApp(s), args)
}

func execute(ctx context.Context, a *app, args []string) int {
	root := rootCommand(a)
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	a.scanOutput(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started {
		err = asUsage(err)
	}
	return a.finish(ctx, err)
}
