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
	b = binary.AppendVarint(b, int64(len(o.Sizes)))
	b = append(b, o.Sizes...)
	return append(b, o.ID...)
}

var errBack = errors.New("listing: a file's state cannot be read back")

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
	var more, sizes int64
	for _, into := range []*int64{&o.Nanos, &o.Far, &more, &sizes} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return nil, errBack
		}
		*into, b = v, b[n:]
	}
	if sizes < 0 || sizes > int64(len(b)) {
		return nil, errBack
	}
	o.More, o.Sizes, b = int(more), string(b[:sizes]), b[sizes:]
	return b, nil
}
