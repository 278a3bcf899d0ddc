package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/retentiond/retentiond/retention"
)

// formRow is what decides which rows a hold covers, beside its subjects.
type formRow struct {
	ID        string `db:"id"`
	State     string `db:"state"`
	Version   int64  `db:"version"`
	Grace     int64  `db:"grace_until"`
	Matter    string `db:"matter"`
	Scoped    bool   `db:"scoped"`
	Scopes    []byte `db:"scopes"`
	Condition []byte `db:"condition"`
	Where     string `db:"where_text"`
	Covers    []byte `db:"covers"`
}

const formColumns = "id, state, version, grace_until, matter, scoped, scopes, condition, where_text, covers"

func (t *tx) formOf(ctx context.Context, hold string) (r formRow, err error) {
	ok, err := t.get(ctx, &r, "SELECT "+formColumns+" FROM holds WHERE id = ?", hold)
	if err == nil && !ok {
		err = retention.ErrNotFound
	}
	return r, err
}

func (r formRow) covers() (all []retention.HoldCover, err error) {
	return all, fromJSON("hold "+r.ID, r.Covers, &all)
}

// form is a SHA-256 over the whole hold as it is stored: matter, datasets,
// condition, its first covers (later ones are only ever added) and every
// subject. An entry shows it keyed: it tells apart who is held.
func (t *tx) form(ctx context.Context, r formRow, covers int) (string, error) {
	all, err := r.covers()
	if err != nil {
		return "", err
	}
	first, err := toJSON(all[:min(covers, len(all))])
	if err != nil {
		return "", err
	}
	h := sha256.New()
	parts(h, r.ID, r.Matter, fmt.Sprint(r.Scoped), string(r.Scopes), string(r.Condition), r.Where, fmt.Sprint(covers), string(first))
	var subjects []subjectRow
	if err := t.all(ctx, &subjects, "SELECT type, subject FROM hold_subjects WHERE hold = ? ORDER BY type, subject", r.ID); err != nil {
		return "", err
	}
	for _, s := range subjects {
		parts(h, s.Type, s.Subject)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// parts writes texts so that no two lists of them are written alike.
func parts(h hash.Hash, texts ...string) {
	for _, s := range texts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
}

// attest puts the whole hold as it now stands into an entry's data.
func (t *tx) attest(ctx context.Context, data map[string]any, hold string, keyed func(string) string) error {
	r, err := t.formOf(ctx, hold)
	if err != nil {
		return err
	}
	covers, err := r.covers()
	if err != nil {
		return err
	}
	form, err := t.form(ctx, r, len(covers))
	if err != nil {
		return err
	}
	data["covers"], data["hold_digest"] = len(covers), keyed(form)
	return nil
}
