package state

import "context"

// KeptPolicies returns, by name, the text of each policy that was last in force.
// A policy whose file no longer loads goes on protecting by it.
func (s *Store) KeptPolicies(ctx context.Context) (texts map[string][]byte, err error) {
	var rows []struct {
		Policy string `db:"policy"`
		Body   []byte `db:"body"`
	}
	err = s.read(ctx, func(t *tx) error {
		return t.all(ctx, &rows, "SELECT n.policy, p.body FROM policy_now n JOIN policies p ON p.digest = n.digest")
	})
	texts = map[string][]byte{}
	for _, r := range rows {
		texts[r.Policy] = r.Body
	}
	return texts, wrap(err, "read the policies last in force")
}

// PolicyTexts returns, by digest, the text of every policy that was ever in
// force.
func (s *Store) PolicyTexts(ctx context.Context) (texts map[string][]byte, err error) {
	var rows []struct {
		Digest string `db:"digest"`
		Body   []byte `db:"body"`
	}
	err = s.read(ctx, func(t *tx) error {
		return t.all(ctx, &rows, "SELECT digest, body FROM policies")
	})
	texts = map[string][]byte{}
	for _, r := range rows {
		texts[r.Digest] = r.Body
	}
	return texts, wrap(err, "read the policies that were in force")
}
