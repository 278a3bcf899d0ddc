package state

import "context"

// metaPlace begins the name under which the place of a vault is kept.
const metaPlace = "vault_place:"

// VaultPlace is the name of the place of a sealed vault; empty: none yet.
func (s *Store) VaultPlace(ctx context.Context, vault string) (name string, err error) {
	err = s.read(ctx, func(t *tx) error {
		name, err = t.meta(ctx, metaPlace+vault)
		return err
	})
	return name, wrap(err, "read the place of vault %s", vault)
}

// ChangeVaultPlace keeps another name of a vault's place where had is the one that is
// kept, and returns the one that is kept then. It is durable on return.
func (s *Store) ChangeVaultPlace(ctx context.Context, vault, had, name string) (now string, err error) {
	err = s.write(ctx, func(t *tx) error {
		if now, err = t.meta(ctx, metaPlace+vault); err != nil || now != had {
			return err
		}
		now = name
		return t.setMeta(ctx, metaPlace+vault, name)
	})
	return now, wrap(err, "keep the place of vault %s", vault)
}
