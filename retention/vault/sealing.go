package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"filippo.io/age"

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
	ends   *retention.Stage
	table  retention.SealTable
	who    []whoColumn
	parts  map[string]*part
	about  map[uint64]bool // of the whole batch
	types  map[string]bool
	bytes  int
	parent int64 // rows of the rule's table
	line   []byte
	full   []*retention.Segment // of files, whose rows are written, and not their manifests
	times  map[string]int       // how many of a bucket
}

// whoColumn is a column of the table that says whom a row is about.
type whoColumn struct {
	typ   string
	index int
}

// part is one segment in the making.
type part struct {
	rows        bytes.Buffer
	tables      []retention.SegmentTable
	first, last int64
	about       map[uint64]bool
	minimums    map[[2]string]*retention.SegmentMinimum
	files       int64 // that it has something of
	content     int   // bytes of files
}

// Begin begins the segments of one batch.
func (v *Vault) Begin(o retention.SealOrder) retention.Sealing {
	s := &sealing{v: v, o: o, parts: map[string]*part{}, about: map[uint64]bool{}, types: map[string]bool{}}
	s.ends = endOf(o.Rule, o.Stage)
	s.cut = cutOf(s.ends)
	return s
}

// Table begins a table's rows.
func (s *sealing) Table(t retention.SealTable) error {
	if t.Files {
		t.Table = withParts(t.Table)
	}
	s.table, s.who = t, nil
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
	p.rows.Write(s.line)
	s.bytes += len(s.line)
	p.tables[len(p.tables)-1].Rows++
	if !s.table.Child {
		s.parent++
	}
	p.first, p.last = min(p.first, clock), max(p.last, clock)
	for _, w := range s.who {
		for _, id := range idTexts(values[w.index]) {
			for _, n := range s.v.Digests(w.typ, id) {
				p.about[n] = true
			}
		}
	}
	for i, m := range s.table.Minimums {
		p.keep(m, minimums[i])
	}
	if s.bytes > MaxPlain && s.parent > 1 {
		return fmt.Errorf("table %s: the batch's rows take more than %d MiB: %w", s.table.Table.Name, MaxPlain>>20, retention.ErrTooWide)
	}
	return nil
}

// keep notes how far a minimum protects a row.
func (p *part) keep(m retention.Minimum, clock *int64) {
	k := [2]string{m.Policy, m.Rule}
	had := p.minimums[k]
	if had == nil {
		had = &retention.SegmentMinimum{Policy: m.Policy, Rule: m.Rule}
		p.minimums[k] = had
	}
	switch {
	case clock == nil:
	case *clock == math.MaxInt64:
		had.Unknown = true
	case had.Clock.IsZero() || time.UnixMicro(*clock).After(had.Clock):
		had.Clock = time.UnixMicro(*clock).UTC()
	}
}

// part is the segment for a clock, with the table begun in it.
func (s *sealing) part(clock int64) *part {
	name := s.bucket(clock)
	p := s.parts[name]
	if p == nil {
		p = &part{first: math.MaxInt64, last: math.MinInt64, about: map[uint64]bool{}, minimums: map[[2]string]*retention.SegmentMinimum{}}
		s.parts[name] = p
	}
	t := s.table.Table
	if n := len(p.tables); n > 0 && p.tables[n-1].Name == t.Name && p.tables[n-1].Child == s.table.Child {
		return p
	}
	st := retention.SegmentTable{Name: t.Name, Child: s.table.Child, Files: s.table.Files, Key: t.Key, On: s.table.On, Subjects: map[string][]string{}, Fingerprint: t.Fingerprint}
	head := tableLine{Table: t.Name.String(), Child: s.table.Child}
	for _, c := range t.Columns {
		st.Columns = append(st.Columns, retention.SegmentColumn{Name: c.Name, Decl: c.Decl, Kind: c.Kind, Generated: c.Generated})
		head.Columns, head.Types = append(head.Columns, c.Name), append(head.Types, c.Decl)
	}
	for _, sub := range s.table.Subjects {
		if len(sub.Columns) > 0 {
			st.Subjects[sub.Type] = append(st.Subjects[sub.Type], sub.Columns...)
		}
	}
	p.tables = append(p.tables, st)
	line, err := json.Marshal(head)
	if err != nil { // names and types are texts
		line = []byte("{}")
	}
	p.rows.Write(append(line, '\n'))
	return p
}

// tableLine stands before a table's rows.
type tableLine struct {
	Table   string   `json:"table"`
	Child   bool     `json:"child,omitempty"`
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
}

// segmentLine is the first line: the nonce keeps the content's hash, which the
// manifest shows, from being guessed back.
type segmentLine struct {
	Segment string `json:"segment"`
	Nonce   string `json:"nonce"`
}

func (s *sealing) bucket(clock int64) string {
	at := time.UnixMicro(clock)
	if z := s.o.Policy.Zone; z != nil {
		at = at.In(z)
	} else {
		at = at.UTC()
	}
	return at.Format(s.cut)
}

// About adds a subject of the whole batch: to which of its segments it belongs is
// not told, and one too many keeps a segment too long at worst.
func (s *sealing) About(subjectType string, id any) error {
	s.types[subjectType] = true
	for _, text := range idTexts(id) {
		for _, n := range s.v.Digests(subjectType, text) {
			s.about[n] = true
		}
	}
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
	for _, bucket := range slices.Sorted(maps.Keys(s.parts)) {
		seg, cipher, err := s.encrypt(bucket, s.parts[bucket])
		if err != nil {
			return nil, s.v.fail(fmt.Errorf("seal segment %s: %w", bucket, err))
		}
		delete(s.parts, bucket)
		manifest, err := s.v.sign(seg)
		if err == nil {
			err = s.write(ctx, seg, cipher, manifest)
		}
		if err != nil {
			return nil, s.v.fail(fmt.Errorf("write segment %s: %w", seg.Name, err))
		}
		out = append(out, retention.SealedRef{Vault: s.v.o.Name, Name: seg.Name, Rows: seg.Rows, Cipher: seg.Cipher.SHA256, Manifest: sum(manifest)})
	}
	return out, s.v.atHome(ctx, false) // still: what was read back was read from the vault
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
		got, err := s.v.read(ctx, f.name)
		if err != nil {
			return fmt.Errorf("read %s back: %w", f.name, err)
		}
		if !bytes.Equal(got, f.want) {
			return fmt.Errorf("%s is not what was written: the vault's disk or service is at fault", f.name)
		}
	}
	return nil
}

// encrypt makes the ciphertext and all of the manifest but its signature.
func (s *sealing) encrypt(bucket string, p *part) (*retention.Segment, []byte, error) {
	seg := s.segment(s.nth(bucket)+intentPart(s.o.Intent), p)
	head, err := json.Marshal(segmentLine{seg.Name, randomName()})
	if err != nil {
		return nil, nil, err
	}
	plain := slices.Concat(head, []byte("\n"), p.rows.Bytes())
	p.rows = bytes.Buffer{}
	seg.Plain = retention.SegmentBytes{Bytes: int64(len(plain)), SHA256: sum(plain)}
	pack := s.v.zstd
	if p.files > 0 {
		pack = s.v.dense
	}
	packed := pack.EncodeAll(plain, nil)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, s.v.to...)
	if err != nil {
		return nil, nil, err
	}
	if _, err := w.Write(packed); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	seg.Cipher = retention.SegmentBytes{Bytes: int64(out.Len()), SHA256: sum(out.Bytes())}
	return seg, out.Bytes(), nil
}

func (s *sealing) segment(name string, p *part) *retention.Segment {
	o := &s.o
	seg := &retention.Segment{
		Vault: s.v.o.Name, Name: name, Intent: o.Intent, Source: o.Source, SourceUUID: o.SourceUUID,
		Policy: o.Policy.Name, Digest: o.Policy.Digest, Rule: o.Rule.ID, Stage: o.Stage, Meaning: o.Rule.Meaning, Dataset: o.Rule.Dataset,
		Tables: p.tables, First: time.UnixMicro(p.first).UTC(), Last: time.UnixMicro(p.last).UTC(), SealedAt: o.At.UTC(),
		Recipients: s.v.o.Recipients, Types: slices.Sorted(maps.Keys(s.types)),
	}
	var all int64
	for _, t := range p.tables {
		all += t.Rows
		if !t.Child {
			seg.Rows += t.Rows
		}
	}
	if p.files > 0 {
		seg.Rows = p.files
	}
	if seg.Rows == 0 { // children of a row that follows
		seg.Rows = all
	}
	if s.ends != nil {
		seg.Ends = retention.EndOf(seg.Last, o.Policy, o.Rule, s.ends.Keep)
	}
	for _, k := range slices.SortedFunc(maps.Keys(p.minimums), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		seg.Minimums = append(seg.Minimums, *p.minimums[k])
	}
	maps.Copy(p.about, s.about)
	seg.About = slices.Collect(maps.Keys(p.about))
	return seg
}

func randomName() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
	return hex.EncodeToString(b[:])
}
