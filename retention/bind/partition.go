package bind

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// whole is whether partitions that are due as a whole may be dropped. A dataset
// that asks for it where it can never happen is refused, since it would go row by
// row in silence; where rows are the right way, a warning says so.
func (b *binder) whole(kind retention.ActionKind, sel *retention.Selection) bool {
	if b.dataset.Partitions != "drop" || !kind.Takes() {
		return false
	}
	const rows = "write partitions: rows"
	t := b.table
	if len(t.RangeKey) == 0 {
		b.fail(retention.RefusePolicyError, rows+" (the default)",
			"partitions: drop: table %q is not partitioned by ranges that can be dropped (PARTITION BY RANGE of PostgreSQL and MariaDB; other engines act by rows)", t.Name)
		return false
	}
	if why := notByClock(t, sel.Clock); why != "" {
		b.fail(retention.RefusePolicyError, rows+", or let the rule run from that column", "partitions: drop: table %q is partitioned by %q, and %s", t.Name, t.RangeKey[0], why)
		return false
	}
	if why := b.byRows(kind); why != "" {
		b.warn("partitions_by_rows", rows+", and this goes away", "partitions of table %q go by rows, never as a whole: %s", t.Name, why)
		return false
	}
	return true
}

// notByClock says why the bounds of partitions tell nothing of the clock.
func notByClock(t *retention.Table, c retention.ClockTest) string {
	if len(c.Members) != 1 || c.Members[0].Related != nil {
		return "the rule's clock is not that one column alone"
	}
	if m := c.Members[0]; m.Column != t.RangeKey[0] {
		return fmt.Sprintf("the rule's clock is %q", m.Column)
	}
	switch col := t.Column(t.RangeKey[0]); {
	case col == nil:
		return "that is no column"
	case col.Kind != retention.KindDate && col.Kind != retention.KindTimestamp && col.Kind != retention.KindTimestampTZ && col.Kind != retention.KindInteger:
		return "bounds of type " + col.Decl + " are not compared with a cutoff"
	}
	return ""
}

// byRows says what has to be done to each row.
func (b *binder) byRows(kind retention.ActionKind) string {
	switch {
	case kind == retention.Archive:
		return "each row is copied before it goes"
	case len(b.dataset.Children) > 0 || len(b.table.Referenced) > 0:
		return "each row takes its children along"
	case len(b.table.Triggers) > 0:
		return "it has triggers"
	}
	return b.table.WholeNot
}
