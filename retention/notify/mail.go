package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Mail sends each notice as a mail over SMTP. The connection is encrypted: TLS from
// the start on port 465, STARTTLS on others; a server that offers none is refused,
// unless it is on loopback.
type Mail struct {
	Server   string // host:port
	From     string
	To       []string
	User     string // empty: no authentication
	Password string // never logged
	Origin   string // names the system that tells
	Now      func() time.Time
	Patience time.Duration // how long a mail is tried; 0: 15 minutes
	TLS      *tls.Config   // nil: the system's trust

	host string
}

// NewMail checks addresses and server.
func NewMail(m Mail) (*Mail, error) {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil || host == "" {
		return nil, errors.New("notify.mail.server is no host:port, such as mail.example.org:587")
	}
	m.host = host
	if len(m.To) == 0 {
		return nil, errors.New("notify.mail.to names nobody")
	}
	for _, a := range append([]string{m.From}, m.To...) {
		if p, err := mail.ParseAddress(a); err != nil || p.Address != a || strings.ContainsAny(a, "\r\n") {
			return nil, errors.New("notify.mail: from and to are plain addresses, such as dpo@example.org")
		}
	}
	return &m, nil
}

// Name names the channel.
func (m *Mail) Name() string { return "mail" }

// Send sends the notice; what a server refuses for good (5xx) is final.
func (m *Mail) Send(ctx context.Context, n Notice) error {
	text := m.message(n)
	patience := m.Patience
	if patience <= 0 {
		patience = 15 * time.Minute
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, m.try(ctx, text) },
		backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(patience))
	return err
}

func (m *Mail) try(ctx context.Context, text []byte) error {
	ctx, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	err := m.deliver(ctx, text)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("mail: %w", err)
	if code, ok := errors.AsType[*textproto.Error](err); ok && code.Code >= 500 || errors.Is(err, errPlain) {
		return backoff.Permanent(err)
	}
	return err
}

// errPlain: the server would have read everything in the clear.
var errPlain = errors.New("the server offers no encryption (STARTTLS): only one on loopback may go without")

// deliver hands one message over.
func (m *Mail) deliver(ctx context.Context, text []byte) error {
	c, err := m.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // Quit says what matters
	if m.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.User, m.Password, m.host)); err != nil {
			return fmt.Errorf("authenticate: %w", err)
		}
	}
	if err := c.Mail(m.From); err != nil {
		return fmt.Errorf("the sender is refused: %w", err)
	}
	for _, to := range m.To {
		if err := c.Rcpt(to); err != nil {
			return fmt.Errorf("a recipient is refused: %w", err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("hand over the mail: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("hand over the mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("hand over the mail: %w", err)
	}
	_ = c.Quit() // the server has the mail
	return nil
}

// connect greets the server over an encrypted connection.
func (m *Mail) connect(ctx context.Context) (*smtp.Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.TLS != nil {
		conf = m.TLS.Clone()
	}
	conf.ServerName = m.host
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return nil, fmt.Errorf("reach the server: %w", err)
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	direct := strings.HasSuffix(m.Server, ":465")
	if direct {
		conn = tls.Client(conn, conf)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("greet the server: %w", err), conn.Close())
	}
	if direct {
		return c, nil
	}
	offered, _ := c.Extension("STARTTLS")
	switch {
	case offered:
		err = c.StartTLS(conf)
	case !loopback(m.host):
		err = errPlain
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// message is the mail as it goes over the wire.
func (m *Mail) message(n Notice) []byte {
	var b bytes.Buffer
	header := func(k, v string) {
		fmt.Fprintf(&b, "%s: %s\r\n", k, strings.NewReplacer("\r", " ", "\n", " ").Replace(v))
	}
	header("From", m.From)
	header("To", strings.Join(m.To, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", "[retentiond] "+subject(n)))
	header("Date", m.Now().Format(time.RFC1123Z))
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(strings.ReplaceAll(m.text(n), "\n", "\r\n"))) // to memory
	_ = w.Close()
	return b.Bytes()
}

func subject(n Notice) string {
	out := string(n.Kind)
	for _, s := range []string{n.Policy, n.Rule, n.Source, n.Code} {
		if s != "" {
			out += " " + s
		}
	}
	return out
}

// text is the mail for people.
func (m *Mail) text(n Notice) string {
	var b strings.Builder
	b.WriteString(n.Text + "\n\n")
	for _, f := range [][2]string{{"Policy", n.Policy}, {"Rule", n.Rule}, {"Source", n.Source}, {"Code", n.Code}, {"Plan", n.Plan}, {"Hold", n.Hold}, {"Run", n.Run}} {
		if f[1] != "" {
			fmt.Fprintf(&b, "%-8s%s\n", f[0]+":", f[1])
		}
	}
	fmt.Fprintf(&b, "%-8s%s\n%-8s%s\n\n%s\n\n", "Since:", n.At.Format(time.RFC3339), "Log:", m.Origin, n.Do)
	b.WriteString("Sent once, and daily while the cause lasts.\n")
	return b.String()
}
