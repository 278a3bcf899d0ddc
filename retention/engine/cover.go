package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
	"go.uber.org/zap"
)

// covers are the ways by which the subjects of a hold reach tables, as the
// policies have them now; of datasets alone, where it names some.
func (e *Engine) covers(ctx context.Context, h *retention.Hold) ([]retention.HoldCover, error) {
	if len(h.Subjects) == 0 {
		return nil, nil
	}
	registered, err := e.Store.RegisteredSources(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the registered sources: %w", err)
	}
	uuids := map[string]string{}
	for _, r := range registered {
		uuids[r.Name] = r.UUID
	}
	types := map[string]bool{}
	for _, s := range h.Subjects {
		types[s.Type] = true
	}
	var out []retention.HoldCover
	for _, c := range bind.Cover(e.allPolicies()) {
		named := slices.ContainsFunc(h.Datasets, func(d retention.HoldScope) bool { return d.Dataset == c.Dataset })
		if types[c.Type] && (named || len(h.Datasets) == 0) {
			c.SourceUUID = uuids[c.Source]
			out = append(out, c)
		}
	}
	return out, nil
}

// extendCovers keeps what the holds that have not ended cover by now: datasets
// that came since they were placed.
func (e *Engine) extendCovers(ctx context.Context) error {
	holds, err := e.Store.ListHolds(ctx, "", "")
	if err != nil {
		return refuse(retention.RefuseHoldUnreadable, "holds cannot be read, so nothing acts: %v", err)
	}
	for i := range holds {
		h := &holds[i]
		if h.State == retention.HoldReleased {
			continue
		}
		covers, err := e.covers(ctx, h)
		if err != nil {
			return err
		}
		if covers = newCovers(h.Covers, covers); len(covers) == 0 {
			continue
		}
		if err := e.Store.CoverHold(ctx, h.ID, covers); err != nil {
			return fmt.Errorf("keeping what hold %q covers: %w", h.ID, err)
		}
		e.Log.Debug("a hold covers more than before", zap.String("hold", h.ID))
	}
	return nil
}

// newCovers are the covers of now that a hold does not have yet. Where the
// policies lost a way to the same rows they are left out: that edit is refused,
// and must be possible to take back.
func newCovers(had, now []retention.HoldCover) []retention.HoldCover {
	var out []retention.HoldCover
	for _, c := range now {
		if slices.Contains(had, c) {
			continue
		}
		lost := slices.ContainsFunc(had, func(h retention.HoldCover) bool {
			return sameRows(h, c) && !slices.ContainsFunc(now, func(n retention.HoldCover) bool { return n.Way == h.Way && sameRows(n, h) })
		})
		if !lost {
			out = append(out, c)
		}
	}
	return out
}

// sameRows reports whether two covers are of one type, and of one dataset or table.
func sameRows(a, b retention.HoldCover) bool {
	return a.Type == b.Type && (a.Dataset != "" && a.Dataset == b.Dataset || a.Source == b.Source && a.Table == b.Table)
}

// coverMore keeps what a hold covers once it has more subjects, before it has
// them: whoever reads the subjects reads this too.
func (e *Engine) coverMore(ctx context.Context, h retention.Hold, more []retention.SubjectID) error {
	h.Subjects = append(slices.Clone(h.Subjects), more...)
	covers, err := e.covers(ctx, &h)
	if err == nil {
		err = e.Store.CoverHold(ctx, h.ID, covers)
	}
	return err
}

// uncovered refuses a step where some hold would no longer find rows that it
// held: the policy lost a way to them, or a condition cannot be tested any more
// (L3, L11).
func (v *view) uncovered(b *bind.Step, set *retention.HoldSet) *retention.Refusal {
	if set == nil {
		return nil
	}
	nodes := touched(b)
	for i := range set.Covers {
		for _, n := range nodes {
			if c := &set.Covers[i]; v.covers(b, n, c) && !n.has(c, b.Archived) {
				return refuse(retention.RefuseHoldUnreadable,
					"hold %s reaches table %s through subject %s (%s), which the policies no longer have there: put it back, or release the hold (its rows stay until its grace is over) and place it again",
					c.Hold, c.Table, c.Type, c.Way)
			}
		}
	}
	for i := range set.Scoped {
		for _, n := range nodes {
			if s := &set.Scoped[i]; s.Where != nil && v.sameTable(b, s.Table, n.reach.Table) {
				if err := bind.CheckWhere(b.Selection.Schema, n.reach.Table, s.Where); err != nil {
					return refuse(retention.RefuseHoldUnreadable,
						"the condition of hold %s on table %s cannot be tested: %v; put it back, or release the hold (its rows stay until its grace is over) and place it again", s.Hold, n.reach.Table, err)
				}
			}
		}
	}
	return nil
}

// node is a table that a step changes or asks for holds.
type node struct {
	reach *retention.Reach
	own   bool // the step's own table
	child bool // its reach leaves out the parent that goes
}

// touched lists the step's table, its parents and its children.
func touched(b *bind.Step) []node {
	out := []node{{reach: b.Selection.Reach, own: true}}
	var up func(r *retention.Reach)
	up = func(r *retention.Reach) {
		for i := range r.Parents {
			p := r.Parents[i].Reach
			if p != nil && !slices.ContainsFunc(out, func(n node) bool { return n.reach == p || n.reach.Table == p.Table }) {
				out = append(out, node{reach: p})
				up(p)
			}
		}
	}
	if out[0].reach == nil {
		return nil // the connector refuses a selection without reach
	}
	up(out[0].reach)
	for i := range b.Selection.Blocked {
		if r := b.Selection.Blocked[i].Reach; r != nil {
			out = append(out, node{reach: r, child: true})
		}
	}
	return out
}

// covers reports whether a cover is of the node: of its table, or of the step's
// dataset by its name.
func (v *view) covers(b *bind.Step, n node, c *retention.HoldCover) bool {
	if n.own && c.Dataset == b.Policy.Name+"/"+b.Dataset.Name {
		return true
	}
	home := cmp.Or(b.Home, b.Source)
	here := c.SourceUUID != "" && c.SourceUUID == v.servers[home].Gate.SourceUUID || slices.Contains(v.namesOf(home), c.Source)
	return here && v.sameTable(b, c.Table, n.reach.Table)
}

// sameTable compares tables as the catalogue knows them.
func (v *view) sameTable(b *bind.Step, x, y retention.TableName) bool {
	live := func(t retention.TableName) retention.TableName {
		if l := b.Selection.Schema.Table(t); l != nil {
			return l.Name
		}
		return t
	}
	x, y = live(x), live(y)
	return strings.EqualFold(x.Name, y.Name) && (strings.EqualFold(x.Schema, y.Schema) || x.Schema == "" || y.Schema == "")
}

// has reports whether the way is still there. The vault's copy of a table is
// reached over copies, so there the type alone tells.
func (n node) has(c *retention.HoldCover, archived bool) bool {
	if n.child && !bind.OwnWay(c.Way) {
		return true
	}
	ways := bind.Ways(n.reach, c.Type)
	return ways[c.Way] || archived && len(ways) > 0
}

// follow makes dataset holds cover the table that the dataset's name means now,
// beside the one that it meant when the hold was placed.
func (e *Engine) follow(v *view, source string, h *retention.HoldSet) *retention.HoldSet {
	if h == nil || len(h.Named) == 0 {
		return h
	}
	out := *h
	out.Scoped = slices.Clone(h.Scoped)
	for _, name := range v.namesOf(source) {
		for _, p := range e.asWritten() {
			for i := range p.Datasets {
				if d := &p.Datasets[i]; d.Source == name || d.Source == retention.FleetOf(name) && d.Source != "" {
					out.Scoped = followed(out.Scoped, h.Named, p.Name+"/"+d.Name, v.liveName(source, d.Table))
				}
			}
		}
	}
	if len(out.Scoped) == len(h.Scoped) {
		return h
	}
	return &out
}

func (v *view) liveName(source string, t retention.TableName) retention.TableName {
	if live := v.schemas[source].Table(t); live != nil {
		return live.Name
	}
	return t
}

func followed(scoped, named []retention.ScopedHold, dataset string, t retention.TableName) []retention.ScopedHold {
	for _, s := range named {
		if s.Dataset != dataset || slices.ContainsFunc(scoped, func(o retention.ScopedHold) bool { return o.Hold == s.Hold && o.Dataset == dataset && o.Table == t }) {
			continue
		}
		s.Table = t
		scoped = append(scoped, s)
	}
	return scoped
}

// follows is [Engine.follow] for the holds of a step, with the vault's copies.
func (sw *stepWork) follows(h *retention.HoldSet) *retention.HoldSet {
	return withAliases(atHome(sw.follow(sw.view, sw.step.Source, h), sw.bound), sw.bound.Aliases)
}
