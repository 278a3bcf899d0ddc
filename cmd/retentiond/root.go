package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// rootCommand is the whole command line.
func rootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "retentiond",
		Short: "Enforces data retention rules, honours litigation holds, and proves what it did",
		Long: `retentiond reads retention rules written in YAML, finds the rows whose time is over,
and deletes, redacts, anonymises or archives them. It honours litigation holds, shows
everything beforehand in a dry run, and proves afterwards what it did through an audit
log that an outside auditor can verify.

Exit codes: 0 done; 1 error; 2 usage, configuration or policy error; 3 partial;
4 refused; 5 the audit log does not verify; 130 interrupted.`,
		Example: `  retentiond demo
  retentiond init --dir .
  retentiond plan
  retentiond run --policy shop
  retentiond serve`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          a.group(),
	}
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", "", "configuration file (default ./retentiond.yaml, then /etc/retentiond/retentiond.yaml)")
	f.StringVar(&a.output, "output", "text", "text, or json: one document on stdout")
	f.StringVar(&a.logLevel, "log-level", "", "debug, info, warn or error (default warn)")
	f.BoolVar(&a.noColor, "no-color", false, "no colours, as with NO_COLOR")
	root.SetFlagErrorFunc(flagError)
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddGroup(&cobra.Group{ID: "start", Title: "To begin:"}, &cobra.Group{ID: "rules", Title: "Rules:"},
		&cobra.Group{ID: "work", Title: "Dry run and work:"}, &cobra.Group{ID: "hold", Title: "Holds and stops:"},
		&cobra.Group{ID: "proof", Title: "Proof and answers:"})
	add(root, "start", demoCommand(a), initCommand(a), statusCommand(a), healthcheckCommand(a), versionCommand(a))
	add(root, "rules", policyCommand(a), checkCommand(a))
	add(root, "work", planCommand(a), bordereauCommand(a), approveCommand(a), rejectCommand(a), runCommand(a), runsCommand(a), serveCommand(a))
	add(root, "hold", holdCommand(a), stopAllCommand(a), resumeCommand(a))
	add(root, "proof", inventoryCommand(a), explainCommand(a), archiveCommand(a), auditCommand(a))
	completions(root)
	return root
}

func add(root *cobra.Command, group string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// completions gives cobra's own completion commands an example each.
func completions(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Example = "  retentiond completion bash > /etc/bash_completion.d/retentiond"
		for _, shell := range c.Commands() {
			shell.Example = "  retentiond completion " + shell.Name()
		}
	}
}

// group answers a command that only has commands below it: help when alone,
// otherwise the nearest command that exists.
func (a *app) group() func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.checkFlags(cmd); err != nil {
			return err
		}
		if len(args) == 0 && !cmd.HasParent() {
			return cmd.Help()
		}
		hint := cmd.CommandPath() + " --help lists the commands"
		if len(args) == 0 {
			return usage(hint, "%s needs a command: %s", cmd.CommandPath(), strings.Join(below(cmd), ", "))
		}
		cmd.SuggestionsMinimumDistance = 2
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "did you mean " + cmd.CommandPath() + " " + strings.Join(near, " or ") + "?"
		}
		return usage(hint, "unknown command %q for %q", args[0], cmd.CommandPath())
	}
}

func below(cmd *cobra.Command) []string {
	var out []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name())
		}
	}
	return out
}

// parent is a command that only has commands below it.
func (a *app) parent(use, short, long, example string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: long, Example: example, Args: cobra.ArbitraryArgs, RunE: a.group()}
	c.AddCommand(below...)
	return c
}
