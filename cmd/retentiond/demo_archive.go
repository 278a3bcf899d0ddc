package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archiveLines is how much of a long answer the demo shows.
const archiveLines = 7

// archives is the life of a sealed archive: a rule's run of a year ago, what is in the
// vault, one person's rows out of it, and its end.
func (d *demo) archives(ctx context.Context) error {
	d.say("Sealed archives", "When their service ends, people of the Conservatoire leave daily work: their rows are archived for the five\n"+
		"years of prescription, encrypted to a person whose key is in %s, outside of this folder. retentiond\n"+
		"cannot read them. Here is what that rule did a year ago.", filepath.Dir(d.world.Identity))
	past := d.now().AddDate(-1, 0, 0).Format(time.DateOnly)
	err := d.steps(ctx,
		demoStep{args: []string{"run", "--policy", "conservatoire", "--rule", "identification", "--as-of", past,
			"--approve", "--by", "Demo DPO", "--reason", "demo: a year ago"}},
		demoStep{args: []string{"archive", "list"}, lines: archiveLines},
		demoStep{args: []string{"archive", "verify"}},
	)
	if err != nil {
		return err
	}
	if err := d.restore(ctx); err != nil {
		return err
	}
	d.say("The end of an archive", "The five years run from the end of the service, not from the archiving. A segment ends as a whole, once the\n"+
		"last of its rows is over; one that has a row of a held person stays.")
	return d.steps(ctx, demoStep{args: []string{"archive", "expire", "--approve", "--by", "Demo DPO", "--reason", "demo: the five years are over"}, lines: 3 * archiveLines})
}

// restore shows that a person with the key, a name and a reason reads one person's rows.
func (d *demo) restore(ctx context.Context) error {
	d.say("A row out of the archive", "Somebody asks what is kept about them. Whoever has the key restores their rows, and says who and why:\n"+
		"the access is in the audit log before a row is read.")
	to := filepath.Join(filepath.Dir(d.world.Identity), restoredName)
	err := d.steps(ctx, demoStep{args: []string{"archive", "restore", "--identity", d.world.Identity, "--subject", d.world.Archived,
		"--to", to, "--by", "Demo DPO", "--reason", "request of access"}})
	if err != nil {
		return err
	}
	rows, err := os.ReadFile(to)
	if err != nil {
		return fmt.Errorf("read what was restored: %w", err)
	}
	p := d.printer()
	p.line("%s", p.paint(dim, "$ cat "+quote(to)))
	p.line("%s", strings.TrimSuffix(string(rows), "\n"))
	return p.err
}

// demoStep is a command that has to end well, or in part; of a long answer the first
// lines are shown.
type demoStep struct {
	args  []string
	lines int // 0: all
}

func (d *demo) steps(ctx context.Context, all ...demoStep) error {
	for i, s := range all {
		if i > 0 {
			d.printer().blank()
		}
		if err := d.head(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// head runs a command and shows the first lines of its answer.
func (d *demo) head(ctx context.Context, s demoStep) error {
	out, codes := d.Out, []int{exitOK, exitPartial}
	if s.lines == 0 {
		_, err := d.run(ctx, codes, s.args...)
		return err
	}
	var all bytes.Buffer
	d.Out = &all
	_, err := d.run(ctx, codes, s.args...)
	d.Out = out
	lines := strings.SplitAfter(strings.TrimSuffix(all.String(), "\n"), "\n")
	if most := s.lines + 3; len(lines) > most { // the command, the heads, and lines
		rest := len(lines) - most
		lines = append(lines[:most:most], fmt.Sprintf("… and %d lines more", rest))
	}
	if _, e := io.WriteString(out, strings.Join(lines, "")+"\n"); err == nil {
		err = e
	}
	return err
}
