package objects

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
)

// roll is a listing of files of which nothing but their names and themselves tells: a
// file of records in order of their paths, that only this process can open and that goes
// with it. Every query of a listing reads it through a virtual table; see [rolls]. It is
// what a table of SQLite would be, without the cost of one.
type roll struct {
	set    *set
	file   *os.File
	w      *bufio.Writer
	at     int64   // where the next record goes, in bytes
	blocks []block // in order
	n      int64   // records
	last   string  // path
	gone   []uint64
	now    map[int64]Object // records that are no longer so, by number
	undo   []undone
	room   []byte // of the record that is added
	was    []byte // of its file's state
}

// block is where some records begin.
type block struct {
	off   int64
	first string
}

// perBlock is how many records are read at once.
const perBlock = 256

// undone is how a record was before the transaction changed it.
type undone struct {
	n    int64
	gone bool
	now  Object
	had  bool
}

// errDisorder says that a path does not follow the one before.
var errDisorder = errors.New("paths come in no order")

func newRoll(s *set) (*roll, error) {
	f, err := os.CreateTemp("", "retentiond-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &roll{set: s, file: f, w: bufio.NewWriterSize(f, 1<<16), now: map[int64]Object{}}, nil
}

// add puts a file after those before.
func (r *roll) add(o Object) error {
	switch {
	case r.n > 0 && o.Path == r.last: // it was made anew while its folder was read
		return nil
	case r.n > 0 && o.Path < r.last:
		return errDisorder
	}
	if r.n%perBlock == 0 {
		r.blocks = append(r.blocks, block{r.at, o.Path})
	}
	b := binary.AppendUvarint(r.room[:0], uint64(len(o.Path)))
	b = append(b, o.Path...)
	b = binary.AppendVarint(b, o.Size)
	r.was = pack(r.was[:0], o)
	b = binary.AppendUvarint(b, uint64(len(r.was)))
	b = append(b, r.was...)
	for i := range r.set.columns {
		v, ok := r.set.columns[i].of(o.Path).(string)
		if !ok {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	r.room = b
	n, err := r.w.Write(b)
	r.at, r.n, r.last = r.at+int64(n), r.n+1, o.Path
	return err
}

// ready ends the writing.
func (r *roll) ready() error {
	r.gone = make([]uint64, (r.n+63)/64)
	return r.w.Flush()
}

func (r *roll) close() error { return r.file.Close() }

func (r *roll) isGone(n int64) bool { return r.gone[n/64]&(1<<(n%64)) != 0 }

// change makes a record be gone, or be another, and keeps how it was.
func (r *roll) change(n int64, now *Object) error {
	if n < 0 || n >= r.n {
		return fmt.Errorf("listing: there is no record %d", n)
	}
	had, was := r.now[n]
	r.undo = append(r.undo, undone{n, r.isGone(n), had, was})
	if now == nil {
		r.gone[n/64] |= 1 << (n % 64)
	} else {
		r.now[n] = *now
	}
	return nil
}

// forget takes off what is gone for good: nothing brings it back, whatever becomes of
// the transaction. The paths are in order; what is returned is how many were there.
func (r *roll) forget(paths []string) (n int64, err error) {
	x := reader{roll: r}
	for _, p := range paths {
		if err := x.seek(p); err != nil {
			return n, err
		}
		if x.n < r.n && string(x.rec.path) == p {
			r.gone[x.n/64] |= 1 << (x.n % 64)
			n++
		}
	}
	return n, nil
}

// back takes changes back, the newest first, until so many are left.
func (r *roll) back(to int) {
	for len(r.undo) > to {
		u := r.undo[len(r.undo)-1]
		r.undo = r.undo[:len(r.undo)-1]
		if !u.gone {
			r.gone[u.n/64] &^= 1 << (u.n % 64)
		}
		if delete(r.now, u.n); u.had {
			r.now[u.n] = u.now
		}
	}
}

// reader reads records one after the other.
type reader struct {
	*roll
	buf  []byte // of the block
	rest []byte
	n    int64 // number of the record
	more int64 // records of the block that are not read
	rec  record
}

// record is one as it was written. It is good until the next one is read.
type record struct {
	path []byte
	size int64
	was  []byte
	cols [][]byte // nil: NULL
}

// seek goes to the first record that is not before the path.
func (x *reader) seek(path string) error {
	i := max(0, sort.Search(len(x.blocks), func(i int) bool { return x.blocks[i].first > path })-1)
	here := x.buf != nil && x.n < x.roll.n && x.n/perBlock == int64(i) && string(x.rec.path) <= path
	if !here {
		if err := x.block(i); err != nil {
			return err
		}
	}
	for x.n < x.roll.n && (string(x.rec.path) < path || x.isGone(x.n)) {
		if err := x.step(); err != nil {
			return err
		}
	}
	return nil
}

// block reads a block, and its first record.
func (x *reader) block(i int) error {
	x.n, x.more = int64(i)*perBlock, 0
	if x.n >= x.roll.n {
		x.n = x.roll.n
		return nil
	}
	end := x.at
	if i+1 < len(x.blocks) {
		end = x.blocks[i+1].off
	}
	size := int(end - x.blocks[i].off)
	x.buf = slices.Grow(x.buf[:0], size)[:size]
	if _, err := x.file.ReadAt(x.buf, x.blocks[i].off); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("listing: %w", err)
	}
	x.rest, x.more = x.buf, min(perBlock, x.roll.n-x.n)
	return x.decode()
}

// next goes to the next record that is there.
func (x *reader) next() error {
	for {
		if err := x.step(); err != nil || x.n >= x.roll.n || !x.isGone(x.n) {
			return err
		}
	}
}

func (x *reader) step() error {
	x.n++
	if x.n >= x.roll.n {
		return nil
	}
	if x.more == 0 {
		return x.block(int(x.n / perBlock))
	}
	return x.decode()
}

var errRecord = errors.New("listing: a record cannot be read back")

func (x *reader) decode() error {
	x.more--
	r := &x.rec
	if r.path = x.bytes(); r.path == nil {
		return errRecord
	}
	size, n := binary.Varint(x.rest)
	if n <= 0 {
		return errRecord
	}
	x.rest, r.size = x.rest[n:], size
	if r.was = x.bytes(); r.was == nil {
		return errRecord
	}
	r.cols = r.cols[:0]
	for range x.set.columns {
		if len(x.rest) == 0 {
			return errRecord
		}
		there := x.rest[0] == 1
		x.rest = x.rest[1:]
		var v []byte
		if there {
			if v = x.bytes(); v == nil {
				return errRecord
			}
		}
		r.cols = append(r.cols, v)
	}
	return nil
}

// bytes takes a length and so many bytes; nil: they are not there.
func (x *reader) bytes() []byte {
	size, n := binary.Uvarint(x.rest)
	if n <= 0 || size > uint64(len(x.rest)-n) {
		return nil
	}
	b := x.rest[n : n+int(size) : n+int(size)]
	x.rest = x.rest[n+int(size):]
	if b == nil {
		b = []byte{}
	}
	return b
}

// object is the record's file as the listing has it now.
func (x *reader) object() (o Object, err error) {
	if now, changed := x.now[x.n]; changed {
		return now, nil
	}
	o.Path, o.Size = string(x.rec.path), x.rec.size
	return o, o.unpack(x.rec.was)
}

// pick are the files of those paths, which are in order.
func (r *roll) pick(paths []string) ([]seen, error) {
	out := make([]seen, 0, len(paths))
	x := reader{roll: r}
	for _, p := range paths {
		if err := x.seek(p); err != nil {
			return nil, err
		}
		if x.n >= r.n || string(x.rec.path) != p {
			continue
		}
		o, err := x.object()
		if err != nil {
			return nil, err
		}
		out = append(out, seen{Object: o})
	}
	return out, nil
}
