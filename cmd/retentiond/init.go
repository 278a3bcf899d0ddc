package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/policies"
	"github.com/spf13/cobra"
)

func initCommand(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "init [--dir DIR]",
		Short: "Write a commented configuration and a first policy",
		Long: `init writes retentiond.yaml and policies/example.yaml, both commented, to edit from there. It
overwrites nothing.`,
		Example: `  retentiond init
  retentiond init --dir /etc/retentiond`,
		Args: noArgs,
		RunE: a.do(func(*cobra.Command, []string) error { return a.init(dir) }),
	}
	c.Flags().StringVar(&dir, "dir", ".", "directory to write to")
	return c
}

func (a *app) init(dir string) error {
	config, policy := filepath.Join(dir, "retentiond.yaml"), filepath.Join(dir, "policies", "example.yaml")
	for _, f := range []string{config, policy} {
		if _, err := os.Lstat(f); err == nil {
			return usage("choose another --dir, or move it away", "%s is already there; nothing was written", f)
		}
	}
	if err := os.MkdirAll(filepath.Dir(policy), 0o755); err != nil {
		return fmt.Errorf("make %s: %w", filepath.Dir(policy), err)
	}
	if err := errors.Join(writeNew(config, configs.Example()), writeNew(policy, policies.Example())); err != nil {
		return err
	}
	if a.json() {
		return a.document(map[string][]string{"written": {config, policy}})
	}
	a.config = config
	if dir == "." {
		a.config = ""
	}
	p := a.printer()
	p.line("Wrote %s and %s.", config, policy)
	p.blank()
	p.line("Next:")
	p.line("  1. name your databases in %s", config)
	p.line("  2. write your rules in %s, and check them:  %s", policy, a.retry("policy validate"))
	p.line("  3. compare them with the live schemas:  %s", a.retry("check"))
	p.line("  4. see what would go, changing nothing:  %s", a.retry("plan"))
	return p.err
}

// writeNew writes a file that must not be there yet.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage("choose another --dir, or move it away", "%s is already there", name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
