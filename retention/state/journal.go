package state

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Record appends entries and returns the number of the last.
func (s *Store) Record(ctx context.Context, events ...audit.Event) (n int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err = t.record(ctx, events...)
		return err
	})
	return n, wrap(err, "append to the audit log")
}

// KeepPolicy stores a policy text, with policy.loaded where it is not the
// policy's last.
func (s *Store) KeepPolicy(ctx context.Context, p *retention.Policy) error {
	err := s.write(ctx, func(t *tx) error {
		var had string
		if _, err := t.get(ctx, &had, "SELECT digest FROM policy_now WHERE policy = ?", p.Name); err != nil || had == p.Digest {
			return err
		}
		if _, err := t.exec(ctx, "INSERT INTO policies (digest, policy, body, at) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
			p.Digest, p.Name, notNil(p.Text), micros(t.now)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "INSERT INTO policy_now (policy, digest) VALUES (?, ?) ON CONFLICT (policy) DO UPDATE SET digest = excluded.digest",
			p.Name, p.Digest); err != nil {
			return err
		}
		_, err := t.record(ctx, audit.Event{Kind: audit.PolicyLoaded, Policy: p.Name, Data: map[string]any{"digest": p.Digest}})
		return err
	})
	return wrap(err, "keep policy %s", p.Name)
}

// PolicyText returns a policy text that was once in force, by digest;
// retention.ErrNotFound.
func (s *Store) PolicyText(ctx context.Context, digest string) (text []byte, err error) {
	err = s.read(ctx, func(t *tx) error {
		ok, err := t.get(ctx, &text, "SELECT body FROM policies WHERE digest = ?", digest)
		if err == nil && !ok {
			return retention.ErrNotFound
		}
		return err
	})
	return text, wrap(err, "policy %s", digest)
}

// Keyed is how a subject or a person's name appears in an entry of the open
// period: for events that callers hand to Record.
func (s *Store) Keyed(ctx context.Context, subject string) (digest string, err error) {
	err = s.write(ctx, func(t *tx) error {
		keyed, err := t.keyer(ctx)
		if err == nil {
			digest = keyed(subject)
		}
		return err
	})
	return digest, wrap(err, "key a subject")
}

// Salted is how free text appears in an entry. The salt is durable on return;
// keeping the text is the caller's.
func (s *Store) Salted(ctx context.Context, text string) (digest string, err error) {
	err = s.write(ctx, func(t *tx) error {
		digest, err = t.salted(ctx, text)
		return err
	})
	return digest, wrap(err, "salt a text")
}

// wrap names what failed.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
