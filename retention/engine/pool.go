package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/retentiond/retentiond/retention"
)

// Pool opens the databases of a fleet when they are asked for, at most so many at
// once, and closes those that nobody uses to make room.
type Pool struct {
	most int

	mu    sync.Mutex
	open  int
	idle  []*pooled     // open and not in use, longest first
	freed chan struct{} // closed when one becomes idle, or is closed
}

// NewPool makes a pool of at most n open databases; n < 1: [DefaultAtOnce].
func NewPool(n int) *Pool { return &Pool{most: Fleet{AtOnce: n}.atOnce(), freed: make(chan struct{})} }

// Open gives a source that opens its database at each use that finds it closed. Hide
// takes out of an error's text what tells where the database is: of a tenant only
// its name is told.
func (p *Pool) Open(name string, open func(context.Context) (retention.Source, error), hide func(string) string) func(context.Context) (retention.Source, error) {
	return func(context.Context) (retention.Source, error) {
		return &pooled{pool: p, name: name, open: open, hide: hide}, nil
	}
}

// pooled is a source of a pool. Its database stays open while it is in use, and
// after that as long as no other needs the room.
type pooled struct {
	pool *Pool
	name string
	open func(context.Context) (retention.Source, error)
	hide func(string) string

	opening sync.Mutex // one opens it at a time
	// Of pool.mu:
	uses int
	now  retention.Source // nil: closed
	last retention.Source // for what needs no connection
	over bool             // closed once nobody uses it
}

// use calls f with the open database.
func (s *pooled) use(ctx context.Context, f func(retention.Source) error) error {
	src, err := s.enter(ctx)
	if err != nil {
		return s.hidden(err)
	}
	defer s.leave()
	return s.hidden(f(src))
}

// hidden is the error without what tells where the database is.
func (s *pooled) hidden(err error) error {
	if err == nil {
		return nil
	}
	if r := refusalOf(err); r != nil {
		out := *r
		if out.Message = s.hide(r.Message); out.Code == retention.RefuseSourceDown || out.Code == retention.RefusePrivilege {
			out.Message = fmt.Sprintf("source %q: %s", s.name, out.Message)
		}
		return &out
	}
	if text := s.hide(err.Error()); text != err.Error() {
		return &hiddenError{err, text}
	}
	return err
}

// hiddenError is an error that shows less than it says.
type hiddenError struct {
	cause error
	text  string
}

// Error is the text that may be shown.
func (e *hiddenError) Error() string { return e.text }

// Unwrap gives the error behind it, for those who branch on it.
func (e *hiddenError) Unwrap() error { return e.cause }

// enter opens the database where it is closed. Whoever enters has it open until they
// leave.
func (s *pooled) enter(ctx context.Context) (retention.Source, error) {
	if src := s.again(); src != nil {
		return src, nil
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if src := s.again(); src != nil {
		return src, nil
	}
	if err := s.pool.makeRoom(ctx); err != nil {
		return nil, err
	}
	src, err := s.open(ctx)
	if err != nil {
		s.pool.gone()
		return nil, err
	}
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.now, s.last, s.uses = src, src, 1
	return src, nil
}

// again enters a database that is open.
func (s *pooled) again() retention.Source {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.now == nil {
		return nil
	}
	if s.uses++; s.uses == 1 {
		p.drop(s)
	}
	return s.now
}

func (s *pooled) leave() {
	p := s.pool
	p.mu.Lock()
	over := false
	if s.uses--; s.uses == 0 {
		p.idle = append(p.idle, s)
		over = s.over
		p.tell()
	}
	p.mu.Unlock()
	if over {
		_ = s.Close() // what was committed is durable
	}
}

// Close closes the database, where it is open: at once, or once nobody uses it.
func (s *pooled) Close() error {
	p := s.pool
	p.mu.Lock()
	src := s.now
	if s.over = true; src == nil || s.uses > 0 {
		p.mu.Unlock()
		return nil
	}
	p.drop(s)
	s.now = nil
	p.mu.Unlock()
	err := src.Close()
	p.gone()
	return err
}

// makeRoom waits until one more database may be open, and closes the one that was
// idle longest where that makes the room.
func (p *Pool) makeRoom(ctx context.Context) error {
	for {
		p.mu.Lock()
		if p.open < p.most {
			p.open++
			p.mu.Unlock()
			return nil
		}
		if len(p.idle) > 0 {
			old := p.idle[0]
			src := old.now
			p.drop(old)
			old.now = nil
			p.mu.Unlock()
			_ = src.Close() // what was committed is durable; nothing of it is in use
			return nil
		}
		freed := p.freed
		p.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gone gives the room of a database back.
func (p *Pool) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	p.tell()
}

// tell wakes those who wait for room; the lock is held.
func (p *Pool) tell() {
	close(p.freed)
	p.freed = make(chan struct{})
}

// drop takes a database off the idle ones; the lock is held.
func (p *Pool) drop(s *pooled) {
	p.idle = slices.DeleteFunc(p.idle, func(o *pooled) bool { return o == s })
}
