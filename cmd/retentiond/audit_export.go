package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/spf13/cobra"
)

func auditExportCommand(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "export --dir DIR",
		Short: "Export the log as tlog tiles, checkpoint and JSON lines",
		Long: `export verifies the log as audit verify does, and writes it to a directory as C2SP tlog tiles
with a signed checkpoint and the entries as JSON lines, so that tools which are not ours can
verify it; README.txt there says how, verify.py does it. policies/ has every policy text that
was in force.

Exit codes: 0; 5 where the log does not verify, and nothing is written.`,
		Example: `  retentiond audit export --dir /mnt/auditor/2026`,
		Args:    noArgs,
		RunE:    a.do(func(cmd *cobra.Command, _ []string) error { return a.export(cmd, dir) }),
	}
	c.Flags().StringVar(&dir, "dir", "", "directory to write to")
	return c
}

func (a *app) export(cmd *cobra.Command, dir string) error {
	if err := need(cmd, "dir"); err != nil {
		return err
	}
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	r, silent, err := h.verifyAudit(cmd.Context(), "")
	if err != nil {
		return err
	}
	if !r.OK {
		return orElse(a.showVerify(r, 0, silent), verdict(exitVerify))
	}
	if err := h.store.ExportAudit(cmd.Context(), dir); err != nil {
		return err
	}
	if err := h.exportPolicies(cmd.Context(), filepath.Join(dir, "policies")); err != nil {
		return err
	}
	return a.showExport(h, dir)
}

// verifyAudit verifies the log beside what every source has seen of it.
func (h *house) verifyAudit(ctx context.Context, checkpoint string) (r audit.Result, silent []string, err error) {
	witnesses, silent, foreign := h.witnesses(ctx)
	if r, err = h.store.VerifyAudit(ctx, witnesses, checkpoint); err == nil && r.OK && len(foreign) > 0 {
		r.OK, r.Reason = false, strings.Join(foreign, "; ")
	}
	return r, silent, err
}

// exportPolicies writes every policy text that was in force, as it was written
// and in the canonical form whose SHA-256 is the digest in policy.loaded.
func (h *house) exportPolicies(ctx context.Context, dir string) error {
	texts, err := h.store.PolicyTexts(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("export the policies: %w", err)
	}
	for digest, text := range texts {
		name := strings.TrimPrefix(digest, "sha256:")
		if b, err := hex.DecodeString(name); err != nil || len(b) != 32 {
			return fmt.Errorf("export the policies: %q is no digest; restore the state store from a copy", digest)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o644); err != nil {
			return fmt.Errorf("export policy %s: %w", digest, err)
		}
		p, problems := policies.Decode(name, text, policies.Env{})
		if len(problems) > 0 {
			return fmt.Errorf("export policy %s: this version cannot read it: %v", digest, problems[0])
		}
		if err := os.WriteFile(filepath.Join(dir, name+".canonical.json"), policies.Canonical(p), 0o644); err != nil {
			return fmt.Errorf("export policy %s: %w", digest, err)
		}
	}
	return nil
}

func (a *app) showExport(h *house, dir string) error {
	d := h.auditDoc()
	if a.json() {
		return a.document(map[string]any{"dir": dir, "origin": d.Origin, "size": d.Size, "root": d.Root})
	}
	p := a.printer()
	p.line("Exported %s to %s, root %s.", plural(d.Size, "entry", "entries"), dir, d.Root)
	return p.err
}
