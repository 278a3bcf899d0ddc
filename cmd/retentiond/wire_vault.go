package main

import (
	"maps"
	"slices"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention/buckets"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/vault"
)

// vaults are the configured vaults. One that cannot be used refuses its own rules,
// not others.
func (h *house) vaults() map[string]engine.Vault {
	out := map[string]engine.Vault{}
	h.sealed = map[string]*vault.Vault{}
	for name, v := range h.cfg.Vaults {
		x := engine.Vault{Name: name, Source: v.Source, Schema: v.Schema, Prefix: v.Prefix, Sealed: v.Source == ""}
		if x.Sealed {
			sealed, err := vault.New(h.vaultOptions(name, v))
			if err != nil {
				x.Refused = err.Error()
			} else {
				x.Keeper, h.sealed[name] = sealed, sealed
			}
		}
		out[name] = x
	}
	if len(h.sealed) > 0 {
		boundSealing()
	}
	return out
}

func (h *house) vaultOptions(name string, v configs.Vault) vault.Options {
	o := vault.Options{Name: name, Path: v.Path, Recipients: v.Recipients, Store: h.store.UUID(), Key: h.key, Places: h.store}
	if s := v.S3; s != nil {
		b := bucketOf(*s)
		o.S3 = &b
	}
	return o
}

// bucketOf is a bucket as it was configured, for vaults and for sources.
func bucketOf(s configs.S3) buckets.Options {
	return buckets.Options{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix,
		AccessKey: s.AccessKey.Reveal(), SecretKey: s.SecretKey.Reveal(), PathStyle: s.PathStyle}
}

// sealedNames are the sealed vaults that can be used, in order.
func (h *house) sealedNames() []string { return slices.Sorted(maps.Keys(h.sealed)) }
