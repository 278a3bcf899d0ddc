package mysql

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Source is an open database of a MariaDB or MySQL server. It implements
// [retention.Source]; its methods may be called by several goroutines.
type Source struct {
	*sqlwork.Source
	*engine
}

var _ retention.Source = (*Source)(nil)

// Options of [OpenWith].
type Options struct {
	// ReadDSN is where inspectors look: a replica, or a user with SELECT only.
	// Empty: the dsn itself.
	ReadDSN string
	// LockTimeout is how long a batch waits for a lock; 0: 5 s.
	LockTimeout time.Duration
}

// Open opens the database that the dsn names: user:password@tcp(host:port)/database
// or mysql://user:password@host:port/database. It reads, and writes nothing. A
// server that cannot be reached or used is a source_down refusal. one_writer=true
// in the dsn declares that nobody else writes through another node.
func Open(ctx context.Context, dsn string) (*Source, error) {
	return OpenWith(ctx, dsn, Options{})
}

// OpenWith is [Open] with options.
func OpenWith(ctx context.Context, dsn string, o Options) (*Source, error) {
	declared, plain := cutParam(dsn, "one_writer=true")
	c, err := parse(plain)
	if err != nil {
		return nil, err
	}
	look := c
	if o.ReadDSN != "" {
		if look, err = parse(o.ReadDSN); err != nil {
			return nil, err
		}
	}
	e := &engine{name: "mysql " + c.Addr + "/" + c.DBName, address: c.Addr, user: c.User, database: c.DBName, declared: declared, apart: o.ReadDSN != ""}
	if e.read, err = e.pool(look, false); err != nil {
		return nil, err
	}
	if e.write, err = e.pool(c, true); err != nil {
		return nil, errors.Join(err, e.read.Close())
	}
	if e.near = e.read; e.apart {
		if e.near, err = e.pool(c, false); err != nil {
			return nil, errors.Join(err, e.write.Close(), e.read.Close())
		}
	}
	if err := e.near.PingContext(ctx); err != nil { // the source says what names mean
		return nil, errors.Join(e.down(err), e.Close())
	}
	if err := e.read.PingContext(ctx); err != nil {
		return nil, errors.Join(e.down(err), e.Close())
	}
	if e.maria {
		e.name = "mariadb" + strings.TrimPrefix(e.name, "mysql")
	}
	e.words = dialect(e.home, secret)
	e.words.Returning, e.words.Streams, e.words.Clustered = e.maria, e.maria, "PRIMARY"
	return &Source{sqlwork.New(e).Patient(o.LockTimeout), e}, nil
}

// cutParam takes a parameter of ours out of a dsn.
func cutParam(dsn, param string) (found bool, rest string) {
	at := strings.LastIndexByte(dsn, '?')
	if at < 0 {
		return false, dsn
	}
	var kept []string
	for _, p := range strings.Split(dsn[at+1:], "&") {
		if p == param {
			found = true
			continue
		}
		kept = append(kept, p)
	}
	return found, strings.TrimSuffix(dsn[:at+1]+strings.Join(kept, "&"), "?")
}

// secret is 32 random bytes.
func secret() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails: it ends the process instead
	return b
}

// Describe reads the live catalogue; see [sqlwork.Source].
func (s *Source) Describe(ctx context.Context, tables []retention.TableName) (*retention.Schema, error) {
	return s.Source.Describe(ctx, tables)
}

// InstallSQL is what Install would run; see [sqlwork.Source].
func (s *Source) InstallSQL() string { return s.Source.InstallSQL() }

// Close closes every session.
func (e *engine) Close() error {
	return errors.Join(e.write.Close(), e.read.Close(), e.near.Close()) // closing twice is closing once
}

// Server is the server's clock, what it is, and the gate row.
func (s *Source) Server(ctx context.Context) (retention.Server, error) {
	var out retention.Server
	err := s.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) error {
		var now, uuid string
		if err := q.QueryRowxContext(ctx, "SELECT "+s.words.Now.Text+", "+s.identity()).Scan(&now, &uuid); err != nil {
			return err
		}
		var err error
		if out.Now, err = time.Parse(time.RFC3339Nano, now); err != nil {
			return fmt.Errorf("%s: clock %q: %w", s.name, now, err)
		}
		out.Gate, err = s.ReadGate(ctx, q)
		out.Identity = "mysql:" + uuid + "/" + s.home.database
		if out.Gate.Installed {
			out.Identity = out.Gate.SourceUUID
		}
		return err
	})
	out.Name = "MySQL " + s.version
	if s.maria {
		out.Name = "MariaDB " + strings.TrimPrefix(s.version, "5.5.5-")
	}
	return out, err
}

// identity is what tells servers apart, wherever they are reached.
func (e *engine) identity() string {
	if e.maria {
		return "CONCAT(@@hostname, ':', @@port, ':', @@datadir)"
	}
	return "@@server_uuid"
}
