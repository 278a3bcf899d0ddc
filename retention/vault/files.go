package vault

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

var _ retention.FileWriter = (*sealing)(nil)

// partSize is the most content that one row has.
const partSize = 1 << 20

// withParts is the listing's table with the columns that parts of files have.
func withParts(t *retention.Table) *retention.Table {
	out := *t
	out.Columns = append(slices.Clip(t.Columns),
		retention.Column{Name: retention.SealedPart, Decl: "INTEGER", Kind: retention.KindInteger},
		retention.Column{Name: retention.SealedSHA256, Decl: "TEXT", Kind: retention.KindText},
		retention.Column{Name: retention.SealedContent, Decl: "BLOB", Kind: retention.KindBytes})
	return &out
}

// File takes a file in parts. Segments that are full on the way are written at once,
// so that memory does not grow with the file.
func (s *sealing) File(ctx context.Context, clock int64, minimums []*int64, next retention.NextContent) error {
	if !s.table.Files {
		return fmt.Errorf("table %s has no files", s.table.Table.Name)
	}
	_, at := s.moment(clock)
	back := s.mark(at)
	s.filing = filing{clock: clock, minimums: minimums, alone: s.parent == 0}
	for {
		values, r, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.content(ctx, values, r)
		}
		if err != nil {
			if e := back(ctx); e != nil { // not that the file was left: what came before it may be lost
				return fmt.Errorf("%w; before that: %s", e, err.Error())
			}
			return err
		}
	}
}

// filing is a file on its way.
type filing struct {
	clock    int64
	minimums []*int64
	alone    bool  // no other is in the batch before it
	in       *part // that counts it
	buf      []byte
}

// content takes one content of the file.
func (s *sealing) content(ctx context.Context, values []any, r io.ReadCloser) (err error) {
	if r == nil {
		return s.filePart(ctx, append(slices.Clip(values), int64(0), nil, nil))
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if s.filing.buf == nil {
		s.filing.buf = make([]byte, partSize)
	}
	in, h := bufio.NewReader(r), sha256.New()
	for number := int64(0); ; number++ {
		content, last, err := nextPart(in, s.filing.buf)
		if err != nil {
			return err
		}
		h.Write(content)
		var sum any
		if last {
			sum = hex.EncodeToString(h.Sum(nil))
		}
		if err := s.filePart(ctx, append(slices.Clip(values), number, sum, content)); err != nil || last {
			return err
		}
	}
}

// nextPart reads a part, and looks whether it is the last one.
func nextPart(r *bufio.Reader, buf []byte) (content []byte, last bool, err error) {
	n, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return buf[:n], true, nil
	}
	if err == nil {
		_, err = r.Peek(1)
	}
	if errors.Is(err, io.EOF) {
		return buf[:n], true, nil
	}
	return buf[:n], false, err
}

// fullRows is how many bytes of rows make a segment full, where one file has them all.
const fullRows = 12 << 20

// filePart takes one part, whose row it is. A segment that is full of the file is
// written before.
func (s *sealing) filePart(ctx context.Context, row []any) error {
	f := &s.filing
	_, at := s.moment(f.clock)
	if p := s.parts[at]; p != nil && p == f.in && (p.content >= retention.MaxContent || f.alone && p.rows.bytes >= fullRows) {
		if err := s.writeFull(ctx, at); err != nil {
			return err
		}
	}
	if err := s.Row(row, f.clock, f.minimums); err != nil {
		return err
	}
	p := s.parts[at]
	if p != f.in {
		p.files++
		f.in = p
	}
	if content, ok := row[len(row)-1].([]byte); ok {
		p.content += len(content)
	}
	return nil
}

// writeFull writes the rows of a segment that is full. Its manifest, without which it
// does not exist, follows in the end.
func (s *sealing) writeFull(ctx context.Context, at moment) error {
	if len(s.full) == 0 {
		if err := s.v.atHome(ctx, true); err != nil {
			return err
		}
	}
	p := s.parts[at]
	seg, cipher, err := s.encrypt(p)
	if err != nil {
		return s.v.fail(fmt.Errorf("seal segment %s: %w", p.name, err))
	}
	s.drop(at)
	s.bytes = 0
	s.full = append(s.full, seg)
	if err := s.v.store.put(ctx, seg.Name+rowsFile, cipher.Bytes()); err != nil {
		return s.v.fail(fmt.Errorf("write segment %s: %w", seg.Name, err))
	}
	s.v.spare.ciphers.Put(cipher)
	if s.o.Reached != nil {
		s.o.Reached(retention.PointSealing)
	}
	return nil
}

// drop forgets the segment in the making.
func (s *sealing) drop(at moment) {
	delete(s.parts, at)
	s.last = nil
}

// sealFull completes the segments whose rows were written on the way.
func (s *sealing) sealFull(ctx context.Context) ([]retention.SealedRef, error) {
	var out []retention.SealedRef
	for _, seg := range s.full {
		if err := ctx.Err(); err != nil { // a directory does not ask
			return nil, err
		}
		seg.About = distinct(append(seg.About, s.about...))
		manifest, err := s.v.sign(seg)
		if err == nil {
			err = s.complete(ctx, seg, manifest)
		}
		if err != nil {
			return nil, s.v.fail(fmt.Errorf("write segment %s: %w", seg.Name, err))
		}
		out = append(out, retention.SealedRef{Vault: s.v.o.Name, Name: seg.Name, Rows: seg.Rows, Cipher: seg.Cipher.SHA256, Manifest: sum(manifest)})
	}
	return out, nil
}

// complete puts the manifest, and compares what can be read with what was meant.
func (s *sealing) complete(ctx context.Context, seg *retention.Segment, manifest []byte) error {
	if err := s.v.store.put(ctx, seg.Name+manifestFile, manifest); err != nil {
		return err
	}
	if err := s.v.store.sync(ctx); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		want retention.SegmentBytes
	}{{seg.Name + rowsFile, seg.Cipher}, {seg.Name + manifestFile, retention.SegmentBytes{Bytes: int64(len(manifest)), SHA256: sum(manifest)}}} {
		r, err := s.v.store.get(ctx, f.name)
		if err != nil {
			return fmt.Errorf("read %s back: %w", f.name, err)
		}
		h := hashing(r)
		_, err = io.Copy(io.Discard, h)
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("read %s back: %w", f.name, err)
		}
		if !h.is(f.want) {
			return fmt.Errorf("%s is not what was written: the vault's disk or service is at fault", f.name)
		}
	}
	return nil
}

// mark remembers what a bucket has, and returns what takes away what came after.
// What subjects and minimums a file added stays: it keeps a segment too long at worst.
func (s *sealing) mark(at moment) (back func(context.Context) error) {
	full, bytes, parent := len(s.full), s.bytes, s.parent
	var had part
	p, rows := s.parts[at], int64(0)
	if p != nil {
		had, rows = *p, p.rows.bytes
		had.tables = slices.Clone(p.tables)
	}
	return func(ctx context.Context) error {
		var err error
		for _, seg := range s.full[full:] {
			err = errors.Join(err, s.v.store.remove(ctx, seg.Name+rowsFile))
		}
		switch {
		case len(s.full) > full && parent > 0:
			err = errors.Join(err, fmt.Errorf("files %s: files that were sealed before it are in one segment with a file that changed: nothing was done", s.table.Table.Name))
		case len(s.full) > full, p == nil:
			s.drop(at)
		default:
			p.rows.truncate(rows)
			p.tables, p.first, p.last, p.files, p.content = had.tables, had.first, had.last, had.files, had.content
		}
		s.full, s.bytes, s.parent, s.last = s.full[:full], bytes, parent, nil
		return err
	}
}

// nth is the name of the bucket's next segment: those of one batch in order.
func (s *sealing) nth(bucket string) string {
	if s.times == nil {
		s.times = map[string]int{}
	}
	n := s.times[bucket]
	s.times[bucket]++
	if n == 0 {
		return bucket
	}
	return fmt.Sprintf("%s_%05d", bucket, n)
}
