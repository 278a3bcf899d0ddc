package sqlwork

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// A connection that reads widely gives the bytes that came, in their order, however many
// are asked for at a time, and then the end.
func TestWideReadsEverything(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := make([]byte, 1<<20)
	for i := range want {
		want[i] = byte(i * 2654435761 >> 16)
	}
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = c.Write(want)
			_ = c.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w, ok := Wide(c).(*wide)
	if !ok {
		t.Fatal("a connection of the system's is not read widely")
	}
	var got []byte
	for n := 1; ; n = n*5%8191 + 1 {
		p := make([]byte, max(n, len(got)%2*narrowRead))
		read, err := w.Read(p)
		got = append(got, p[:read]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if w.buf == nil {
		t.Error("it never read widely")
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, which are others than the %d that were sent", len(got), len(want))
	}
}
