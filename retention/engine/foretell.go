package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// foretell says of a dry run's steps which partitions a run would drop.
func (e *Engine) foretell(ctx context.Context, p *retention.Plan, v *view) error {
	for i := range p.Steps {
		s := &p.Steps[i]
		b := v.find(s)
		if b == nil || !b.Act.Whole {
			continue
		}
		src, err := e.source(ctx, b.Source)
		if err != nil {
			return err
		}
		parts, err := src.Partitions(ctx, b.Selection, v.holdsFor(b))
		if err != nil {
			return fmt.Errorf("reading table %q: %w", s.Table, err)
		}
		s.Whole = &retention.Whole{}
		for _, x := range parts {
			if x.Kept == 0 {
				s.Whole.Partitions++
				s.Whole.Rows += x.Rows
			}
		}
	}
	return nil
}

// partitionsFinding tells which partitions would go now, and where none would, why.
func partitionsFinding(b *bind.Step, parts []retention.Partition) Finding {
	const most = 5
	f := Finding{Level: LevelInfo, Policy: b.Policy.Name, Rule: b.Rule.ID, Dataset: b.Dataset.Name, Source: b.Source, Code: "partitions_whole"}
	var whole []string
	for _, p := range parts {
		if p.Kept == 0 {
			whole = append(whole, fmt.Sprintf("%s (%d rows, before %s)", p.Name, p.Rows, p.Upper))
		}
	}
	table := b.Selection.Table.Name
	switch n := len(whole); {
	case n > 0:
		more := ""
		if n > most {
			whole, more = whole[:most], fmt.Sprintf(" and %d more", n-most)
		}
		f.Message = fmt.Sprintf("partitions of table %q that would be dropped as a whole now: %d, %s%s", table, n, strings.Join(whole, ", "), more)
	case len(parts) > 0:
		f.Level, f.Hint = LevelWarning, "their due rows go one by one; plan counts what is held, protected or not due"
		f.Message = fmt.Sprintf("no partition of table %q would be dropped now: each of the %d whose bounds lie before the cutoff has rows that are kept", table, len(parts))
	default:
		f.Message = fmt.Sprintf("no partition of table %q would be dropped now: none with rows lies before the cutoff %s as a whole, but for the last one", table, stamp(b.Cutoff))
	}
	return f
}
