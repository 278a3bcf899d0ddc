package objects

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"modernc.org/sqlite/vtab"

	"github.com/retentiond/retentiond/retention"
)

// rolls are the rolls that a connection has virtual tables of. Who has the line uses them.
type rolls struct {
	serial  int
	by      map[string]*roll // by the text that the table was made with
	of      map[string]*roll // by the set, those that are in use
	newer   map[string]*roll // by the set, those of a listing in work
	numbers map[*roll]string
}

func newRolls() *rolls {
	return &rolls{by: map[string]*roll{}, of: map[string]*roll{}, newer: map[string]*roll{}, numbers: map[*roll]string{}}
}

// put takes a roll, and returns the statement that makes its table.
func (m *rolls) put(r *roll) string {
	m.serial++
	number := strconv.Itoa(m.serial)
	m.by[number], m.numbers[r] = r, number
	return "CREATE VIRTUAL TABLE main." + quote(r.set.name.Name) + " USING " + rollModule + "(" + number + ")"
}

// settle ends a listing: the rolls of one that is done take the places of those before,
// those of one that is not are given up.
func (m *rolls) settle(sets []*set, done bool) error {
	var errs []error
	for _, s := range sets {
		name := s.name.Name
		r := m.newer[name]
		if delete(m.newer, name); done {
			r, m.of[name] = m.of[name], r
		}
		if r != nil {
			errs = append(errs, m.drop(r))
		}
	}
	return errors.Join(errs...)
}

func (m *rolls) drop(r *roll) error {
	delete(m.by, m.numbers[r])
	delete(m.numbers, r)
	return r.close()
}

func (m *rolls) close() error {
	var errs []error
	for _, r := range m.by {
		errs = append(errs, m.drop(r))
	}
	return errors.Join(errs...)
}

// rollModule is its name in SQL.
const rollModule = "retentiond_roll"

// Columns of a roll, and those of the set after them.
const (
	rollPath = iota
	rollSize
	rollModified
	rollWas
	rollName
	rollStem
	rollLost
	rollOwn
)

// Create makes the table of the roll that has its name.
func (m *rolls) Create(ctx vtab.Context, args []string) (vtab.Table, error) {
	if len(args) < 4 || m.by[args[3]] == nil {
		return nil, errors.New("there is no such listing")
	}
	r := m.by[args[3]]
	cols := []string{quote(retention.FilePath) + " TEXT", quote(retention.FileSize) + " INTEGER", quote(retention.FileModified) + " INTEGER", colWas + " BLOB",
		quote(retention.FileName) + " TEXT", quote(retention.FileStem) + " TEXT", colLost + " INTEGER"}
	for _, c := range r.set.columns {
		cols = append(cols, quote(c.Name)+" TEXT")
	}
	return &rollTable{r}, ctx.Declare("CREATE TABLE x (" + strings.Join(cols, ", ") + ")")
}

// Connect is Create: the database goes with the connection.
func (m *rolls) Connect(ctx vtab.Context, args []string) (vtab.Table, error) {
	return m.Create(ctx, args)
}

type rollTable struct{ *roll }

var _ vtab.Updater = (*rollTable)(nil)

// BestIndex goes by the path where it can, and always in its order. What it finds is
// tested by SQLite again.
func (t *rollTable) BestIndex(info *vtab.IndexInfo) error {
	info.EstimatedCost, info.EstimatedRows = float64(t.n)+1, t.n+1
	var ops []byte
	for i := range info.Constraints {
		c := &info.Constraints[i]
		if !c.Usable || c.Column != rollPath {
			continue
		}
		var op byte
		switch c.Op {
		case vtab.OpEQ, vtab.OpIS:
			op = '='
			info.EstimatedCost, info.EstimatedRows = 1, 1
		case vtab.OpGT, vtab.OpGE:
			op = '>'
		case vtab.OpLT, vtab.OpLE:
			op = '<'
		default:
			continue
		}
		if op != '=' && info.EstimatedRows > 1 {
			info.EstimatedCost, info.EstimatedRows = info.EstimatedCost/4, info.EstimatedRows/4+2
		}
		c.ArgIndex = len(ops)
		ops = append(ops, op)
	}
	info.IdxStr = string(ops)
	info.OrderByConsumed = len(info.OrderBy) == 1 && info.OrderBy[0].Column == rollPath && !info.OrderBy[0].Desc
	return nil
}

// Open makes a cursor.
func (t *rollTable) Open() (vtab.Cursor, error) {
	return &rollCursor{reader: reader{roll: t.roll}}, nil
}

// Disconnect leaves the roll to whoever made it.
func (t *rollTable) Disconnect() error { return nil }

// Destroy is Disconnect.
func (t *rollTable) Destroy() error { return nil }

// Insert is refused: files are put into the roll before it is a table.
func (t *rollTable) Insert([]vtab.Value, *int64) error {
	return errors.New("nothing is added to a listing")
}

// Update takes what the file is now; its name stays.
func (t *rollTable) Update(n int64, cols []vtab.Value, _ *int64) error {
	p, ok := asText(cols[rollPath])
	was, packed := cols[rollWas].([]byte)
	size, sized := cols[rollSize].(int64)
	if !ok || !packed || !sized {
		return errors.New("a file of a listing cannot be that")
	}
	o := Object{Path: p, Size: size}
	if err := o.unpack(was); err != nil {
		return err
	}
	return t.change(n, &o)
}

// Delete takes a file off the listing.
func (t *rollTable) Delete(n int64) error { return t.change(n, nil) }

// Begin begins what Rollback takes back.
func (t *rollTable) Begin() error { t.undo = t.undo[:0]; return nil }

// Commit makes it last.
func (t *rollTable) Commit() error { t.undo = t.undo[:0]; return nil }

// Rollback takes it back.
func (t *rollTable) Rollback() error { t.back(0); return nil }

func asText(v vtab.Value) (string, bool) {
	switch x := v.(type) {
	case string:
		return strings.Clone(x), true
	case []byte:
		return string(x), true
	}
	return "", false
}

// rollCursor walks over a roll, or over a stretch of it.
type rollCursor struct {
	reader
	only   bool   // one path, or up to end
	end    string // with it
	path   string // of the record, once it was asked for
	pathOf int64
	time   vtab.Value // when its file changed, in seconds, once it was asked for
	timeOf int64
}

// Filter goes to where the constraints begin. Values that are no text bound nothing.
func (c *rollCursor) Filter(_ int, ops string, vals []vtab.Value) error {
	from := ""
	c.only, c.end, c.pathOf, c.timeOf = false, "", -1, -1
	for i := range min(len(ops), len(vals)) {
		v, ok := asText(vals[i])
		if !ok {
			continue
		}
		if ops[i] != '<' {
			from = max(from, v)
		}
		if ops[i] != '>' && (!c.only || v < c.end) {
			c.only, c.end = true, v
		}
	}
	return c.seek(from)
}

// Next goes to the next file.
func (c *rollCursor) Next() error { return c.next() }

// Eof is whether the last one is behind.
func (c *rollCursor) Eof() bool {
	return c.n >= c.roll.n || c.only && string(c.rec.path) > c.end
}

// Rowid is the file's number.
func (c *rollCursor) Rowid() (int64, error) { return c.n, nil }

// Close does nothing.
func (c *rollCursor) Close() error { return nil }

// Column is a value of the file.
func (c *rollCursor) Column(i int) (vtab.Value, error) {
	switch {
	case i == rollPath:
		return c.text(), nil
	case i == rollName:
		return path.Base(c.text()), nil
	case i == rollStem:
		return stem(path.Base(c.text())), nil
	case i == rollLost:
		return int64(0), nil
	case i >= rollOwn && i-rollOwn < len(c.rec.cols):
		if v := c.rec.cols[i-rollOwn]; v != nil {
			return string(v), nil
		}
		return nil, nil
	case i >= rollOwn:
		return nil, fmt.Errorf("a listing has no column %d", i)
	}
	return c.state(i)
}

// state is what the file is now.
func (c *rollCursor) state(i int) (vtab.Value, error) {
	o, changed := c.now[c.n]
	if !changed {
		o.Size = c.rec.size
	}
	switch {
	case i == rollSize:
		return o.Size, nil
	case i == rollModified && c.timeOf == c.n: // a test asks for it several times
		return c.time, nil
	case i == rollModified:
		if !changed {
			if err := o.times(c.rec.was); err != nil {
				return nil, err
			}
		}
		c.time, c.timeOf = seconds(o), c.n
		return c.time, nil
	case changed:
		return pack(nil, o), nil
	}
	return c.rec.was, nil
}

func (c *rollCursor) text() string {
	if c.pathOf != c.n {
		c.path, c.pathOf = string(c.rec.path), c.n
	}
	return c.path
}
