package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Options say which store to open, and with what.
type Options struct {
	// DSN is sqlite:PATH, or postgres://…, where ?schema=NAME names another schema than
	// retentiond.
	DSN string
	Key *audit.Key // signs the log; the store knows its fingerprint
	// Clock is the store's, where the store is a file. A server has its own, which
	// decides unless ForceClock says otherwise: for tests.
	Clock      func() time.Time
	ForceClock bool
	Lease      time.Duration // how long a lease lasts without a heartbeat; default retention.LeaseTime
}

// ErrNewer says that the store was made by a newer version of retentiond.
var ErrNewer = errors.New("the state store is from a newer version of retentiond; use that version")

// ErrForeign says that what is configured is no state store.
var ErrForeign = errors.New("it is a database of something else; give the state store a file of its own")

// Store is the state store. It implements every interface of retention/store.go
// and may be used by several goroutines and several processes.
type Store struct {
	base  base
	key   *audit.Key
	uuid  string
	proc  process
	lease time.Duration

	mu    sync.Mutex
	holds map[retention.SourceRecord]cachedHolds
	seen  witnessed // the last witness that Admit found true
	fits  fitted    // where the holds were last found to be the log's
}

// Interfaces that a Store implements.
var (
	_ retention.Journal   = (*Store)(nil)
	_ retention.Identity  = (*Store)(nil)
	_ retention.Sources   = (*Store)(nil)
	_ retention.Plans     = (*Store)(nil)
	_ retention.Spool     = (*Store)(nil)
	_ retention.Runs      = (*Store)(nil)
	_ retention.Intents   = (*Store)(nil)
	_ retention.Slots     = (*Store)(nil)
	_ retention.Holds     = (*Store)(nil)
	_ retention.Admission = (*Store)(nil)
)

// Open opens the store, makes it where there is none (a file of mode 0600, a schema), and
// brings it to this version's schema. Errors name the store and the remedy; a
// store from a newer version is [ErrNewer].
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Key == nil || o.Clock == nil {
		return nil, errors.New("open state store: an audit key and a clock are required")
	}
	b, err := openBase(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Lease <= 0 {
		o.Lease = retention.LeaseTime
	}
	s := &Store{base: b, key: o.Key, proc: thisProcess(), lease: o.Lease, holds: map[retention.SourceRecord]cachedHolds{}}
	if err := s.identify(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open state store %s: %w", b.name(), err), b.close())
	}
	return s, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.base.close() }

// Names in the table meta.
const (
	metaUUID     = "uuid"
	metaKey      = "audit_key"
	metaOrigin   = "audit_origin"
	metaHolds    = "holds_version"
	metaAnchor   = "anchor"
	metaKillOn   = "kill_switch"
	metaHoldsSeq = "holds_seq"
	metaAttempt  = "attempt"  // of the last lease
	metaWitness  = "witness:" // and a source's uuid
)

// identify reads who the store is, or gives a new one its identity and binds it
// to the audit key: another key is refused from then on.
func (s *Store) identify(ctx context.Context) error {
	known := false
	err := s.read(ctx, func(t *tx) (err error) {
		known, err = s.recognise(ctx, t)
		return err
	})
	if err != nil || known {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		// Another process may have founded it meanwhile.
		if known, err := s.recognise(ctx, t); err != nil || known {
			return err
		}
		return s.found(ctx, t)
	})
}

// recognise reads a store's identity and refuses another audit key or origin;
// known = false: the store has none yet.
func (s *Store) recognise(ctx context.Context, t *tx) (known bool, err error) {
	if s.uuid, err = t.meta(ctx, metaUUID); err != nil || s.uuid == "" {
		return false, err
	}
	had, err := t.meta(ctx, metaKey)
	if err != nil {
		return true, err
	}
	if had != s.key.Fingerprint() {
		return true, fmt.Errorf("%w: its audit log is signed with the key %s, the key file holds %s; put the right key file back (audit.key_file)", audit.ErrKey, had, s.key.Fingerprint())
	}
	origin, err := t.meta(ctx, metaOrigin)
	if err == nil && origin != s.key.Origin() {
		err = fmt.Errorf("its audit log is of origin %s, not %s; set audit.origin back", origin, s.key.Origin())
	}
	return true, err
}

// found makes a new store's identity.
func (s *Store) found(ctx context.Context, t *tx) error {
	id, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("make the store's uuid: %w", err)
	}
	s.uuid = id.String()
	for name, value := range map[string]string{
		metaUUID: s.uuid, metaKey: s.key.Fingerprint(), metaOrigin: s.key.Origin(), metaHolds: "0", metaHoldsSeq: "0",
	} {
		if err := t.setMeta(ctx, name, value); err != nil {
			return err
		}
	}
	return nil
}
