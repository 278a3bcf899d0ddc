package sqlwork

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Twin is an engine whose tables can be made again in another database of its kind.
type Twin interface {
	// ColumnsSQL says how the table's columns are declared.
	ColumnsSQL(ctx context.Context, s Session, t *retention.Table) ([]string, error)
	// DeclaredSQL is [Engine].VaultSQL for a table of another database.
	DeclaredSQL(from retention.Declared, into retention.TableName) []string
}

func (s *Source) twin() (Twin, error) {
	t, ok := s.e.(Twin)
	if !ok {
		return nil, refusal(retention.RefusePolicyError, "%s takes and gives no rows of other sources: use a sealed vault", s.e.Name())
	}
	return t, nil
}

// Declare says how another database of this kind can make the tables.
func (s *Source) Declare(ctx context.Context, tables []*retention.Table) ([]retention.Declared, error) {
	var out []retention.Declared
	twin, err := s.twin()
	if err != nil {
		return nil, err
	}
	err = s.e.Look(AtSource(ctx), func(q Session) error {
		out = nil
		for _, t := range tables {
			columns, err := twin.ColumnsSQL(ctx, q, t)
			if err != nil {
				return err
			}
			out = append(out, retention.Declared{Table: t, Columns: columns})
		}
		return nil
	})
	return out, err
}

// MakeVaultOf makes the missing vault tables of tables that are in another database.
func (s *Source) MakeVaultOf(ctx context.Context, from []retention.Declared, into []retention.TableName) error {
	if len(from) != len(into) {
		return fmt.Errorf("vault: %d tables into %d", len(from), len(into))
	}
	return s.e.Change(ctx, Loose, s.wait, func(q Session) error {
		for i, d := range from {
			if err := s.vaultOf(ctx, q, d, into[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// vaultOf makes one table, or finishes one whose making was cut off.
func (s *Source) vaultOf(ctx context.Context, q Session, d retention.Declared, into retention.TableName) error {
	twin, err := s.twin()
	if err != nil {
		return err
	}
	live, err := s.one(ctx, q, into)
	if err != nil {
		return err
	}
	if live == nil {
		for _, text := range twin.DeclaredSQL(d, into) {
			if _, err := q.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("make vault table %s (a type of table %s may be missing in this database): %w", into, d.Table.Name, err)
			}
		}
		if live, err = s.one(ctx, q, into); err != nil {
			return err
		}
	}
	if live == nil {
		return fmt.Errorf("vault table %s was made, and cannot be seen", into)
	}
	if err := fits(d.Table, live); err != nil {
		return err
	}
	if err := keeps(live); err != nil {
		return err
	}
	return s.ownedBy(ctx, q, live)
}

// ownedBy adds the column that says whose copy a row is, and its index.
func (s *Source) ownedBy(ctx context.Context, q Session, live *retention.Table) error {
	var texts []string
	name, column := s.e.Dialect().Table(live.Name).Text, s.e.Dialect().Quote(retention.VaultIntent)
	if live.Column(retention.VaultIntent) == nil {
		texts = append(texts, "ALTER TABLE "+name+" ADD COLUMN "+column+" "+live.Column(retention.VaultRule).Decl)
	}
	if !slices.ContainsFunc(live.Indexes, func(x retention.Index) bool { return slices.Equal(x.Columns, []string{retention.VaultIntent}) }) {
		index := s.e.Dialect().Quote(live.Name.Name + "_intent")
		texts = append(texts, "CREATE INDEX "+index+" ON "+name+" ("+column+")")
	}
	for _, text := range texts {
		if _, err := q.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("complete vault table %s: %w", live.Name, err)
		}
	}
	return nil
}

func (s *Source) one(ctx context.Context, q Session, t retention.TableName) (*retention.Table, error) {
	live, err := s.e.Describe(ctx, q, []retention.TableName{t})
	if err != nil {
		return nil, fmt.Errorf("%s: read the schema: %w", s.e.Name(), err)
	}
	return live.Table(t), nil
}

// Receive writes rows of another source, with a receipt, commits, and compares.
func (s *Source) Receive(ctx context.Context, d retention.Delivery, read func(to retention.RowWriter) error) error {
	r := &receiver{Source: s, d: &d, ctx: ctx, life: -1}
	if err := s.e.Change(ctx, Shared, s.wait, func(q Session) error { return r.write(q, read) }); err != nil {
		return fmt.Errorf("vault %s: %w", s.e.Name(), err)
	}
	if err := s.e.Look(AtSource(ctx), r.compare); err != nil {
		return fmt.Errorf("vault %s: %w", s.e.Name(), err)
	}
	return nil
}

// write is the vault's transaction.
func (r *receiver) write(q Session, read func(to retention.RowWriter) error) (err error) {
	gate, err := r.ReadGate(r.ctx, q)
	if err != nil {
		return err
	}
	if !gate.Installed {
		return refusal(retention.RefuseGate, "%s has no gate: run check --install", r.e.Name())
	}
	if err := r.d.Admit(r.ctx, gate); err != nil {
		return err
	}
	if r.q = q; len(r.d.Keys) > 0 {
		if err := r.lives(r.d.Keys); err != nil {
			return err
		}
	}
	if e, ok := r.e.(Inserter); ok {
		again, err := e.Exact(r.ctx, q)
		if err != nil {
			return err
		}
		defer func() {
			if e := again(r.ctx); err == nil {
				err = e
			}
		}()
	}
	if err := read(r); err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	return r.receipt()
}

func (r *receiver) receipt() error {
	out := retention.Receipt{Intent: r.d.Intent, State: retention.ReceiptDone}
	for _, t := range r.tables {
		if out.Rows += t.rows; t.rows > 0 && !slices.Contains(out.Into, t.into.Name) {
			out.Into = append(out.Into, t.into.Name)
		}
	}
	if err := r.insertReceipt(r.ctx, r.q, out); err != nil {
		if r.e.Kind(err) == Duplicate {
			return fmt.Errorf("intent %s was settled before: its copy can never commit: %w", r.d.Intent, err)
		}
		return fmt.Errorf("write the receipt of intent %s: %w", r.d.Intent, err)
	}
	if r.d.Reached != nil {
		r.d.Reached(retention.PointSealing)
	}
	return nil
}

// receiver takes the rows of one delivery. It is for one goroutine.
type receiver struct {
	*Source
	d      *retention.Delivery
	ctx    context.Context
	q      Session
	life   int64 // of every row of the delivery; -1: not known yet
	tables []*received
	args   []any // of rows that are not inserted yet
	keys   []retention.Key
	rows   int
	bytes  int
}

// received is one kind of rows.
type received struct {
	from *retention.Table
	into *retention.Table
	main bool
	rows int64
	sum  hash.Hash
}

// Chunks: statements take a limited number of rows and bytes, and of arguments what
// the dialect says.
const (
	chunkRows  = 500
	chunkBytes = 1 << 20
)

// Table begins the rows of a table.
func (r *receiver) Table(t retention.SealTable) error {
	if err := r.flush(); err != nil {
		return err
	}
	into, err := r.lasting(r.ctx, r.q, t.Into)
	if err != nil {
		return err
	}
	if into.Column(retention.VaultIntent) == nil {
		return refusal(retention.RefuseSchemaDrift, "%s has no vault table %s for rows of another source", r.e.Name(), t.Into)
	}
	if err := fits(t.Table, into); err != nil {
		return err
	}
	r.tables = append(r.tables, &received{from: t.Table, into: into, main: !t.Child, sum: sha256.New()})
	return nil
}

// About is of no use where a hold finds the rows itself.
func (r *receiver) About(string, any) error { return nil }

// Row takes a row.
func (r *receiver) Row(values []any, clock int64, _ []*int64) error {
	t := r.tables[len(r.tables)-1]
	t.rows++
	r.rows++
	r.bytes += image(t.sum, values)
	for _, v := range values {
		r.args = append(r.args, kept(v))
	}
	r.args = append(r.args, stampOf(clock))
	if t.main {
		r.keys = append(r.keys, keyOf(t.from, values))
	}
	if r.rows >= chunkRows || len(r.args)+r.rows*4 >= r.e.Dialect().Arguments-2*len(values) || r.bytes >= chunkBytes {
		return r.flush()
	}
	return nil
}

// stampOf is a clock as vaults carry it.
func stampOf(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.999999Z")
}

// lives finds the life of the keys: how many rows with the same key came before.
// Children carry their row's, so that all rows of a delivery have one.
func (r *receiver) lives(keys []retention.Key) error {
	into, err := r.one(r.ctx, r.q, r.d.Into.Table)
	if err != nil || into == nil {
		return fmt.Errorf("vault table %s cannot be read: %w", r.d.Into.Table, err)
	}
	t := *into
	t.Key = r.d.Key
	g, err := r.Gen(retention.Selection{
		Schema: &retention.Schema{Tables: map[retention.TableName]*retention.Table{t.Name: &t}}, Table: &t,
		Clock: retention.ClockTest{Any: true}, Reach: &retention.Reach{Table: t.Name},
	}, &retention.HoldSet{})
	if err != nil {
		return err
	}
	list, err := keyList(&t, keys)
	if err != nil {
		return err
	}
	x, err := g.Lives(list)
	if err != nil {
		return err
	}
	var n, least, most int64
	if err := r.q.QueryRowxContext(r.ctx, x.Text, x.Args...).Scan(&n, &least, &most); err != nil {
		return fmt.Errorf("vault table %s: %w", t.Name, err)
	}
	life := most + 1
	if n == 0 {
		life = 0
	}
	if n != 0 && (n != int64(len(keys)) || least != most) || r.life >= 0 && r.life != life {
		return fmt.Errorf("vault table %s: keys that were archived before, and others: %w", t.Name, retention.ErrTooWide)
	}
	r.life = life
	return nil
}

// flush inserts the rows that wait.
func (r *receiver) flush() error {
	if r.rows == 0 {
		return nil
	}
	t := r.tables[len(r.tables)-1]
	if t.main {
		if err := r.lives(r.keys); err != nil {
			return err
		}
	}
	if r.life < 0 {
		return fmt.Errorf("vault table %s: children without their row", t.into.Name)
	}
	text, args := r.insert(t)
	n, err := r.insertExactly(r.ctx, r.q, text, args)
	if err != nil {
		return fmt.Errorf("vault table %s: %w", t.into.Name, r.e.Explain(t.into, err))
	}
	err = exactly(t.into.Name, "copied", n, int64(r.rows))
	r.args, r.keys, r.rows, r.bytes = r.args[:0], r.keys[:0], 0, 0
	return err
}

// insert renders the statement for the rows that wait.
func (r *receiver) insert(t *received) (string, []any) {
	d, width := r.e.Dialect(), len(t.from.Columns)+1
	names := make([]string, 0, width+4)
	for _, c := range t.from.Columns {
		names = append(names, d.Quote(c.Name))
	}
	for _, n := range append(added(), retention.VaultLife, retention.VaultIntent) {
		names = append(names, d.Quote(n))
	}
	same := []any{r.d.Into.Rule, r.d.Into.At.UTC().Format(time.RFC3339), r.life, r.d.Intent}
	args := make([]any, 0, r.rows*(width+len(same)))
	rows := make([]sqlgen.SQL, r.rows)
	for i := range rows {
		args = append(append(args, r.args[i*width:(i+1)*width]...), same...)
		values := make([]sqlgen.SQL, width+len(same))
		for j := range values {
			values[j] = sqlgen.Arg(place(i*len(values) + j))
		}
		rows[i] = sqlgen.Format("(%s)", sqlgen.Join(", ", values...))
	}
	x := d.Query(sqlgen.Format("INSERT INTO %s ("+strings.Join(names, ", ")+") VALUES %s", d.Table(t.into.Name), sqlgen.Join(", ", rows...)))
	return x.Text, args
}
