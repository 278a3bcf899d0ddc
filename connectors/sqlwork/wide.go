package sqlwork

import (
	"net"
	"syscall"
)

// What drivers read from the network at a time, and what they get once more than that
// waits there: a batch has thousands of such reads.
const (
	narrowRead = 4 << 10
	wideRead   = 64 << 10
)

// Wide makes a connection read from the network in large pieces. One goroutine may
// read at a time, as drivers do.
func Wide(c net.Conn) net.Conn {
	if s, ok := c.(system); ok {
		return &wide{system: s}
	}
	return c
}

// system is a connection of the system's own, which drivers ask whether it is still
// there.
type system interface {
	net.Conn
	syscall.Conn
}

type wide struct {
	system
	buf  []byte // nil: nothing was ever left waiting
	rest []byte // of buf: what nobody asked for yet
}

// Read reads what is there.
func (w *wide) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		if w.buf == nil || len(p) >= len(w.buf) {
			n, err := w.system.Read(p)
			if w.buf == nil && n == len(p) && n >= narrowRead {
				w.buf = make([]byte, wideRead)
			}
			return n, err
		}
		n, err := w.system.Read(w.buf)
		if n <= 0 {
			return 0, err
		}
		w.rest = w.buf[:n] // an error comes again with the next read
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}
