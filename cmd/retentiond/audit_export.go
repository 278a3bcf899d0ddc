package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	if errors.Is(err, audit.ErrKey) { // without its key no log verifies
		return orElse(a.showVerify(audit.Result{Reason: err.Error()}, 0, nil), verdict(exitVerify))
	}
	if err != nil {
		return err
	}
	defer h.close()
	r, seen, silent, err := h.verifyAudit(cmd.Context(), "")
	if err != nil {
		return err
	}
	if !r.OK {
		return orElse(a.showVerify(r, seen, silent), verdict(exitVerify))
	}
	if err := h.store.ExportAudit(cmd.Context(), dir); err != nil {
		return err
	}
	other, err := h.exportPolicies(cmd.Context(), filepath.Join(dir, "policies"))
	if err != nil {
		return err
	}
	return a.showExport(h, dir, other)
}

// verifyAudit verifies the log beside what the sources have seen of it: how many
// did, and why others say nothing.
func (h *house) verifyAudit(ctx context.Context, checkpoint string) (r audit.Result, seen int, silent []string, err error) {
	witnesses, silent, foreign := h.witnesses(ctx)
	if r, err = h.store.VerifyAudit(ctx, witnesses, checkpoint); err == nil && r.OK && len(foreign) > 0 {
		r.OK, r.Reason = false, strings.Join(foreign, "; ")
	}
	return r, len(witnesses), silent, err
}

// exportPolicies writes every policy text that was in force, as it was written
// and in the canonical form whose SHA-256 is the digest in policy.loaded. other:
// texts of another version of the language, whose form this one cannot make.
func (h *house) exportPolicies(ctx context.Context, dir string) (other []string, err error) {
	texts, err := h.store.PolicyTexts(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("export the policies: %w", err)
	}
	for _, digest := range slices.Sorted(maps.Keys(texts)) {
		canonical, err := exportPolicy(dir, digest, texts[digest])
		if err != nil {
			return nil, fmt.Errorf("export policy %s: %w", digest, err)
		}
		if !canonical {
			other = append(other, digest)
		}
	}
	return other, nil
}

// exportPolicy writes one text; canonical: its digest can be computed from it here.
func exportPolicy(dir, digest string, text []byte) (canonical bool, err error) {
	name := strings.TrimPrefix(digest, "sha256:")
	if b, err := hex.DecodeString(name); err != nil || len(b) != 32 {
		return false, errors.New("that is no digest; restore the state store from a copy")
	}
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o644); err != nil {
		return false, err
	}
	p, problems := policies.Decode(name, text, policies.Env{})
	if len(problems) > 0 || p.Digest != digest {
		return false, nil
	}
	return true, os.WriteFile(filepath.Join(dir, name+".canonical.json"), policies.Canonical(p), 0o644)
}

func (a *app) showExport(h *house, dir string, other []string) error {
	d := h.auditDoc()
	if a.json() {
		return a.document(map[string]any{"dir": dir, "origin": d.Origin, "size": d.Size, "root": d.Root, "not_canonical": list(other)})
	}
	p := a.printer()
	p.line("Exported %s to %s, root %s.", plural(d.Size, "entry", "entries"), dir, d.Root)
	for _, digest := range other {
		p.line("Policy %s: this version does not compute its digest from its text; only the text is there.", digest)
	}
	return p.err
}
