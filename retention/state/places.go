package state

import (
	"context"
	"fmt"
	"strings"
)

// metaPlace begins the name under which the place of a vault is kept.
const metaPlace = "vault_place:"

// VaultPlace is the name of the place of a sealed vault; empty: none yet. It is an error
// where the place has the segments of another vault, and none of this one.
func (s *Store) VaultPlace(ctx context.Context, vault string) (name string, err error) {
	err = s.read(ctx, func(t *tx) error {
		if name, err = t.meta(ctx, metaPlace+vault); err != nil || name == "" {
			return err
		}
		return t.placeFree(ctx, vault, name)
	})
	return name, wrap(err, "read the place of vault %s", vault)
}

// ChangeVaultPlace keeps another name of a vault's place where had is the one that is
// kept, and returns the one that is kept then. It is durable on return. A place that has
// the segments of another vault is that one's (L9): this one would take them for what
// batches left.
func (s *Store) ChangeVaultPlace(ctx context.Context, vault, had, name string) (now string, err error) {
	err = s.write(ctx, func(t *tx) error {
		if now, err = t.meta(ctx, metaPlace+vault); err != nil || now != had {
			return err
		}
		if err := t.placeFree(ctx, vault, name); err != nil {
			return err
		}
		now = name
		return t.setMeta(ctx, metaPlace+vault, name)
	})
	return now, wrap(err, "keep the place of vault %s", vault)
}

// placeFree refuses the place of another vault that has segments, where this one has none.
func (t *tx) placeFree(ctx context.Context, vault, place string) error {
	var own int64
	if _, err := t.get(ctx, &own, "SELECT count(*) FROM segments WHERE vault = ? AND expired_at = 0", vault); err != nil || own > 0 {
		return err
	}
	var others []string
	err := t.all(ctx, &others, "SELECT m.name FROM meta m WHERE m.value = ? AND m.name LIKE ? AND m.name <> ? ORDER BY m.name", place, metaPlace+"%", metaPlace+vault)
	for _, name := range others {
		other := strings.TrimPrefix(name, metaPlace)
		var n int64
		if _, err := t.get(ctx, &n, "SELECT count(*) FROM segments WHERE vault = ? AND expired_at = 0", other); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the place is that of vault %q, which has %d segments there: give it that name again under `vaults:` (and `to:`), and this vault a place of its own", other, n)
		}
	}
	return err
}
