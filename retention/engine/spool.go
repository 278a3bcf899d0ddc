package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// spoolPage is how many keys one spooled page holds.
const spoolPage = 10_000

// keyHash is a truncated keyed hash of a row's key: enough to recognise the row
// within its page, worth nothing without the plan's secret.
func keyHash(secret []byte, k retention.Key) uint64 {
	return hashOf(hmac.New(sha256.New, secret), k)
}

// hashOf is keyHash under an HMAC that serves one key after the other.
func hashOf(m hash.Hash, k retention.Key) uint64 {
	m.Reset()
	var n [8]byte
	put := func(tag byte, b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		m.Write([]byte{tag})
		m.Write(n[:])
		m.Write(b)
	}
	for _, v := range k {
		switch x := v.(type) {
		case int64:
			put('i', binary.BigEndian.AppendUint64(nil, uint64(x)))
		case float64:
			put('f', binary.BigEndian.AppendUint64(nil, math.Float64bits(x)))
		case string:
			put('s', []byte(x))
		case []byte:
			put('b', x)
		default:
			put('?', fmt.Append(nil, x))
		}
	}
	return binary.BigEndian.Uint64(m.Sum(nil))
}

// spool keeps the due keys of every step that could be approved or run, so that
// `run --plan` acts on exactly these rows. It looks again rather than remember:
// the keys are those of now, and the run tests each again.
func (e *Engine) spool(ctx context.Context, p *retention.Plan) error {
	v, err := e.look(ctx, p.AsOf)
	if err != nil {
		return err
	}
	secret, err := e.Store.SpoolKey(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("making the plan's secret: %w", err)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		b := v.find(s)
		if b == nil || b.Sealed || !spools(p, s) {
			continue
		}
		if err := e.spoolStep(ctx, v, b, p.ID, i, secret); err != nil {
			return fmt.Errorf("keeping the due keys of rule %q: %w", s.Rule, err)
		}
		s.Spooled = true
	}
	return nil
}

// spools: steps that could act, of a size that is kept.
func spools(p *retention.Plan, s *retention.Step) bool {
	if s.ReportOnly || s.Classes.Due == 0 || s.Classes.Due > retention.MaxSpool {
		return false
	}
	for _, r := range p.Refusals {
		if r.Rule != "" && r.About(s) && !r.Approvable {
			return false
		}
	}
	return true
}

func (e *Engine) spoolStep(ctx context.Context, v *view, b *bind.Step, plan string, step int, secret []byte) error {
	src, err := e.source(ctx, b.Source)
	if err != nil {
		return err
	}
	var at retention.Cursor
	m := hmac.New(sha256.New, secret)
	for seq := 0; ; seq++ {
		page, err := src.Page(ctx, b.Selection, v.holdsFor(b), at, spoolPage)
		if err != nil {
			return err
		}
		out := retention.SpoolPage{Seq: seq, Next: page.Next, Hashes: make([]uint64, 0, len(page.Keys))}
		for _, k := range page.Keys {
			out.Hashes = append(out.Hashes, hashOf(m, k))
		}
		if len(page.Keys) == 0 {
			return nil
		}
		if err := e.Store.PutSpool(ctx, plan, step, out); err != nil {
			return err
		}
		at = page.Next
	}
}

// find returns the bound step that a planned step came from.
func (v *view) find(s *retention.Step) *bind.Step {
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if b.Policy.Name == s.Policy && b.Rule.ID == s.Rule && b.Stage == s.Stage && b.Archived == s.Archived && b.Source == s.Source {
			return b
		}
	}
	return nil
}
