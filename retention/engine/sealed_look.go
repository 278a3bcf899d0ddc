package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// ExplainedSegment is a segment of a sealed vault that has rows about a person, by
// its keyed index, or that may have a row.
type ExplainedSegment struct {
	Policy  string          `json:"policy"`
	Dataset string          `json:"dataset"`
	Rule    string          `json:"rule"`
	Vault   string          `json:"vault"`
	Segment string          `json:"segment"`
	Rows    int64           `json:"rows"` // of the whole segment
	First   time.Time       `json:"clock_first"`
	Last    time.Time       `json:"clock_last"`
	Ends    time.Time       `json:"ends"`
	Class   retention.Class `json:"class"`
	Because string          `json:"because"`
}

// sealedPlaces adds the segments that an explanation is about. By a key alone
// nobody can tell in which segment a row is.
func (e *Engine) sealedPlaces(ctx context.Context, v *view, req ExplainRequest, out *Explanation) error {
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if !b.Sealed || req.Subject == nil {
			continue
		}
		k, err := e.keeper(b.Vault)
		if err != nil {
			return err
		}
		digests := k.Digests(req.Subject.Type, req.Subject.ID)
		err = e.segments(ctx, v, b, v.holdsFor(b), func(s *retention.Segment, class retention.Class, end time.Time) error {
			if !slices.Contains(s.Types, req.Subject.Type) || !s.MayBeAbout(digests) {
				return nil
			}
			out.Archives = append(out.Archives, ExplainedSegment{
				Policy: s.Policy, Dataset: s.Dataset, Rule: s.Rule, Vault: b.Vault, Segment: s.Name, Rows: s.Rows,
				First: s.First, Last: s.Last, Ends: end.In(b.Policy.Zone), Class: class, Because: becauseSealed(class, end.In(b.Policy.Zone)),
			})
			return nil
		})
		if err != nil {
			return fmt.Errorf("looking into vault %q: %w", b.Vault, err)
		}
	}
	return nil
}

func becauseSealed(class retention.Class, end time.Time) string {
	day := end.Format("2006-01-02")
	switch class {
	case retention.Active:
		return "archived; the segment ends as a whole on " + day
	case retention.Held:
		return "archived; a hold reaches a row of the segment, which stays whole, and is late since " + day
	case retention.Unresolved:
		return "archived; the rule counts from another clock since, or in another zone, so nobody can tell when the segment is over"
	case retention.Protected, retention.Blocked:
		return "archived; a legal minimum protects a row of the segment, or might, and it stays whole since " + day
	}
	return "archived; the segment was to end on " + day + ": the next run ends it"
}

// otherClock says of segments that the rule's clock is not theirs: they never end so.
func otherClock(b *bind.Step, c retention.Classes) string {
	if b == nil || !b.Sealed || c.Unresolved == 0 {
		return ""
	}
	return fmt.Sprintf("%d rows of vault %q were sealed when the rule counted from another clock, or in another time zone (from:, timezone:), or before that was noted, so nobody can tell when they are over, and nothing will ever end them: give the rule its clock back, or decide by hand", c.Unresolved, b.Vault)
}

// sealedHeld counts the rows of a dataset's segments that the holds reach: whole
// segments, since they end as a whole.
func (e *Engine) sealedHeld(ctx context.Context, v *view, p *retention.Policy, d *retention.Dataset, set *retention.HoldSet) (int64, error) {
	var rows int64
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if !b.Sealed || b.Policy != p || b.Dataset.Name != d.Name {
			continue
		}
		j, err := e.segmentJudge(v, b, set)
		if err != nil {
			return rows, err
		}
		err = e.segments(ctx, v, b, set, func(s *retention.Segment, _ retention.Class, _ time.Time) error {
			if j.held(s) {
				rows += s.Rows
			}
			return nil
		})
		if err != nil {
			return rows, fmt.Errorf("counting vault %q: %w", b.Vault, err)
		}
	}
	return rows, nil
}

// strikeSealed removes from missing the identifiers that some segment's index has.
func (e *Engine) strikeSealed(ctx context.Context, typ string, missing map[string]bool) error {
	for _, name := range e.sealedVaults() {
		k := e.Vaults[name].Keeper
		digests := map[uint64][]string{}
		for id := range missing {
			for _, n := range k.Digests(typ, id) {
				digests[n] = append(digests[n], id)
			}
		}
		err := k.Segments(ctx, func(s *retention.Segment) error {
			if !slices.Contains(s.Types, typ) {
				return nil
			}
			for _, n := range s.About {
				for _, id := range digests[n] {
					delete(missing, id)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("looking for subjects: %w", err)
		}
	}
	return nil
}

// sealedVaults names the sealed vaults that can be used, in order.
func (e *Engine) sealedVaults() []string {
	var out []string
	for name, v := range e.Vaults {
		if v.Keeper != nil {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// strayed lists what sealed vaults have that no rule will end, and what is known of
// and cannot be believed or found (L9, L11).
func (e *Engine) strayed(ctx context.Context, v *view) ([]InventoryItem, error) {
	var out []InventoryItem
	for _, name := range e.sealedVaults() {
		known, err := e.knownSegments(ctx, name)
		if err != nil {
			return out, err
		}
		lost := map[[2]string]int64{}
		var bad int64
		err = e.Vaults[name].Keeper.Segments(ctx, func(s *retention.Segment) error {
			ref, ok := known[s.Name]
			delete(known, s.Name)
			switch {
			case !ok || ref.Expired:
			case s.Bad != "" || s.Manifest != ref.Manifest:
				bad++
			case !e.ended(v, name, s):
				lost[[2]string{s.Policy, s.Rule}] += s.Rows
			}
			return nil
		})
		if err != nil {
			return out, fmt.Errorf("looking into vault %q: %w", name, err)
		}
		for _, ref := range known {
			if !ref.Expired {
				bad++
			}
		}
		out = append(out, straysOf(name, lost, bad)...)
	}
	gone, err := e.Unconfigured(ctx)
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		out = append(out, InventoryItem{Vault: name, Table: "(sealed)", NotCounted: true,
			Because: fmt.Sprintf("%s in a vault that the configuration does not have: nothing will ever end what is there, and holds do not look into it; give it its place under `vaults:` back", segmentsAre(gone[name]))})
	}
	return out, err
}

// Unconfigured are the sealed vaults that have segments, with their number, and that the
// configuration does not name.
func (e *Engine) Unconfigured(ctx context.Context) (map[string]int64, error) {
	live, err := e.Store.LiveVaults(ctx)
	maps.DeleteFunc(live, func(name string, _ int64) bool { _, ok := e.Vaults[name]; return ok })
	return live, err
}

func straysOf(vault string, lost map[[2]string]int64, bad int64) []InventoryItem {
	var out []InventoryItem
	for k, rows := range lost {
		out = append(out, InventoryItem{Policy: k[0], Rule: k[1], Vault: vault, Table: "(sealed)", Classes: retention.Classes{Unresolved: rows, Total: rows},
			Because: "archived under a rule that no policy has any more, or in another source: nothing will ever end it; give the rule its name and archive stage back, or decide by hand"})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Policy+"/"+out[i].Rule < out[j].Policy+"/"+out[j].Rule })
	if bad > 0 {
		out = append(out, InventoryItem{Vault: vault, Table: "(sealed)", Because: fmt.Sprintf("%d segments are missing, or their manifests do not verify: run retentiond archive verify", bad)})
	}
	return out
}

// ended reports whether some rule ends the segment, now or once its source is back.
func (e *Engine) ended(v *view, vault string, s *retention.Segment) bool {
	for i := range v.bound.Steps {
		b := &v.bound.Steps[i]
		if b.Sealed && b.Vault == vault && b.Policy.Name == s.Policy && b.Rule.ID == s.Rule && s.SourceUUID == v.servers[b.Source].Gate.SourceUUID {
			return true
		}
	}
	for _, p := range e.allPolicies() {
		for i := range p.Rules {
			if r := &p.Rules[i]; p.Name == s.Policy && r.ID == s.Rule && archivesTo(r, vault) {
				if d := p.Dataset(r.Dataset); d != nil && v.down[d.Source] != nil || boundBadly(v.bound, p.Name, r.ID) {
					return true
				}
			}
		}
	}
	return false
}

func archivesTo(r *retention.Rule, vault string) bool {
	return slices.ContainsFunc(r.Stages, func(st retention.Stage) bool { return st.Action.Kind == retention.Archive && st.Action.Vault == vault })
}

// boundBadly: the rule is there and refused, which is told of it.
func boundBadly(r bind.Result, policy, rule string) bool {
	return slices.ContainsFunc(r.Errors(), func(p bind.Problem) bool { return p.Policy == policy && p.Rule == rule })
}

func segmentsAre(n int64) string {
	if n == 1 {
		return "1 segment is"
	}
	return fmt.Sprintf("%d segments are", n)
}
