package main

import (
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is one command line at work: its streams, its global flags and its clock.
type app struct {
	streams
	now func() time.Time
	// points is told of every point; nil: what the environment arms.
	points func(retention.Point)

	config   string // --config
	output   string // --output: text or json
	logLevel string // --log-level
	noColor  bool   // --no-color

	daemon bool        // the command is serve: the log is its output
	looks  atomic.Bool // the command only looks: a signal finds no batch at work

	started bool   // the command's own work began: later errors are not usage errors
	planned string // id of the plan that `plan` made, for `demo`
	printed bool   // the JSON document is on stdout: errors then only go to stderr
}

func newApp(s streams) *app {
	return &app{streams: s, now: time.Now, output: "text"}
}

// lookupenv returns the last value of an environment variable, and whether
// there is one.
func (a *app) lookupenv(name string) (string, bool) {
	for i := len(a.Env) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(a.Env[i], "="); ok && k == name {
			return v, true
		}
	}
	return "", false
}

func (a *app) getenv(name string) string {
	v, _ := a.lookupenv(name)
	return v
}

func (a *app) json() bool { return a.output == "json" }

// colour reports whether text on w may be coloured.
func (a *app) colour(w io.Writer) bool {
	return !a.noColor && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// scanOutput finds --output json before the flags are parsed, so that a
// mistake in the flags themselves is answered in the form that was asked for.
func (a *app) scanOutput(args []string) {
	for i, arg := range args {
		switch {
		case arg == "--":
			return
		case arg == "--output=json" || arg == "--output" && i+1 < len(args) && args[i+1] == "json":
			a.output = "json"
		}
	}
}

// action is the work of a command: it is called with valid global flags.
type action func(cmd *cobra.Command, args []string) error

// onlyLooks reports whether the command changes nothing in a source.
func onlyLooks(cmd *cobra.Command) bool {
	words := strings.Fields(cmd.CommandPath())
	switch strings.Join(words[1:], " ") {
	case "plan", "bordereau", "inventory", "explain", "check", "status", "runs list", "runs show", "hold list", "hold show", "hold preview",
		"audit list", "audit show", "audit verify", "audit export", "archive list", "archive show", "archive verify":
		return cmd.Flags().Lookup("install") == nil || !cmd.Flags().Changed("install") && !cmd.Flags().Changed("adopt")
	}
	return false
}

// do makes an action a cobra RunE: errors from here on are not cobra's.
func (a *app) do(f action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.checkFlags(cmd); err != nil {
			return err
		}
		a.started = true
		a.looks.Store(onlyLooks(cmd))
		if err := a.shiftClock(); err != nil {
			return err
		}
		return f(cmd, args)
	}
}
