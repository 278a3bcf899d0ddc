package sqlwork

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Source does an SQL connector's work on its engine; a connector embeds it and
// adds Server, Erase and Close. Its methods may be called by several goroutines.
type Source struct {
	e    Engine
	wait time.Duration // for the gate and for locks

	mu      sync.Mutex
	holds   *sqlgen.Holds // of the last set of holds
	holdsOf *retention.HoldSet
}

// New makes a source on an engine.
func New(e Engine) *Source { return &Source{e: e, wait: patience} }

// patience is how long a batch waits for a lock before it fails, where nothing
// else is asked for.
const patience = 5 * time.Second

// Patient sets how long a batch waits for a lock; 0 leaves it.
func (s *Source) Patient(wait time.Duration) *Source {
	if wait > 0 {
		s.wait = wait
	}
	return s
}

// Gen prepares a selection for rendering. The holds' JSON lists are built once for a set.
func (s *Source) Gen(sel retention.Selection, h *retention.HoldSet) (*sqlgen.Gen, error) {
	holds, err := s.holdLists(h)
	if err != nil {
		return nil, err
	}
	return sqlgen.New(s.e.Dialect(), sel, holds)
}

func (s *Source) holdLists(h *retention.HoldSet) (*sqlgen.Holds, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds != nil && s.holdsOf == h {
		return s.holds, nil
	}
	if h != nil && len(h.Subjects) == 0 && len(h.Scoped) == 0 { // made at once: it takes nobody's place
		return sqlgen.NewHolds(h)
	}
	holds, err := sqlgen.NewHolds(h)
	if err != nil {
		return nil, err
	}
	s.holds, s.holdsOf = holds, h
	return holds, nil
}

// Describe reads the live catalogue in one snapshot.
func (s *Source) Describe(ctx context.Context, tables []retention.TableName) (out *retention.Schema, err error) {
	err = s.e.Look(ctx, func(q Session) error {
		out, err = s.e.Describe(ctx, q, tables)
		return err
	})
	return out, err
}

func refusal(code retention.RefusalCode, format string, args ...any) *retention.Refusal {
	return &retention.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// say runs a statement of our own, written with marks for its arguments.
func (s *Source) say(ctx context.Context, q Session, text string, args ...any) (int64, error) {
	x := s.write(text, args...)
	r, err := q.ExecContext(ctx, x.Text, x.Args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// write renders a statement of our own: %s is the next argument, or the text
// itself where that is [sqlgen.SQL].
func (s *Source) write(text string, args ...any) sqlgen.Query {
	parts := make([]sqlgen.SQL, len(args))
	for i, a := range args {
		if raw, ok := a.(sqlgen.SQL); ok {
			parts[i] = raw
			continue
		}
		parts[i] = sqlgen.Arg(a)
	}
	return s.e.Dialect().Query(sqlgen.Format(text, parts...))
}

func (s *Source) own(name string) sqlgen.SQL { return sqlgen.Raw(s.e.Own(name)) }

// The two small tables that each source has; see architecture: the batch protocol.
const (
	gateTable    = "retentiond_gate"
	receiptTable = "retentiond_receipt"
)
