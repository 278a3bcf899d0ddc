package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func auditVerifyCommand(a *app) *cobra.Command {
	var checkpoint string
	c := &cobra.Command{
		Use:   "verify [--checkpoint FILE]",
		Short: "Verify the whole log, and say where it is bad",
		Long: `verify computes the log's tree again from the exact lines, and compares it with its signed
checkpoints, with the checkpoint beside the key, with what each source has witnessed, and
with --checkpoint FILE: a checkpoint that somebody else kept. It also compares the holds
with the entries that placed and released them.

Exit codes: 0; 5 where the log does not verify.`,
		Example: `  retentiond audit verify
  retentiond audit verify --checkpoint auditor/2026-03.checkpoint`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error { return a.verify(cmd, checkpoint) }),
	}
	c.Flags().StringVar(&checkpoint, "checkpoint", "", "also compare with this signed checkpoint")
	return c
}

func (a *app) verify(cmd *cobra.Command, checkpoint string) error {
	h, err := a.open(cmd.Context())
	if errors.Is(err, audit.ErrKey) { // without its key no log verifies
		return orElse(a.showVerify(audit.Result{Reason: err.Error()}, 0, nil), verdict(exitVerify))
	}
	if err != nil {
		return err
	}
	defer h.close()
	r, seen, silent, err := h.verifyAudit(cmd.Context(), checkpoint)
	switch {
	case errors.Is(err, audit.ErrBadCheckpoint), errors.Is(err, fs.ErrNotExist) && checkpoint != "":
		return usage("a file that `retentiond audit export` or the key's directory holds", "--checkpoint: %v", err)
	case err != nil:
		return err
	}
	err = a.showVerify(r, seen, silent)
	if err == nil && !r.OK {
		return verdict(exitVerify)
	}
	return err
}

func (a *app) showVerify(r audit.Result, witnesses int, silent []string) error {
	if !a.json() {
		return a.verifyText(r, witnesses, silent)
	}
	d := verifyDoc(r)
	d["not_compared"] = list(silent)
	return a.document(d)
}

// verifyDoc is the result with every field of cli.md, absent ones null.
func verifyDoc(r audit.Result) map[string]any {
	d := map[string]any{"ok": r.OK, "log": r.Log, "size": r.Size, "root": r.Root, "first_bad": r.FirstBad, "reason": word(r.Reason)}
	if r.LastBad != nil {
		d["last_bad"] = r.LastBad
	}
	return d
}

func (a *app) verifyText(r audit.Result, witnesses int, silent []string) error {
	p := a.printer()
	if r.OK {
		p.line("%s The audit log verifies: log %s, %s, root %s.", p.paint(green, "OK."), r.Log, plural(r.Size, "entry", "entries"), r.Root)
		p.line("Compared with its signed checkpoints, the one beside the key, and what %s saw.", plural(int64(witnesses), "source", "sources"))
	} else {
		p.line("%s The audit log does not verify: %s.", p.paint(red, "BAD."), joined(": ", r.Log, r.Reason))
		p.line("%s", badRange(r))
	}
	for _, s := range silent {
		p.line("Not compared with source %s", s)
	}
	return p.err
}

func badRange(r audit.Result) string {
	switch {
	case r.FirstBad == nil:
		return "No single entry can be named."
	case r.LastBad != nil && *r.LastBad != *r.FirstBad:
		return fmt.Sprintf("The first bad entry is one of %d to %d.", *r.FirstBad, *r.LastBad)
	}
	return fmt.Sprintf("The first bad entry is %d.", *r.FirstBad)
}

// witnesses are what the sources' gates saw of the log, why some source says
// nothing, and which saw a log that this store does not have at all.
func (h *house) witnesses(ctx context.Context) (seen []audit.Witness, silent, foreign []string) {
	for _, name := range h.sourceNames() {
		w, err := h.witness(ctx, h.engine.Sources[name])
		var other *otherLogError
		switch {
		case errors.As(err, &other):
			foreign = append(foreign, err.Error())
		case err != nil:
			silent = append(silent, name+": "+err.Error())
		case w.Root == "":
			silent = append(silent, name+": nothing was done there yet that its gate could have seen")
		default:
			seen = append(seen, w)
		}
	}
	return seen, silent, foreign
}

// otherLogError: the source witnessed the log of another state store, which is
// lost here, or was never here.
type otherLogError struct {
	source, store string
	size          int64
}

// Error says which source saw how much of which store's log.
func (e *otherLogError) Error() string {
	return fmt.Sprintf("source %s has seen %d entries of the audit log of another state store (%s), which are not here: restore that store and its key, or accept this one with `retentiond check --adopt --by NAME --reason TEXT`",
		e.source, e.size, e.store)
}

func (h *house) witness(ctx context.Context, ref *engine.SourceRef) (audit.Witness, error) {
	src, err := ref.Open(ctx)
	if err != nil {
		return audit.Witness{}, err
	}
	defer func() { _ = src.Close() }() // it was only read
	server, err := src.Server(ctx)
	if err != nil {
		return audit.Witness{}, err
	}
	if g := server.Gate; g.StoreUUID != h.store.UUID() && g.LogSize > 0 {
		return audit.Witness{}, &otherLogError{ref.Name, g.StoreUUID, g.LogSize}
	}
	if err := h.engine.Knows(ctx, ref.Name, server.Gate); err != nil && (!server.Gate.Installed || server.Gate.StoreUUID != h.store.UUID()) {
		return audit.Witness{}, err
	}
	return audit.Witness{Name: ref.Name, Total: server.Gate.LogSize, Root: server.Gate.LogRoot}, nil
}
