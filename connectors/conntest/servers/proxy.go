package servers

import (
	"errors"
	"io"
	"net"
	"regexp"
	"sync"
	"testing"
)

// Proxy stands before a server and loses what a test tells it to lose. It
// understands COMMIT in the plain protocols of PostgreSQL and MariaDB; through
// TLS it only forwards and cuts.
type Proxy struct {
	server   *Server
	listener net.Listener
	commit   *regexp.Regexp

	mu      sync.Mutex
	mode    loss
	left    int // losses that are still armed
	lost    int
	seen    int
	pairs   map[*pair]bool
	closing bool
}

type loss int

const (
	loseReply   loss = iota // the server commits, the client never hears of it
	loseRequest             // the server never hears of it and rolls back
)

// pair is a client's connection and ours to the server.
type pair struct {
	client, server net.Conn
	doomed         bool // guarded by Proxy.mu: the next bytes of the server are lost
}

func (p *pair) cut() {
	_ = p.client.Close()
	_ = p.server.Close()
}

// NewProxy starts a proxy on loopback before a server; it ends with the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{server: s, listener: l, commit: s.engine.commitMessage(), pairs: map[*pair]bool{}}
	go p.accept()
	t.Cleanup(func() {
		_ = l.Close() // nobody listens to it any more
		p.mu.Lock()
		p.closing = true
		p.mu.Unlock()
		p.Cut()
	})
	return p
}

// Via returns the DSN that goes through the proxy.
func (p *Proxy) Via(t testing.TB, dsn string) string {
	t.Helper()
	at := p.listener.Addr().(*net.TCPAddr)
	return p.server.via(t, dsn, "127.0.0.1", at.Port)
}

// LoseReplies arms the proxy: the next n COMMITs reach the server, and when it
// has answered, the client's connection is cut without the answer. It is durable
// in the server at that moment. Zero disarms.
func (p *Proxy) LoseReplies(n int) { p.arm(loseReply, n) }

// LoseCommits arms the proxy: the next n COMMITs are not forwarded, both
// connections are cut. The server rolls back. Zero disarms.
func (p *Proxy) LoseCommits(n int) { p.arm(loseRequest, n) }

func (p *Proxy) arm(mode loss, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode, p.left = mode, n
}

// Lost returns how many COMMITs or replies to them were lost up to now.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Commits returns how many COMMITs clients have sent, lost ones too.
func (p *Proxy) Commits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// Cut cuts all connections as they are; new ones are accepted.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.cut()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // the test is over
		}
		server, err := net.Dial("tcp", p.server.Addr())
		if err != nil {
			_ = client.Close() // as a server that is down would
			continue
		}
		c := &pair{client: client, server: server}
		p.mu.Lock()
		if p.closing {
			c.cut()
		}
		p.pairs[c] = true
		p.mu.Unlock()
		go p.requests(c)
		go p.replies(c)
	}
}

func (p *Proxy) end(c *pair) {
	c.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
}

var errLost = errors.New("lost on purpose")

func (p *Proxy) requests(c *pair) {
	defer p.end(c)
	var tail []byte // what came before, for a message that comes in two pieces
	_ = pump(c.client, c.server, func(b []byte) error {
		const longest = 64 // of what the pattern matches
		window := append(tail, b...)
		at := p.commit.FindIndex(window)
		if at == nil {
			tail = append([]byte(nil), window[max(0, len(window)-longest):]...)
			return nil
		}
		tail = nil
		return p.sawCommit(c)
	})
}

func (p *Proxy) sawCommit(c *pair) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen++
	if p.left == 0 {
		return nil
	}
	p.left--
	if p.mode == loseRequest {
		p.lost++
		return errLost
	}
	c.doomed = true
	return nil
}

func (p *Proxy) replies(c *pair) {
	defer p.end(c)
	_ = pump(c.server, c.client, func([]byte) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !c.doomed {
			return nil
		}
		p.lost++
		return errLost
	})
}

// pump copies until an end is closed or look says no; what look refuses is not
// forwarded.
func pump(from io.Reader, to io.Writer, look func([]byte) error) error {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if err := look(b[:n]); err != nil {
				return err
			}
			if _, err := to.Write(b[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// commitMessage matches a simple query: its letter, its length, its text.
func (postgres) commitMessage() *regexp.Regexp {
	return regexp.MustCompile(`(?s)Q\x00\x00\x00.\s{0,8}(?i:commit)\b`)
}

// commitMessage matches the first packet of a command: its length, the number
// 0, COM_QUERY, its text.
func (mariadb) commitMessage() *regexp.Regexp {
	return regexp.MustCompile(`(?s).\x00\x00\x00\x03\s{0,8}(?i:commit)\b`)
}
