package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/retentiond/retentiond/retention"
)

// plain is the content of a segment in the making, in pieces: it grows without being
// copied, and most of it goes to the segments after it.
type plain struct {
	pieces [][]byte
	bytes  int64
}

// Pieces grow up to one size, of which all large ones are: a batch may have many
// small segments.
const (
	firstPiece = 4 << 10
	fullPiece  = 256 << 10
)

// write adds bytes.
func (p *plain) write(b []byte, from *spare) {
	p.bytes += int64(len(b))
	for len(b) > 0 {
		n := len(p.pieces) - 1
		if n < 0 || len(p.pieces[n]) == cap(p.pieces[n]) {
			p.pieces = append(p.pieces, from.piece(len(p.pieces)))
			n++
		}
		piece := p.pieces[n]
		fits := min(len(b), cap(piece)-len(piece))
		p.pieces[n], b = append(piece, b[:fits]...), b[fits:]
	}
}

// truncate takes away what came after so many bytes.
func (p *plain) truncate(bytes int64) {
	p.bytes = bytes
	for i := range p.pieces {
		size := int64(len(p.pieces[i]))
		if bytes < size {
			p.pieces[i], p.pieces = p.pieces[i][:bytes], p.pieces[:i+1]
			return
		}
		bytes -= size
	}
}

// spare is memory that segments leave to those after them.
type spare struct{ pieces, packers, dense, ciphers sync.Pool }

func (s *spare) piece(before int) []byte {
	if size := firstPiece << (2 * before); before < 3 && size < fullPiece {
		return make([]byte, 0, size)
	}
	if p, ok := s.pieces.Get().(*[]byte); ok {
		return (*p)[:0]
	}
	return make([]byte, 0, fullPiece)
}

func (s *spare) leave(p *plain) {
	for _, piece := range p.pieces {
		if cap(piece) == fullPiece {
			s.pieces.Put(&piece)
		}
	}
	p.pieces = nil
}

func (s *spare) cipher() *bytes.Buffer {
	if b, ok := s.ciphers.Get().(*bytes.Buffer); ok {
		b.Reset()
		return b
	}
	return &bytes.Buffer{}
}

// packer compresses one segment after the other. The signed hashes of the content serve
// as its check sum. dense is of base64, which has nothing else to save.
func (s *spare) packer(to io.Writer, dense bool) (z *zstd.Encoder, from *sync.Pool, err error) {
	if from = &s.packers; dense {
		from = &s.dense
	}
	if z, ok := from.Get().(*zstd.Encoder); ok {
		z.Reset(to)
		return z, from, nil
	}
	z, err = zstd.NewWriter(to, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(256<<10),
		zstd.WithEncoderCRC(false), zstd.WithAllLitEntropyCompression(dense))
	return z, from, err
}

// pack compresses and encrypts the content, and gives its memory back.
func (v *Vault) pack(p *plain, to *bytes.Buffer, dense bool) (open, cipher retention.SegmentBytes, err error) {
	defer v.spare.leave(p)
	lock, err := age.Encrypt(to, v.to...)
	if err != nil {
		return open, cipher, err
	}
	z, from, err := v.spare.packer(lock, dense)
	if err != nil {
		return open, cipher, err
	}
	h := sha256.New()
	for _, piece := range p.pieces {
		h.Write(piece)
		if _, err := z.Write(piece); err != nil {
			return open, cipher, err
		}
	}
	if err := z.Close(); err != nil {
		return open, cipher, err
	}
	z.Reset(nil) // it keeps nobody's content
	from.Put(z)
	if err := lock.Close(); err != nil {
		return open, cipher, err
	}
	return retention.SegmentBytes{Bytes: p.bytes, SHA256: hex.EncodeToString(h.Sum(nil))}, retention.SegmentBytes{Bytes: int64(to.Len()), SHA256: sum(to.Bytes())}, nil
}

// holds reads to the end and compares.
func holds(r io.Reader, want []byte) (bool, error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > len(want) || !bytes.Equal(buf[:n], want[:n]) {
			return false, nil
		}
		want = want[n:]
		if err == io.EOF {
			return len(want) == 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}
