package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention/spelling"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// checkFlags refuses what the flag parser lets through: a flag that swallowed
// the next flag as its value (`--policy --dry-run` must never run for real),
// and unknown values of the global flags.
func (a *app) checkFlags(cmd *cobra.Command) error {
	var bad error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, v := range flagValues(f) {
			if strings.HasPrefix(v, "--") && bad == nil {
				bad = usage("a value that begins with dashes is taken for a forgotten value", "--%s has no value before the next flag", f.Name)
			}
		}
	})
	if bad != nil {
		return bad
	}
	if err := oneOf("output", a.output, "text", "json"); err != nil {
		a.output = "text"
		return err
	}
	return oneOf("log-level", a.logLevel, "", "debug", "info", "warn", "error")
}

func flagValues(f *pflag.Flag) []string {
	if s, ok := f.Value.(pflag.SliceValue); ok {
		return s.GetSlice()
	}
	return []string{f.Value.String()}
}

func oneOf(flag, value string, allowed ...string) error {
	for _, s := range allowed {
		if s == value {
			return nil
		}
	}
	named := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	return usage("one of "+strings.Join(named, ", "), "--%s %q is not known", flag, value)
}

// need refuses flags that were left out or are blank.
func need(cmd *cobra.Command, names ...string) error {
	for _, n := range names {
		f := cmd.Flags().Lookup(n)
		if strings.TrimSpace(strings.Join(flagValues(f), "")) == "" {
			return usage("retentiond "+strings.TrimPrefix(cmd.CommandPath(), "retentiond ")+" --help has an example", "--%s is missing: %s", n, f.Usage)
		}
	}
	return nil
}

// flagError answers a mistake in a flag, with the nearest flag that exists.
func flagError(cmd *cobra.Command, err error) error {
	hint := "retentiond " + strings.TrimPrefix(cmd.CommandPath()+" --help", "retentiond ") + " lists the flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		if kind := kindOf(invalid.GetFlag().Value.Type()); kind != "" {
			return usage(hint, "--%s %q is no %s", invalid.GetFlag().Name, invalid.GetValue(), kind)
		}
	}
	return usage(hint, "%s", err.Error())
}

// kindOf is in words what a flag of that type takes.
func kindOf(flagType string) string {
	switch flagType {
	case "int", "int64", "uint", "uint64":
		return "whole number"
	case "duration":
		return "duration, such as 30s or 5m"
	}
	return ""
}

func nearestFlag(cmd *cobra.Command, name string) string {
	best, far := "", 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		d := spelling.Distance(name, f.Name)
		if strings.HasPrefix(f.Name, name) && len(name) > 1 {
			d = 1
		}
		if d < far {
			best, far = f.Name, d
		}
	})
	return best
}

// noArgs refuses arguments, and says so in words.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("retentiond "+strings.TrimPrefix(cmd.CommandPath(), "retentiond ")+" --help has an example",
		"%s takes no argument, got %d", cmd.CommandPath(), len(args))
}

// oneArg asks for exactly one argument of that name.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && args[0] != "" {
			return nil
		}
		return usage("retentiond "+strings.TrimPrefix(cmd.CommandPath(), "retentiond ")+" --help has an example",
			"%s needs exactly one %s, got %d", cmd.CommandPath(), name, len(args))
	}
}

const asOfHelp = "instant to plan for: RFC 3339, or a date (noon UTC of that day; now, where that is still to come today)"

// parseAsOf reads --as-of; empty is the zero time, which means now. Calendar
// periods give the same rows all day long, so a date needs no hour.
func (a *app) parseAsOf(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.Truncate(time.Second), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, usage("write 2026-01-31 or 2026-01-31T12:00:00+01:00", "--as-of %q is neither a date nor an RFC 3339 instant", s)
	}
	t = t.Add(12 * time.Hour)
	now := a.now().UTC()
	if t.After(now) && now.Format(time.DateOnly) == s {
		return now.Truncate(time.Second), nil
	}
	return t, nil
}

// parseDay checks a civil date and returns it as written.
func parseDay(flag, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", usage("write 2027-01-31", "--%s is not a date", flag)
	}
	return s, nil
}

// retry writes a command line that repeats this one's configuration, so that
// it can be copied and run.
func (a *app) retry(format string, args ...any) string {
	s := a.program() + " "
	if a.config != "" {
		s += "--config " + quote(a.config) + " "
	}
	return s + fmt.Sprintf(format, args...)
}

// quote writes an argument as a shell reads it.
func quote(s string) string {
	if s != "" && strings.IndexFunc(s, unsafeInShell) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func unsafeInShell(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !plain && !strings.ContainsRune("-_./:=,+@%", r)
}
