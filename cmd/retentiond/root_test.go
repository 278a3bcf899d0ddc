package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// every walks all commands that a person can see.
func every(c *cobra.Command, f func(*cobra.Command)) {
	if c.Name() == "help" {
		return
	}
	f(c)
	for _, below := range c.Commands() {
		every(below, f)
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	root := rootCommand(newApp(streams{}))
	n := 0
	every(root, func(c *cobra.Command) {
		n++
		if c.Short == "" || c.Long == "" {
			t.Errorf("%s: no short or long help", c.CommandPath())
		}
		if !strings.Contains(c.Example, "retentiond") {
			t.Errorf("%s: no example", c.CommandPath())
		}
	})
	if n < 30 {
		t.Errorf("only %d commands seen", n)
	}
}

// Examples that a person copies must parse.
func TestExamplesParse(t *testing.T) {
	every(rootCommand(newApp(streams{})), func(c *cobra.Command) {
		for _, line := range strings.Split(c.Example, "\n") {
			words := shellWords(strings.TrimSpace(line))
			if len(words) == 0 {
				continue
			}
			if words[0] != "retentiond" {
				t.Errorf("%s: example %q does not begin with retentiond", c.CommandPath(), line)
				continue
			}
			root := rootCommand(newApp(streams{}))
			found, rest, err := root.Find(words[1:])
			if err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
			}
			if found.HasSubCommands() && found.HasParent() {
				t.Errorf("%s: example %q names no command", c.CommandPath(), line)
			}
		}
	})
}

// shellWords splits a line at spaces outside quotes, up to a redirection.
func shellWords(s string) []string {
	var out []string
	var word strings.Builder
	var quote rune
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && r == ' ':
			flush()
		case quote == 0 && r == '>':
			return out
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return out
}

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		name string
		args string
		err  string
		hint string
	}{
		{"unknown command", "plann", `unknown command "plann"`, "did you mean retentiond plan?"},
		{"unknown subcommand", "hold plaice", `unknown command "plaice"`, "did you mean retentiond hold place?"},
		{"group alone", "hold", "retentiond hold needs a command", ""},
		{"unknown flag", "plan --polcy x", "unknown flag: --polcy", "did you mean --policy?"},
		{"flag without value", "run --policy", "flag needs an argument", ""},
		{"swallowed flag", "run --policy --dry-run", "--policy has no value before the next flag", ""},
		{"argument too many", "plan x", "retentiond plan takes no argument", ""},
		{"missing argument", "approve", "needs exactly one PLAN", ""},
		{"blank name", "approve x --by= --reason y", "--by is missing", ""},
		{"output", "plan --output yaml", `--output "yaml" is not known`, ""},
		{"level", "plan --log-level loud", `--log-level "loud" is not known`, ""},
		{"as-of", "plan --as-of yesterday", "neither a date nor", ""},
		{"as-of that is no day", "plan --as-of 2026-02-30", "neither a date nor", ""},
		{"subject", "hold place --matter m --reason r --by b --subject 42", "--subject number 1 is not TYPE:ID", ""},
		{"hold of nothing", "hold place --matter m --reason r --by b", "covers nothing", ""},
		{"where alone", `hold preview --subject p:1 --where {}`, "--where needs the datasets", ""},
		{"review", "hold place --matter m --reason r --by b --subject p:1 --review soon", "--review is not a date", ""},
		{"release both", "hold release x --matter m --reason r --by b", "either the hold's ID or --matter", ""},
		{"explain nothing", "explain", "either --dataset and --key, or --subject", ""},
		{"explain half", "explain --dataset a/b", "--key is missing", ""},
		{"plan and as-of", "run --plan x --as-of 2026-01-01", "--plan goes with none of", ""},
		{"approve without name", "run --approve", "--by is missing", ""},
		{"name without approve", "run --by x", "belong to --approve", ""},
		{"print alone", "check --print", "--print belongs to --install", ""},
		{"adopt without name", "check --adopt", "--by is missing", ""},
		{"stop without reason", "stop-all --by x", "--reason is missing", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(context.Background(), strings.Fields(tt.args), streams{In: strings.NewReader(""), Out: &out, Err: &errs})
			if code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			if !strings.Contains(errs.String(), tt.err) || !strings.Contains(errs.String(), tt.hint) {
				t.Errorf("stderr %q has not %q and %q", errs.String(), tt.err, tt.hint)
			}
			if out.Len() > 0 {
				t.Errorf("stdout is not empty: %q", out.String())
			}
		})
	}
}
