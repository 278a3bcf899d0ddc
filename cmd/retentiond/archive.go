package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/vault"
	"github.com/spf13/cobra"
)

func archiveCommand(a *app) *cobra.Command {
	return a.parent("archive", "Sealed archives: list, show, verify, restore, expire",
		`archive looks after the sealed vaults. Their segments are encrypted to people, not to this
program: only restore, with the identity file of one of them, reads rows, and every restore is
audited as an access.`,
		`  retentiond archive list
  retentiond archive verify
  retentiond archive restore --identity KEY.txt --subject person:42 --to 42.jsonl --by "A. Martin" --reason "request of access"`,
		archiveListCommand(a), archiveShowCommand(a), archiveVerifyCommand(a), archiveRestoreCommand(a), archiveExpireCommand(a))
}

// segmentFilter narrows segments; empty fields mean all.
type segmentFilter struct {
	vault, policy, rule string
	names               []string
}

func (f *segmentFilter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.vault, "vault", "", "only this vault")
	c.Flags().StringVar(&f.policy, "policy", "", "only this policy")
	c.Flags().StringVar(&f.rule, "rule", "", "only this rule")
}

func (f *segmentFilter) wants(s *retention.Segment) bool {
	return (f.policy == "" || f.policy == s.Policy) && (f.rule == "" || f.rule == s.Rule) && (len(f.names) == 0 || slices.Contains(f.names, s.Name))
}

// vaultsOf are the sealed vaults that the filter names.
func (h *house) vaultsOf(f *segmentFilter) ([]string, error) {
	all := h.sealedNames()
	if f.vault == "" {
		return all, nil
	}
	if slices.Contains(all, f.vault) {
		return []string{f.vault}, nil
	}
	if v, ok := h.engine.Vaults[f.vault]; ok && v.Refused != "" {
		return nil, usage("", "vault %q: %s", f.vault, v.Refused)
	}
	return nil, usage("sealed vaults: "+strings.Join(all, ", "), "there is no sealed vault %q", f.vault)
}

// found is a segment and what the state store knows of it.
type found struct {
	*retention.Segment
	known   retention.KnownSegment
	counted bool // the state store knows it, by this very manifest, and it has not ended
}

// eachSegment calls f with the segments of the filter, in order.
func (h *house) eachSegment(ctx context.Context, f *segmentFilter, do func(v *vault.Vault, s found) error) error {
	names, err := h.vaultsOf(f)
	if err != nil {
		return err
	}
	for _, name := range names {
		list, err := h.store.Segments(ctx, name)
		if err != nil {
			return err
		}
		known := map[string]retention.KnownSegment{}
		for _, k := range list {
			known[k.Name] = k
		}
		v := h.sealed[name]
		err = v.Segments(ctx, func(s *retention.Segment) error {
			if !f.wants(s) {
				return nil
			}
			k, ok := known[s.Name]
			return do(v, found{s, k, ok && !k.Expired && k.Manifest == s.Manifest && s.Bad == ""})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// segmentView is a segment in JSON.
func segmentView(s found) map[string]any {
	children := map[string]int64{}
	for _, t := range s.Tables {
		if t.Child {
			children[t.Name.String()] += t.Rows
		}
	}
	return map[string]any{
		"vault": s.Vault, "segment": s.Name, "state": s.state(), "policy": word(s.Policy), "rule": word(s.Rule), "dataset": word(s.Dataset),
		"rows": s.Rows, "children": children, "clock_first": moment(s.First), "clock_last": moment(s.Last), "sealed_at": moment(s.SealedAt),
		"ends": moment(s.Ends), "bytes": s.Cipher.Bytes, "why": word(s.Bad),
	}
}

// state is sealed; bad, where the manifest cannot be believed; or unknown to the
// state store.
func (s found) state() string {
	switch {
	case s.counted:
		return "sealed"
	case s.Bad != "":
		return "bad"
	case s.known.Expired:
		return "ended"
	case s.known.Name != "":
		return "bad"
	}
	return "unknown"
}

func archiveListCommand(a *app) *cobra.Command {
	var f segmentFilter
	c := &cobra.Command{
		Use:   "list [--vault V] [--policy P] [--rule R]",
		Short: "List the segments of sealed vaults",
		Long: `list shows each segment, as its signed manifest tells of it: no row is read. A segment ends as a
whole, by the clock of its last row.`,
		Example: `  retentiond archive list
  retentiond archive list --policy shop --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error { return a.listArchive(cmd.Context(), &f) }),
	}
	f.flags(c)
	return c
}

func (a *app) listArchive(ctx context.Context, f *segmentFilter) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	views := []map[string]any{}
	g := &grid{cols: []gridColumn{col("vault"), col("segment"), col("rule"), num("rows"), col("from"), col("to"), col("ends"), colOpt("state")}}
	err = h.eachSegment(ctx, f, func(_ *vault.Vault, s found) error {
		views = append(views, segmentView(s))
		state := s.state()
		if s.counted {
			state = ""
		}
		g.add(s.Vault, s.Name, joined("/", s.Policy, s.Rule), count(s.Rows), h.dayOf(s.Policy, s.First), h.dayOf(s.Policy, s.Last), h.dayOf(s.Policy, s.Ends), state)
		return nil
	})
	if err != nil {
		return err
	}
	if a.json() {
		return a.document(map[string]any{"segments": views})
	}
	p := a.printer()
	if len(views) == 0 {
		p.line("No segment in a sealed vault.")
		return p.err
	}
	p.grid(g)
	return p.err
}

func (h *house) dayOf(policy string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(h.zone(policy)).Format(time.DateOnly)
}

func archiveShowCommand(a *app) *cobra.Command {
	var f segmentFilter
	c := &cobra.Command{
		Use:   "show SEGMENT [--vault V]",
		Short: "Show what the manifest of a segment says",
		Long:  `show prints a segment's signed manifest, without its index of subjects: tables with their columns and types, counts, hashes, clocks.`,
		Example: `  retentiond archive show 2015-03.r-63ade13cdfc37acfde03d73cc0c8e2dd.1.1
  retentiond archive show SEGMENT --output json`,
		Args: oneArg("SEGMENT"),
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			f.names = args
			return a.showArchive(cmd.Context(), &f)
		}),
	}
	f.flags(c)
	return c
}

var errFound = errors.New("found")

func (a *app) showArchive(ctx context.Context, f *segmentFilter) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	var one found
	err = h.eachSegment(ctx, f, func(_ *vault.Vault, s found) error {
		one = s
		return errFound
	})
	switch {
	case err == nil:
		return missing("segment", f.names[0], "`retentiond archive list` shows the segments")
	case !errors.Is(err, errFound):
		return err
	}
	d := segmentView(one)
	d["intent"], d["source"], d["policy_digest"], d["stage"], d["recipients"] = one.Intent, one.Source, one.Digest, one.Stage, list(one.Recipients)
	d["subject_types"], d["subjects"], d["tables"] = list(one.Types), len(one.About), tableViews(one.Tables)
	d["plain"], d["cipher"], d["manifest_sha256"] = one.Plain, one.Cipher, one.Manifest
	if a.json() {
		return a.document(d)
	}
	return a.showSegment(h, one)
}

func tableViews(tables []retention.SegmentTable) []map[string]any {
	out := []map[string]any{}
	for _, t := range tables {
		cols := []map[string]any{}
		for _, c := range t.Columns {
			cols = append(cols, map[string]any{"name": c.Name, "type": c.Decl})
		}
		out = append(out, map[string]any{"table": t.Name.String(), "child": t.Child, "files": t.Files, "rows": t.Rows, "key": list(t.Key), "columns": cols, "fingerprint": t.Fingerprint})
	}
	return out
}

func (a *app) showSegment(h *house, s found) error {
	p := a.printer()
	p.heading("Segment %s of vault %s", s.Name, s.Vault)
	if s.Bad != "" {
		p.line("%s %s", p.paint(red, "BAD."), s.Bad)
		return p.err
	}
	p.line("State: %s. Rule %s/%s, stage %d, policy %s.", s.state(), s.Policy, s.Rule, s.Stage, s.Digest)
	p.line("Clocks from %s to %s; ends on %s. Sealed at %s, by intent %s.", h.dayOf(s.Policy, s.First), h.dayOf(s.Policy, s.Last), h.dayOf(s.Policy, s.Ends), s.SealedAt.Format(time.RFC3339), s.Intent)
	p.line("%d bytes, %d encrypted to %s (sha256 %s).", s.Plain.Bytes, s.Cipher.Bytes, plural(int64(len(s.Recipients)), "recipient", "recipients"), s.Cipher.SHA256)
	for _, t := range s.Tables {
		var cols []string
		for _, c := range t.Columns {
			cols = append(cols, strings.TrimSpace(c.Name+" "+c.Decl))
		}
		what := rowsOf(t.Rows)
		if t.Files {
			what = plural(t.Rows, "part of files", "parts of files")
		}
		p.wrapped(fmt.Sprintf("  %s: %s; ", t.Name, what), cols)
	}
	return p.err
}
