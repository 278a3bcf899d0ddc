package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/vault"
	"github.com/spf13/cobra"
)

// restoring is what restore was asked for.
type restoring struct {
	filter            segmentFilter
	identity, by, why string
	to, table, source string
	folder            string
	older             bool
	subject           string
	pick              vault.Pick
	who               []age.Identity
	from, into        string // --table FROM=INTO
}

func archiveRestoreCommand(a *app) *cobra.Command {
	var r restoring
	c := &cobra.Command{
		Use:   "restore --identity FILE --by NAME --reason TEXT (--to FILE | --table NAME | --folder DIR) [SEGMENT…]",
		Short: "Restore rows or files from sealed archives",
		Long: `restore decrypts segments with the identity file of one of their recipients, and gives their rows
as JSON lines, or puts them into a table, all or none. It can pick the rows about a person, or of
a key; child rows come with the rows they went with. Files go below a folder, under the paths and
with the times that they had, for their owner alone; the key of a file is its path. A file that is
there already is left, and none is written outside of the folder. Everything is checked against
the signed manifests before it counts.

The access is in the audit log before a row is read. The archive stays as it is, and rows that go
back into a governed table are due again at the next run, unless a hold keeps them.

Exit codes: 0; 3 where files were left; 5 where a segment does not verify.`,
		Example: `  retentiond archive restore --identity KEY.txt --by "A. Martin" --reason "request of access" --subject person:42 --to 42.jsonl
  retentiond archive restore --identity KEY.txt --by "A. Martin" --reason "dispute 2026-7" --key videos/a.mp4 --folder ./restored
  retentiond archive restore --identity KEY.txt --by "A. Martin" --reason "audit 2026" --policy shop --rule orders --table orders=orders_restored`,
		Args: cobra.ArbitraryArgs,
		RunE: a.do(func(cmd *cobra.Command, args []string) error {
			r.filter.names = args
			if err := r.check(cmd); err != nil {
				return err
			}
			return a.restore(cmd.Context(), &r)
		}),
	}
	f := c.Flags()
	r.filter.flags(c)
	f.StringVar(&r.identity, "identity", "", "file with an age identity of a recipient")
	f.StringVar(&r.by, "by", "", "name of the person who restores")
	f.StringVar(&r.why, "reason", "", "why")
	f.StringVar(&r.to, "to", "", "write JSON lines to this new file")
	f.StringVar(&r.table, "table", "", "put the rows of this archived table into the table of that name, or NAME=OTHER into another one")
	f.StringVar(&r.folder, "folder", "", "write archived files below this folder")
	f.BoolVar(&r.older, "older", false, "with --folder: also older versions of objects, as NAME@VERSION")
	f.StringVar(&r.source, "source", "", "the table's source (default: the one that the rows left)")
	f.StringVar(&r.subject, "subject", "", "only rows about this person, TYPE:ID")
	f.StringVar(&r.pick.Key, "key", "", "only the row of this key; a composite one as a JSON array")
	f.BoolVar(&r.pick.All, "whole", false, "with --subject: all rows of the segments whose index names the person")
	return c
}

// check refuses what cannot be asked.
func (r *restoring) check(cmd *cobra.Command) error {
	if err := need(cmd, "identity", "by", "reason"); err != nil {
		return err
	}
	if len(slices.DeleteFunc([]string{r.to, r.table, r.folder}, func(s string) bool { return s == "" })) != 1 {
		return usage("--to FILE, or --table NAME; of files: --folder DIR", "say where the rows go: one of --to, --table and --folder")
	}
	if r.subject != "" {
		id, ok := retention.ParseSubject(r.subject)
		if !ok {
			return usage("such as person:42", "--subject is TYPE:ID")
		}
		r.pick.Subject = &id
	}
	if r.pick.All && r.pick.Subject == nil {
		return usage("it belongs to --subject", "--whole needs --subject")
	}
	if r.older && r.folder == "" {
		return usage("it belongs to --folder", "--older needs --folder")
	}
	r.from, r.into, _ = strings.Cut(r.table, "=")
	if r.into == "" {
		r.into = r.from
	}
	f, err := os.Open(r.identity)
	if err != nil {
		return usage("a file that age-keygen made", "--identity: %v", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if r.who, err = vault.Identities(f); err != nil {
		return usage("a file that age-keygen made", "--identity: %v", err)
	}
	if _, err := os.Lstat(r.to); r.to != "" && err == nil {
		return usage("name a new file", "--to: %s is there already", r.to)
	}
	return nil
}

// chosen is a segment to restore from.
type chosen struct {
	vault   *vault.Vault
	segment *retention.Segment
}

func (a *app) restore(ctx context.Context, r *restoring) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.knownSubject(r.pick.Subject); err != nil {
		return err
	}
	segments, err := h.choose(ctx, r)
	if err != nil {
		return err
	}
	if err := h.toldAccess(ctx, r, segments); err != nil {
		return err
	}
	if r.folder != "" {
		return a.restoreFiles(ctx, r, segments)
	}
	rows, err := h.restoreRows(ctx, r, segments)
	if err != nil {
		return unverified(err)
	}
	return a.showRestored(r, segments, rows)
}

// choose lists the segments that may have such rows. A bad one among them ends it:
// what is left out must be known.
func (h *house) choose(ctx context.Context, r *restoring) ([]chosen, error) {
	var out []chosen
	err := h.eachSegment(ctx, &r.filter, func(v *vault.Vault, s found) error {
		switch {
		case s.Bad != "" || s.known.Name != "" && !s.known.Expired && !s.counted:
			return fmt.Errorf("%w: segment %s of vault %s: %s; run `retentiond archive verify`", vault.ErrContent, s.Name, s.Vault, s.Bad)
		case r.folder != "" && !ofFiles(s.Segment):
		case s.counted && v.Any(s.Segment, r.pick):
			s.About = nil
			out = append(out, chosen{v, s.Segment})
		}
		return nil
	})
	if err = unverified(err); err == nil && len(out) == 0 {
		err = missing("segment", "that has such rows", "`retentiond archive list` shows the segments")
	}
	return out, err
}

// unverified gives the error of a segment that does not verify its exit code.
func unverified(err error) error {
	if errors.Is(err, vault.ErrContent) {
		return &fault{Code: "unverified", Message: err.Error(), Hint: "`retentiond archive verify` names what is wrong; restore the vault's files from a copy", exit: exitVerify}
	}
	return err
}

// ofFiles reports whether the segment has files.
func ofFiles(s *retention.Segment) bool {
	return slices.ContainsFunc(s.Tables, func(t retention.SegmentTable) bool { return t.Files })
}

// toldAccess audits the access before a row is read: no audit, no access.
func (h *house) toldAccess(ctx context.Context, r *restoring, segments []chosen) error {
	by, err := h.store.Keyed(ctx, "by:"+r.by)
	if err != nil {
		return err
	}
	why, err := h.store.Salted(ctx, r.why)
	if err != nil {
		return err
	}
	data := map[string]any{"what": "archive.restore", "by": by, "reason": why, "segments": len(segments)}
	if s := r.pick.Subject; s != nil {
		if data["subject"], err = h.store.Keyed(ctx, s.String()); err != nil {
			return err
		}
	}
	if _, err := h.store.Record(ctx, audit.Event{Kind: audit.Access, Data: data}); err != nil {
		return fmt.Errorf("no audit, no access: %w", err)
	}
	for _, c := range segments {
		s := c.segment
		_, err := h.store.Record(ctx, audit.Event{Kind: audit.ArchiveRestored, Policy: s.Policy, Rule: s.Rule,
			Data: map[string]any{"vault": s.Vault, "segment": s.Name, "by": by, "reason": why, "to": r.destination()}})
		if err != nil {
			return fmt.Errorf("no audit, no access: %w", err)
		}
	}
	_, err = h.store.Checkpoint(ctx)
	return err
}

func (r *restoring) destination() string {
	switch {
	case r.table != "":
		return "table"
	case r.folder != "":
		return "folder"
	}
	return "file"
}

func (a *app) showRestored(r *restoring, segments []chosen, rows map[string]int64) error {
	var all int64
	for _, n := range rows {
		all += n
	}
	if a.json() {
		return a.document(map[string]any{"segments": len(segments), "rows": rows, "total": all, "to": word(r.to), "table": word(r.into)})
	}
	p := a.printer()
	for _, t := range slices.Sorted(maps.Keys(rows)) {
		p.line("  %s: %s", t, rowsOf(rows[t]))
	}
	to := r.to
	if r.table != "" {
		to = "table " + r.into
	}
	p.line("%s from %s restored to %s.", rowsOf(all), plural(int64(len(segments)), "segment", "segments"), to)
	if all == 0 && r.pick.Subject != nil && !r.pick.All {
		p.line("The index names the person: rows are about them through rows that are elsewhere. --whole gives all rows of these segments.")
	}
	if r.table != "" {
		p.line("The archive stays as it is. In a governed table the rows are due again at the next run, unless a hold keeps them.")
	}
	return p.err
}
