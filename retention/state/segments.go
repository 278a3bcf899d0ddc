package state

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// segmentRow is a segment of a sealed vault, as its outcome said.
type segmentRow struct {
	Vault    string `db:"vault"`
	Name     string `db:"name"`
	Intent   string `db:"intent"`
	Policy   string `db:"policy"`
	Rule     string `db:"rule"`
	Total    int64  `db:"total"`
	Cipher   string `db:"cipher"`
	Manifest string `db:"manifest"`
	Expired  int64  `db:"expired_at"`
}

// Segments lists the segments of a sealed vault that were ever sealed, those that
// ended included, by name.
func (s *Store) Segments(ctx context.Context, vault string) (out []retention.KnownSegment, err error) {
	err = s.read(ctx, func(t *tx) error {
		var rows []segmentRow
		err := t.all(ctx, &rows, "SELECT vault, name, intent, policy, rule, total, cipher, manifest, expired_at FROM segments WHERE vault = ? ORDER BY name", vault)
		for _, r := range rows {
			out = append(out, retention.KnownSegment{
				SealedRef: retention.SealedRef{Vault: r.Vault, Name: r.Name, Rows: r.Total, Cipher: r.Cipher, Manifest: r.Manifest},
				Intent:    r.Intent, Policy: r.Policy, Rule: r.Rule, Expired: r.Expired != 0,
			})
		}
		return err
	})
	return out, wrap(err, "list the segments of vault %s", vault)
}

// SealedAnywhere reports whether an outcome names the segment, in whichever vault.
func (s *Store) SealedAnywhere(ctx context.Context, segment string) (is bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		var n int64
		_, err := t.get(ctx, &n, "SELECT count(*) FROM segments WHERE name = ?", segment)
		is = n > 0
		return err
	})
	return is, wrap(err, "look for segment %s", segment)
}

// LiveVaults are the sealed vaults that have segments which did not end, with their number.
func (s *Store) LiveVaults(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := s.read(ctx, func(t *tx) error {
		var rows []struct {
			Vault string `db:"vault"`
			N     int64  `db:"n"`
		}
		err := t.all(ctx, &rows, "SELECT vault, count(*) AS n FROM segments WHERE expired_at = 0 GROUP BY vault")
		for _, r := range rows {
			out[r.Vault] = r.N
		}
		return err
	})
	return out, wrap(err, "list the vaults that have segments")
}

// IntentEnded reports whether the store knows the intent, and whether it has its
// outcome.
func (s *Store) IntentEnded(ctx context.Context, intent string) (known, ended bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		var at int64
		if known, err = t.get(ctx, &at, "SELECT concluded FROM intents WHERE id = ?", intent); err != nil || at == 0 {
			return err
		}
		var text []byte
		if _, err := t.get(ctx, &text, "SELECT outcome FROM intents WHERE id = ? AND outcome IS NOT NULL", intent); err != nil {
			return err
		}
		var o retention.Outcome
		if len(text) > 0 {
			if err := fromJSON("an outcome", text, &o); err != nil {
				return err
			}
		}
		ended = !o.Unknown
		return nil
	})
	return known, ended, wrap(err, "look for intent %s", intent)
}

// segments records what an outcome says of segments, with its entries: a segment
// counts once the outcome of its batch is durable, and never twice.
func (t *tx) segments(ctx context.Context, i retention.Intent, o retention.Outcome) error {
	for _, r := range o.Segments {
		if _, err := t.exec(ctx, `INSERT INTO segments (vault, name, intent, policy, rule, total, cipher, manifest, sealed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.Vault, r.Name, i.ID, i.Policy, i.Rule, r.Rows, r.Cipher, r.Manifest, micros(t.now)); err != nil {
			return fmt.Errorf("segment %s: %w", r.Name, err)
		}
		if err := t.told(ctx, audit.ArchiveSealed, i, r); err != nil {
			return err
		}
	}
	if o.Expired == nil {
		return nil
	}
	if _, err := t.exec(ctx, "UPDATE segments SET expired_at = ? WHERE vault = ? AND name = ?", micros(t.now), o.Expired.Vault, o.Expired.Name); err != nil {
		return err
	}
	return t.told(ctx, audit.ArchiveExpired, i, *o.Expired)
}

func (t *tx) told(ctx context.Context, kind audit.Kind, i retention.Intent, r retention.SealedRef) error {
	data := map[string]any{"vault": r.Vault, "segment": r.Name, "rows": r.Rows, "intent": i.ID, "sha256": r.Cipher, "manifest_sha256": r.Manifest}
	_, err := t.record(ctx, audit.Event{Kind: kind, Run: i.Run, Policy: i.Policy, Rule: i.Rule, Data: data})
	return err
}
