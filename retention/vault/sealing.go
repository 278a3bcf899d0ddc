package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// MaxPlain is the most bytes of rows that one batch takes: more are
// [retention.ErrTooWide], unless they are one row's.
const MaxPlain = 16 << 20

// sealing is one batch on its way into segments; one for each month (day, hour) of
// the rule's clock.
type sealing struct {
	v      *Vault
	o      retention.SealOrder
	cut    string // layout of the buckets' names
	zone   *time.Location
	ends   *retention.Stage
	table  retention.SealTable
	child  string // the table's name, of child rows
	who    []whoColumn
	parts  map[moment]*part
	last   *part // that a row went to, of the moment lastAt; nil: a table begins
	lastAt moment
	about  []uint64 // of the whole batch
	types  map[string]bool
	digest digester
	bytes  int
	parent int64 // rows of the rule's table
	line   []byte
	filing filing               // the file on its way
	full   []*retention.Segment // of files, whose rows are written, and not their manifests
	times  map[string]int       // how many of a bucket
}

// whoColumn is a column of the table that says whom a row is about.
type whoColumn struct {
	typ   string
	index int
}

// Begin begins the segments of one batch.
func (v *Vault) Begin(o retention.SealOrder) retention.Sealing {
	s := &sealing{v: v, o: o, zone: time.UTC, parts: map[moment]*part{}, types: map[string]bool{}, digest: v.digester()}
	if o.Policy.Zone != nil {
		s.zone = o.Policy.Zone
	}
	s.ends = endOf(o.Rule, o.Stage)
	s.cut = cutOf(s.ends)
	return s
}

// Table begins a table's rows.
func (s *sealing) Table(t retention.SealTable) error {
	if t.Files {
		t.Table = withParts(t.Table)
	}
	s.table, s.child, s.who, s.last = t, "", nil, nil
	if t.Child {
		s.child = t.Table.Name.String()
	}
	for _, sub := range t.Subjects {
		s.types[sub.Type] = true
		for _, name := range sub.Columns {
			for i := range t.Table.Columns {
				if t.Table.Columns[i].Name == name {
					s.who = append(s.who, whoColumn{sub.Type, i})
				}
			}
		}
	}
	return nil
}

// Row takes one row.
func (s *sealing) Row(values []any, clock int64, minimums []*int64) (err error) {
	if len(values) != len(s.table.Table.Columns) || len(minimums) != len(s.table.Minimums) {
		return fmt.Errorf("table %s: a row has %d values and %d minimums", s.table.Table.Name, len(values), len(minimums))
	}
	if clock == math.MaxInt64 {
		return fmt.Errorf("table %s: a row without a clock would never end", s.table.Table.Name)
	}
	p := s.part(clock)
	s.line = append(s.line[:0], '[')
	for i, v := range values {
		if i > 0 {
			s.line = append(s.line, ',')
		}
		if s.line, err = appendValue(s.line, v); err != nil {
			return fmt.Errorf("table %s, column %s: %w", s.table.Table.Name, s.table.Table.Columns[i].Name, err)
		}
	}
	s.line = append(s.line, "]\n"...)
	p.rows.write(s.line, &s.v.spare)
	s.bytes += len(s.line)
	p.tables[len(p.tables)-1].Rows++
	if !s.table.Child {
		s.parent++
	}
	p.first, p.last = min(p.first, clock), max(p.last, clock)
	for _, w := range s.who {
		p.about = s.digest.value(p.about, w.typ, values[w.index])
	}
	for i := range s.table.Minimums {
		p.keep(&s.table.Minimums[i], s.child, minimums[i])
	}
	if s.bytes > MaxPlain && s.parent > 1 {
		return fmt.Errorf("table %s: the batch's rows take more than %d MiB: %w", s.table.Table.Name, MaxPlain>>20, retention.ErrTooWide)
	}
	return nil
}

// About adds a subject of the whole batch: to which of its segments it belongs is
// not told, and one too many keeps a segment too long at worst.
func (s *sealing) About(subjectType string, id any) error {
	s.types[subjectType] = true
	s.about = s.digest.value(s.about, subjectType, id)
	return nil
}

// Seal writes the segments, and reads each one back.
func (s *sealing) Seal(ctx context.Context) ([]retention.SealedRef, error) {
	if err := s.v.atHome(ctx, true); err != nil {
		return nil, err
	}
	out, err := s.sealFull(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.SortedFunc(maps.Values(s.parts), func(a, b *part) int { return strings.Compare(a.name, b.name) }) {
		ref, err := s.seal(ctx, p)
		if err != nil {
			return nil, s.v.fail(fmt.Errorf("write segment %s: %w", p.name, err))
		}
		out = append(out, ref)
	}
	if err := s.v.atHome(ctx, false); err != nil { // still: what was read back was read from the vault
		return out, err
	}
	return out, s.v.Fits(ctx) // another copy of the state store may take a batch for one that never commits
}

// seal makes one segment.
func (s *sealing) seal(ctx context.Context, p *part) (ref retention.SealedRef, err error) {
	seg, cipher, err := s.encrypt(p)
	if err != nil {
		return ref, err
	}
	manifest, err := s.v.sign(seg)
	if err == nil {
		err = s.write(ctx, seg, cipher.Bytes(), manifest)
	}
	if err != nil { // a request that was given up may still read what it sends
		return ref, err
	}
	s.v.spare.ciphers.Put(cipher)
	return retention.SealedRef{Vault: s.v.o.Name, Name: seg.Name, Rows: seg.Rows, Cipher: seg.Cipher.SHA256, Manifest: sum(manifest)}, nil
}

// encrypt makes the ciphertext and all of the manifest but its signature.
func (s *sealing) encrypt(p *part) (seg *retention.Segment, cipher *bytes.Buffer, err error) {
	seg, cipher = s.segment(p), s.v.spare.cipher()
	seg.Plain, seg.Cipher, err = s.v.pack(&p.rows, cipher, p.files > 0)
	return seg, cipher, err
}

// write puts rows and manifest, and compares what can be read with what was meant.
func (s *sealing) write(ctx context.Context, seg *retention.Segment, cipher, manifest []byte) error {
	if err := s.v.store.put(ctx, seg.Name+rowsFile, cipher); err != nil {
		return err
	}
	if s.o.Reached != nil {
		s.o.Reached(retention.PointSealing)
	}
	if err := s.v.store.put(ctx, seg.Name+manifestFile, manifest); err != nil {
		return err
	}
	if err := s.v.store.sync(ctx); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		want []byte
	}{{seg.Name + rowsFile, cipher}, {seg.Name + manifestFile, manifest}} {
		same, err := s.v.holds(ctx, f.name, f.want)
		if err != nil {
			return fmt.Errorf("read %s back: %w", f.name, err)
		}
		if !same {
			return fmt.Errorf("%s is not what was written: the vault's disk or service is at fault", f.name)
		}
	}
	return nil
}

func randomName() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
	return hex.EncodeToString(b[:])
}
