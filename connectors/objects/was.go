package objects

import (
	"encoding/binary"
	"errors"
)

// pack writes what [Object.Same] compares, and how many other names there are, as the
// listing keeps it: one value a file is far cheaper to keep than five.
func pack(b []byte, o Object) []byte {
	b = binary.AppendVarint(b, o.Nanos)
	b = binary.AppendVarint(b, o.Far)
	b = binary.AppendVarint(b, int64(o.More))
	return append(b, o.ID...)
}

// unpack reads it back.
func (o *Object) unpack(b []byte) error {
	rest, err := o.numbers(b)
	o.ID = string(rest)
	return err
}

// times reads back when it changed.
func (o *Object) times(b []byte) error {
	_, err := o.numbers(b)
	return err
}

func (o *Object) numbers(b []byte) (rest []byte, err error) {
	var more int64
	for _, into := range []*int64{&o.Nanos, &o.Far, &more} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return nil, errors.New("listing: a file's state cannot be read back")
		}
		*into, b = v, b[n:]
	}
	o.More = int(more)
	return b, nil
}
