package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrTail says that the log's end is not one that the key's owner wrote: entries
// were added, cut or changed by somebody who can write to the store.
var ErrTail = errors.New("the end of the audit log was not written with its key")

// Seal is the MAC of a log's head, renewed with every append: what was appended
// since the newest signed checkpoint is not open to whoever can only write to
// the store (L8). Its key is derived from the signing key's seed.
func (k *Key) Seal(h TreeHead, root string) []byte {
	derive := hmac.New(sha256.New, k.seed)
	derive.Write([]byte("retentiond audit head v1"))
	m := hmac.New(sha256.New, derive.Sum(nil))
	m.Write(fmt.Appendf(nil, "%s\n%s\n%d\n%d\n%s\n", k.origin, h.Log, h.Base, h.Size, root))
	return m.Sum(nil)
}

// CheckTail compares a head with its seal: [ErrTail]. A log that was never
// appended to has none.
func CheckTail(ctx context.Context, r Hasher, key *Key, h TreeHead) error {
	if h.Log == "" {
		return nil
	}
	root, err := RootAt(ctx, r, h.Log, h.Size)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTail, err)
	}
	if !hmac.Equal(key.Seal(h, root), h.MAC) {
		return fmt.Errorf("%w: log %s, up to entry %d; nothing is appended or signed: run `retentiond audit verify`, restore the state store from a copy, or accept it with `retentiond check --adopt --by NAME --reason TEXT`", ErrTail, h.Log, h.Size)
	}
	return nil
}

// setHead stores the head under a new seal.
func setHead(ctx context.Context, tx Tx, key *Key, h TreeHead) error {
	root, err := RootAt(ctx, tx, h.Log, h.Size)
	if err != nil {
		return err
	}
	h.MAC = key.Seal(h, root)
	return tx.SetHead(ctx, h)
}
