package servers

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
)

// MailServer speaks enough SMTP on loopback to take mails.
type MailServer struct {
	Addr string // host:port

	listener net.Listener
	secure   *tls.Config
	mu       sync.Mutex
	mails    []string
	lines    []string // what clients said before a mail's text
	refuse   string   // an answer to MAIL instead of yes
}

// StartMail listens; with a TLS configuration it offers STARTTLS, and takes mails
// only after it.
func StartMail(secure *tls.Config) (*MailServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("a mail server: %w", err)
	}
	s := &MailServer{Addr: l.Addr().String(), listener: l, secure: secure}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s, nil
}

// Close stops listening.
func (s *MailServer) Close() error { return s.listener.Close() }

// Refuse answers MAIL with this line from now on; empty: with yes.
func (s *MailServer) Refuse(answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = answer
}

// Mails are the texts taken so far, headers included.
func (s *MailServer) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

// Lines are the commands that clients gave so far.
func (s *MailServer) Lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

func (s *MailServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }() // nothing is lost
	t := textproto.NewConn(c)
	encrypted := false
	say := func(line string) bool { return t.PrintfLine("%s", line) == nil }
	if !say("220 localhost ready") {
		return
	}
	for {
		line, err := t.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.lines = append(s.lines, line)
		refuse := s.refuse
		s.mu.Unlock()
		verb := strings.ToUpper(strings.Fields(line + " .")[0])
		switch {
		case verb == "EHLO" && s.secure != nil && !encrypted:
			say("250-localhost\r\n250 STARTTLS")
		case verb == "EHLO" && s.secure != nil:
			say("250-localhost\r\n250 AUTH PLAIN")
		case verb == "STARTTLS":
			say("220 go ahead")
			c = tls.Server(c, s.secure)
			t, encrypted = textproto.NewConn(c), true
		case verb == "MAIL" && refuse != "":
			say(refuse)
		case verb == "MAIL" && s.secure != nil && !encrypted:
			say("530 STARTTLS first")
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			s.take(t.R)
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

// take reads one mail up to its dot.
func (s *MailServer) take(r *bufio.Reader) {
	text, err := textproto.NewReader(r).ReadDotBytes()
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, string(text))
}
