package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// work is one batch inside its transaction.
type work struct {
	*Source
	b       *retention.Batch
	q       Session
	holds   *retention.HoldSet
	keys    []retention.Key // the batch's rows: those named, or those of its range
	due     []retention.Key
	list    string                     // the due keys
	changed int64                      // rows that the statements say they changed
	end     func()                     // of the batch's turn
	streams *sqlgen.Query              // removes its range and answers with it while it goes; nil: nothing does
	copies  map[string]int64           // child rows that were copied and are not removed yet, by table
	some    map[int]someRows           // where not all go: the child rows that were copied, by place in the action
	twice   map[string]map[string]bool // keys of child rows that were read
	out     retention.Outcome
}

// Apply does a batch: gate, holds, schema guard, every test again, children,
// rows, receipt, commit. With ChildrenOf, Done and Spared are 0 and Children says
// how many child rows went: the row itself is accounted for by the batch that
// takes it.
func (s *Source) Apply(ctx context.Context, b retention.Batch) (retention.Outcome, error) {
	if err := checkBatch(&b); err != nil {
		return retention.Outcome{}, err
	}
	w := &work{Source: s, b: &b, keys: b.Keys, out: retention.Outcome{Children: map[string]int64{}}}
	if e, ok := s.e.(Exchanger); ok && b.Partition != nil {
		if err := s.aside(ctx, e, w); err != nil {
			return retention.Outcome{}, err
		}
		return w.out, nil
	}
	told := w.tellLater()
	err := s.e.Change(ctx, Shared, s.wait, func(q Session) error {
		w.q = q
		b.Reach(retention.PointBegun)
		if err := w.do(ctx); err != nil {
			return err
		}
		b.Reach(retention.PointCommitting)
		return nil
	})
	if err != nil {
		return retention.Outcome{}, err
	}
	b.Reach(retention.PointCommitted)
	told()
	return w.out, nil
}

// tellLater keeps what the batch tells until it is done: one that is not is tried again.
func (w *work) tellLater() (told func()) {
	trouble := w.b.Trouble
	if trouble == nil {
		return func() {}
	}
	var all []func()
	w.b.Trouble = func(n int64, what string) { all = append(all, func() { trouble(n, what) }) }
	return func() {
		for _, tell := range all {
			tell()
		}
	}
}

func checkBatch(b *retention.Batch) error {
	t := b.Selection.Table
	switch {
	case b.Intent == "":
		return fmt.Errorf("batch has no intent")
	case b.Admit == nil || b.Seal == nil:
		return fmt.Errorf("batch %s can be neither admitted nor sealed", b.Intent)
	case t == nil:
		return fmt.Errorf("batch %s names no table", b.Intent)
	case t.Unsafe != "":
		return refusal(retention.RefuseUnsafeTable, "table %s: %s", t.Name, t.Unsafe)
	}
	for _, c := range b.Action.Children {
		if ct := b.Selection.Schema.Table(c.Table); ct != nil && ct.Volatile != "" {
			return refusal(retention.RefuseUnsafeTable, "child table %s: %s", ct.Name, ct.Volatile)
		}
	}
	return checkExtent(b)
}

// checkExtent: a batch is of named rows, of a range, of a partition, or of something
// that is not in the source.
func checkExtent(b *retention.Batch) error {
	named := len(b.Keys)
	if b.Outside != nil {
		if named > 0 || b.Range != nil || b.Partition != nil || b.ChildrenOf > 0 {
			return fmt.Errorf("batch %s: what it does elsewhere goes without rows", b.Intent)
		}
		return nil
	}
	if b.Partition != nil {
		if named > 0 || b.Range != nil || b.ChildrenOf > 0 || b.Partition.Rows <= 0 {
			return fmt.Errorf("batch %s: a partition goes as a whole, with the number of its rows, and nothing beside", b.Intent)
		}
		return nil
	}
	return checkRows(b, named)
}

func checkRows(b *retention.Batch, named int) error {
	switch {
	case named == 0 && b.Range == nil:
		return fmt.Errorf("batch %s names no rows", b.Intent)
	case named > 0 && b.Range != nil:
		return fmt.Errorf("batch %s names rows and a range: one of them", b.Intent)
	case named > retention.MaxBatch:
		return fmt.Errorf("batch %s names %d rows, at most %d are allowed", b.Intent, named, retention.MaxBatch)
	case b.Range != nil && (b.Range.Most <= 0 || b.ChildrenOf > 0):
		return fmt.Errorf("batch %s: a range says how many rows may be done, and is of whole rows", b.Intent)
	case b.ChildrenOf > 0 && named != 1:
		return fmt.Errorf("batch %s: a batch of children is of one row", b.Intent)
	}
	return nil
}

func (w *work) do(ctx context.Context) error {
	if err := w.admitted(ctx); err != nil {
		return err
	}
	if err := w.foresee(ctx); err != nil {
		return err
	}
	if w.b.Turn != nil {
		w.end = w.b.Turn()
		defer w.ended()
	}
	if w.b.Outside != nil {
		return w.outside(ctx)
	}
	if w.b.Partition != nil {
		return w.partition(ctx)
	}
	if w.b.Range != nil {
		done, err := w.stretch(ctx)
		if err != nil || done {
			return err
		}
	} else if err := w.locks(ctx); err != nil {
		return err
	}
	straight, err := w.straight(ctx)
	if err != nil {
		return err
	}
	steps := []func(context.Context) error{w.classify, w.alone, w.receipt}
	switch {
	case straight:
		steps = steps[2:]
	case w.due != nil:
		w.b.Reach(retention.PointTested)
		steps = steps[1:]
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ended ends the batch's turn, once.
func (w *work) ended() {
	if w.end != nil {
		w.end()
		w.end = nil
	}
}

// admitted passes the gate: the source's row, then the store's word, then the
// schema.
func (w *work) admitted(ctx context.Context) error {
	gate, err := w.ReadGate(ctx, w.q)
	if err != nil {
		return err
	}
	if !gate.Installed {
		return refusal(retention.RefuseGate, "%s has no gate: run check --install", w.e.Name())
	}
	w.b.Reach(retention.PointGated)
	if w.holds, err = w.b.Admit(ctx, gate); err != nil {
		return err
	}
	w.b.Reach(retention.PointAdmitted)
	return w.e.Unchanged(ctx, w.q, w.b.Selection.Schema)
}

func (w *work) gen() (*sqlgen.Gen, error) { return w.Source.Gen(w.b.Selection, w.holds) }

// classify tests every key again and keeps those that are still due.
func (w *work) classify(ctx context.Context) error {
	t := w.b.Selection.Table
	list, err := keyList(t, w.keys)
	if err != nil {
		return err
	}
	if err := distinct(t, w.keys); err != nil {
		return err
	}
	g, err := w.gen()
	if err != nil {
		return err
	}
	q, err := g.Classify(list)
	if err != nil {
		return err
	}
	classes := make([]string, len(w.keys))
	if err := w.classes(ctx, q, classes); err != nil {
		return fmt.Errorf("test table %s again: %w", t.Name, err)
	}
	for i, c := range classes {
		if c == string(retention.Due) {
			w.due = append(w.due, w.keys[i])
		} else if err := spare(&w.out.Spared, c); err != nil {
			return err
		}
	}
	w.b.Reach(retention.PointTested)
	w.list, err = keyList(t, w.due)
	return err
}

func (w *work) classes(ctx context.Context, q sqlgen.Query, into []string) error {
	rows, err := w.q.QueryxContext(ctx, q.Text, q.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var class string
		if err := rows.Scan(&n, &class); err != nil {
			return err
		}
		if n < 0 || n >= len(into) || into[n] != "" {
			return fmt.Errorf("key %d names more than one row", n)
		}
		into[n] = class
	}
	return rows.Err()
}

func distinct(t *retention.Table, keys []retention.Key) error {
	seen := make(map[string]bool)
	numbers := make(map[int64]bool, len(keys))
	for _, k := range keys {
		if n, ok := integer(k); ok && !numbers[n] {
			numbers[n] = true
			continue
		} else if ok {
			return fmt.Errorf("table %s: the batch names a row twice", t.Name)
		}
		text, err := keyJSON(k)
		if err != nil {
			return err
		}
		if seen[text] {
			return fmt.Errorf("table %s: the batch names a row twice", t.Name)
		}
		seen[text] = true
	}
	return nil
}

// spare counts a row that is left, by its class now.
func spare(s *retention.Spared, class string) error {
	switch class {
	case string(retention.Held):
		s.Held++
	case string(retention.Protected):
		s.Protected++
	case string(retention.Blocked):
		s.Blocked++
	case sqlgen.Gone:
		s.Gone++
	case string(retention.Excluded), string(retention.ClassDone), string(retention.Open), string(retention.Unresolved), string(retention.Active):
		s.Changed++
	default:
		return fmt.Errorf("a row has the unknown class %q", class)
	}
	return nil
}

// receipt seals what was done, in the same transaction.
func (w *work) receipt(ctx context.Context) error {
	w.ended() // what is left to do is to write it down
	if w.b.ChildrenOf > 0 {
		w.out.Spared = retention.Spared{}
	}
	w.out.Digest = w.b.Seal(w.out.Done, w.due)
	err := w.insertReceipt(ctx, w.q, retention.Receipt{
		Intent: w.b.Intent, State: retention.ReceiptDone, Rows: w.out.Done, Digest: w.out.Digest, Spared: w.out.Spared, Children: w.out.Children, Segments: w.out.Segments, Copied: w.out.Copied,
	})
	if w.e.Kind(err) == Duplicate {
		return fmt.Errorf("intent %s was settled before: it can never commit: %w", w.b.Intent, err)
	}
	if err != nil {
		return fmt.Errorf("write the receipt of intent %s: %w", w.b.Intent, err)
	}
	w.b.Reach(retention.PointReceipted)
	return nil
}
