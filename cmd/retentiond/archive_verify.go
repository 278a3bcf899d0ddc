package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/vault"
	"github.com/spf13/cobra"
)

func archiveVerifyCommand(a *app) *cobra.Command {
	var f segmentFilter
	c := &cobra.Command{
		Use:   "verify [--vault V]",
		Short: "Verify every segment of the sealed vaults",
		Long: `verify checks each manifest's signature, each segment's hash, and both against what the state
store knows: damaged, missing, foreign and replayed segments are named. What a batch left that
never committed (orphan, unfinished) is named too, and harms nothing: its rows are in their
table, and archive expire removes it. No row is read, and no identity is needed.

Exit codes: 0; 5 where something does not verify.`,
		Example: `  retentiond archive verify
  retentiond archive verify --vault sealed --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error { return a.verifyArchive(cmd.Context(), &f) }),
	}
	c.Flags().StringVar(&f.vault, "vault", "", "only this vault")
	return c
}

// verified is what was found of one vault.
type verified struct {
	Vault string `json:"vault"`
	Good  int    `json:"good"`
}

func (a *app) verifyArchive(ctx context.Context, f *segmentFilter) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	names, err := h.vaultsOf(f)
	if err != nil {
		return err
	}
	vaults, all, ok := []verified{}, []vault.Finding{}, true
	for _, name := range names {
		good, findings, err := h.verifyVault(ctx, name)
		if err != nil {
			return err
		}
		vaults, all = append(vaults, verified{name, good}), append(all, findings...)
		for _, x := range findings {
			ok = ok && x.Trouble.Harmless()
		}
	}
	if f.vault == "" {
		lost, err := h.unconfigured(ctx)
		if err != nil {
			return err
		}
		all, ok = append(all, lost...), ok && len(lost) == 0
	}
	if err := a.showVerified(vaults, all, ok); err != nil {
		return err
	}
	if !ok {
		return verdict(exitVerify)
	}
	return nil
}

// unconfigured are the vaults that have segments, and that the configuration does not
// name: nobody can look at them.
func (h *house) unconfigured(ctx context.Context) ([]vault.Finding, error) {
	gone, err := h.engine.Unconfigured(ctx)
	var out []vault.Finding
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		out = append(out, vault.Finding{Vault: name, Trouble: vault.Missing,
			Message: fmt.Sprintf("the configuration has no vault of this name, and %s in it: give it its place under `vaults:` back", plural(gone[name], "segment is", "segments are"))})
	}
	return out, err
}

// verifyVault verifies again where batches ended meanwhile: what they wrote, or
// ended, is no trouble.
func (h *house) verifyVault(ctx context.Context, name string) (good int, findings []vault.Finding, err error) {
	for try := 0; ; try++ {
		before, err := h.store.Segments(ctx, name)
		if err != nil {
			return 0, nil, err
		}
		if good, findings, err = h.verifyOnce(ctx, name, before); err != nil || len(findings) == 0 || try == 3 {
			return good, findings, err
		}
		after, err := h.store.Segments(ctx, name)
		if err != nil || slices.Equal(before, after) {
			return good, findings, err
		}
	}
}

func (h *house) verifyOnce(ctx context.Context, name string, known []retention.KnownSegment) (int, []vault.Finding, error) {
	open, err := h.store.OpenIntents(ctx)
	if err != nil {
		return 0, nil, err
	}
	inWork := map[string]bool{}
	for _, i := range open {
		inWork[i.ID] = true
	}
	return h.sealed[name].Verify(ctx, known, func(intent string) bool { return inWork[intent] },
		func(segment, intent string) (bool, error) { return h.left(ctx, segment, intent) })
}

func (a *app) showVerified(vaults []verified, all []vault.Finding, ok bool) error {
	if a.json() {
		return a.document(map[string]any{"ok": ok, "vaults": vaults, "findings": all})
	}
	p := a.printer()
	for _, v := range vaults {
		p.line("Vault %s: %s verified.", v.Vault, plural(int64(v.Good), "segment", "segments"))
	}
	for _, x := range all {
		colour := red
		if x.Trouble.Harmless() {
			colour = yellow
		}
		p.line("%s %s/%s: %s", p.paint(colour, string(x.Trouble)), x.Vault, x.Segment, x.Message)
	}
	switch {
	case len(vaults) == 0 && ok:
		p.line("No sealed vault is configured.")
	case ok:
		p.line("%s The archives verify.", p.paint(green, "OK."))
	default:
		p.line("%s The archives do not verify.", p.paint(red, "BAD."))
	}
	return p.err
}
