package objects

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxLine is the longest line that is read as one; a longer one is left as it is.
const maxLine = 1 << 20

// Rewritten is what became of a file's lines.
type Rewritten struct {
	Changed int64 // lines with something to mask
	Left    int64 // lines that are not understood, and were left as they are
}

// Form is what a file is to look like.
type Form interface {
	// Write writes what becomes of src. Where it is not understood, that is an error
	// ([ErrUnread]).
	Write(dst io.Writer, src io.Reader) (Rewritten, error)
}

var _ Form = mask{}

// heads are what other forms of files begin with.
var heads = []string{"\xfd7zXZ\x00", "BZh", "\x04\x22\x4d\x18", "PK\x03\x04", "\x1f\x9d", "%PDF", "SQLite format 3"}

// Write masks the lines of a text, which may be under gzip or zstd: then so is what
// it writes.
func (m mask) Write(dst io.Writer, src io.Reader) (Rewritten, error) {
	from, to := &noting{r: src}, &noting{w: dst}
	in := bufio.NewReaderSize(from, 1<<16)
	head, err := in.Peek(4)
	write := m.text
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		write = m.gzip
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")), len(head) == 4 && head[0]&0xf0 == 0x50 && string(head[1:]) == "\x2a\x4d\x18":
		write = m.zstd
	}
	var out Rewritten
	if err == nil || errors.Is(err, io.EOF) {
		out, err = write(to, in)
	}
	switch {
	case from.err != nil:
		err = from.err
	case to.err != nil:
		err = to.err
	case err != nil && !errors.Is(err, ErrUnread):
		err = fmt.Errorf("%w: %w", ErrUnread, err)
	}
	return out, err
}

// noting remembers what went wrong outside.
type noting struct {
	r   io.Reader
	w   io.Writer
	err error
}

// Read reads on.
func (x *noting) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		x.err = err
	}
	return n, err
}

// Write writes on.
func (x *noting) Write(p []byte) (int, error) {
	n, err := x.w.Write(p)
	if err != nil {
		x.err = err
	}
	return n, err
}

// gzip joins the members of a file into one; the name, time and remark of the first
// stay.
func (m mask) gzip(dst io.Writer, src *bufio.Reader) (out Rewritten, err error) {
	r, err := gzip.NewReader(src)
	if err != nil {
		return out, err
	}
	w := gzip.NewWriter(dst)
	w.Header = r.Header
	out, err = m.text(w, bufio.NewReaderSize(r, 1<<16))
	if err == nil {
		err = r.Close()
	}
	if err != nil {
		return out, err
	}
	return out, w.Close()
}

// zstdWindow bounds the memory that a file may ask for.
const zstdWindow = 32 << 20

func (m mask) zstd(dst io.Writer, src *bufio.Reader) (out Rewritten, err error) {
	r, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return out, err
	}
	defer r.Close()
	w, err := zstd.NewWriter(dst, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return out, err
	}
	if out, err = m.text(w, bufio.NewReaderSize(r, 1<<16)); err != nil {
		return out, err
	}
	return out, w.Close()
}

// text masks lines. A file that begins with other than text is not understood.
func (m mask) text(dst io.Writer, in *bufio.Reader) (out Rewritten, err error) {
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return out, err
	}
	for _, h := range heads {
		if bytes.HasPrefix(head, []byte(h)) {
			return out, ErrUnread
		}
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return out, ErrUnread
	}
	w := bufio.NewWriterSize(dst, 1<<16)
	var line, masked []byte
	for err = nil; err == nil; {
		line, err = appendLine(line[:0], in)
		masked = m.one(masked[:0], line, &out)
		if _, e := w.Write(masked); e != nil {
			return out, e
		}
		if errors.Is(err, errLong) {
			err = rest(w, in)
		}
	}
	if errors.Is(err, io.EOF) {
		err = w.Flush()
	}
	return out, err
}

// one appends a line in its form, and counts it.
func (m mask) one(masked, line []byte, count *Rewritten) []byte {
	if len(line) == 0 {
		return masked
	}
	if !understood(line) {
		count.Left++
		return append(masked, line...)
	}
	masked, same := m.line(masked, line)
	if !same {
		count.Changed++
	}
	return masked
}

var errLong = errors.New("the line is too long")

// appendLine reads a line with its end, or the beginning of one that is too long.
func appendLine(line []byte, in *bufio.Reader) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > maxLine {
			return line, errLong
		}
	}
}

// rest copies what is left of a line.
func rest(w io.Writer, in *bufio.Reader) error {
	for {
		part, err := in.ReadSlice('\n')
		if _, e := w.Write(part); e != nil {
			return e
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// understood is whether a line is text whose addresses stand in it as they are: no
// zero bytes, no end that is too far, and no characters of addresses that JSON writes
// as numbers.
func understood(line []byte) bool {
	if bytes.IndexByte(line, 0) >= 0 || len(line) > maxLine {
		return false
	}
	for rest := line; ; {
		i := bytes.Index(rest, []byte(`\u00`))
		if i < 0 || len(rest) < i+6 {
			return true
		}
		code := rest[i+4 : i+6]
		if code[0] == '3' && (code[1] <= '9' || code[1]|0x20 == 'a') || bytes.EqualFold(code, []byte("2e")) || (code[0] == '4' || code[0] == '6') && '1' <= code[1] && code[1] <= '6' {
			return false
		}
		rest = rest[i+6:]
	}
}
