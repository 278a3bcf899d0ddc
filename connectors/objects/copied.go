package objects

import (
	"errors"
	"hash/maphash"
	"io"
)

// Content tells the content of an object that was read to its end from any other, for
// as long as this process lives. Size and time of change do not: a writer can put a
// time back, and one that has the file mapped changes it when it likes.
type Content struct {
	seed  maphash.Seed
	sum   uint64
	bytes int64
	whole bool
}

// Copying reads on from r, and makes of its whole content, once it was read to its
// end, what the removal compares.
func Copying(r io.ReadCloser) (*Content, io.ReadCloser) {
	x := &copying{ReadCloser: r, c: &Content{}}
	x.c.seed = x.h.Seed()
	return x.c, x
}

type copying struct {
	io.ReadCloser
	h maphash.Hash
	c *Content
}

// Read reads on.
func (x *copying) Read(p []byte) (int, error) {
	n, err := x.ReadCloser.Read(p)
	_, _ = x.h.Write(p[:n]) // it never fails
	x.c.bytes += int64(n)
	if errors.Is(err, io.EOF) {
		x.c.sum, x.c.whole = x.h.Sum64(), true
	}
	return n, err
}

// Is reads r to where the content ended: [ErrChanged] where it is another.
func (c *Content) Is(r io.Reader) error {
	var h maphash.Hash
	h.SetSeed(c.seed)
	n, err := io.Copy(&h, io.LimitReader(r, c.bytes+1))
	if err == nil && (!c.whole || n != c.bytes || h.Sum64() != c.sum) {
		err = ErrChanged
	}
	return err
}

// copies are the contents that a batch gave to its archive, by path.
type copies struct {
	intent string
	of     map[string]*Content
}

// into notes of each object what was archived of it. One that was not read to its end
// by this batch is an error: it must not go.
func (x copies) into(intent string, of []Object) error {
	for i := range of {
		c := x.of[of[i].Path]
		if x.intent != intent || c == nil || !c.whole {
			return errors.New("a file is due for removal that was not archived: nothing was removed")
		}
		of[i].Content = c
	}
	return nil
}
