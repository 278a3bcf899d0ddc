package vault

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/retentiond/retentiond/retention"
)

// ErrContent says that what was read is not what was sealed. Rows that were given
// out before it was known are worth nothing.
var ErrContent = errors.New("the segment's content is not what was sealed")

// maxLine is the longest line: one row.
const maxLine = 1 << 30

// Read decrypts a segment and calls f with each row and its table. Only once it
// returns without error is it known that the rows are those that were sealed.
func (v *Vault) Read(ctx context.Context, s *retention.Segment, who []age.Identity, f func(t *retention.SegmentTable, row []any) error) error {
	if s.Bad != "" {
		return v.fail(fmt.Errorf("segment %s: %s", s.Name, s.Bad))
	}
	if err := v.atHome(ctx, false); err != nil {
		return err
	}
	r, err := v.store.get(ctx, s.Name+rowsFile)
	if err != nil {
		return v.fail(fmt.Errorf("segment %s: %w", s.Name, err))
	}
	err = errors.Join(readRows(r, s, who, f), r.Close())
	if err != nil {
		return v.fail(fmt.Errorf("segment %s: %w", s.Name, err))
	}
	return nil
}

// hashed counts and hashes what passes.
type hashed struct {
	r io.Reader
	h hash.Hash
	n int64
}

func hashing(r io.Reader) *hashed { return &hashed{r: r, h: sha256.New()} }

// Read reads on.
func (c *hashed) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (c *hashed) is(want retention.SegmentBytes) bool {
	return c.n == want.Bytes && hex.EncodeToString(c.h.Sum(nil)) == want.SHA256
}

func readRows(file io.Reader, s *retention.Segment, who []age.Identity, f func(*retention.SegmentTable, []any) error) error {
	cipher := hashing(file)
	open, err := age.Decrypt(cipher, who...)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return fmt.Errorf("the identity is none of the segment's recipients: %w", err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrContent, err)
	}
	unpacked, err := zstd.NewReader(open, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxLine), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer unpacked.Close()
	plain := hashing(unpacked)
	if err := readLines(plain, s, f); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, cipher); err != nil {
		return err
	}
	if !cipher.is(s.Cipher) || !plain.is(s.Plain) {
		return ErrContent
	}
	return nil
}

// readLines reads the head, then each table's head and rows.
func readLines(plain io.Reader, s *retention.Segment, f func(*retention.SegmentTable, []any) error) error {
	lines := bufio.NewScanner(plain)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	var head segmentLine
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Segment != s.Name {
		return errors.Join(fmt.Errorf("%w: it does not begin as it should", ErrContent), lines.Err())
	}
	at, rows := -1, int64(0)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) > 0 && line[0] == '{' {
			var t tableLine
			if at++; json.Unmarshal(line, &t) != nil || at >= len(s.Tables) || t.Table != s.Tables[at].Name.String() {
				return fmt.Errorf("%w: it has another table than its manifest", ErrContent)
			}
			rows = 0
			continue
		}
		row, err := readRow(line)
		if err != nil || at < 0 {
			return errors.Join(ErrContent, err)
		}
		if rows++; len(row) != len(s.Tables[at].Columns) || rows > s.Tables[at].Rows {
			return fmt.Errorf("%w: table %s has other rows than its manifest says", ErrContent, s.Tables[at].Name)
		}
		if err := f(&s.Tables[at], row); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrContent, err)
	}
	return nil
}

// Identities reads age identities, as age-keygen writes them.
func Identities(r io.Reader) ([]age.Identity, error) {
	ids, err := age.ParseIdentities(r)
	if err != nil {
		return nil, fmt.Errorf("the identity file holds no age identity (AGE-SECRET-KEY-1…): %w", err)
	}
	return ids, nil
}
