package vault

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/minio/minio-go/v7"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/buckets"
	"github.com/retentiond/retentiond/retention/state"
)

// home is a state store in a folder, with the vault that it shares with its copies.
type home struct {
	*testing.T
	*state.Store
	v *Vault
}

func homeIn(t *testing.T, dir string, o Options) home {
	t.Helper()
	key, err := audit.LoadOrCreateKey(filepath.Join(dir, "key"), "example.org/x")
	must(t, err)
	s, err := state.Open(t.Context(), state.Options{DSN: "sqlite:" + filepath.Join(dir, "state.db"), Key: key, Clock: time.Now})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	o.Name, o.Store, o.Key, o.Places = "sealed", s.UUID(), key, s
	v, err := New(o)
	must(t, err)
	return home{t, s, v}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lives appends to the log, and tells the vault.
func (h home) lives(holds int64, adopt bool) error {
	h.Helper()
	_, err := h.Record(h.Context(), audit.Event{Kind: audit.ConfigLoaded, Data: map[string]any{"what": "test"}})
	must(h.T, err)
	cp, err := h.Checkpoint(h.Context())
	must(h.T, err)
	return h.v.Saw(h.Context(), retention.Seen{Holds: holds, Log: cp.Total, Root: cp.Root}, adopt)
}

func (h home) files() string {
	h.Helper()
	names, err := h.v.store.list(h.Context())
	must(h.T, err)
	return strings.Join(names, " ")
}

func mismatched(err error) bool {
	r, ok := errors.AsType[*retention.Refusal](err)
	return ok && r.Code == retention.RefuseStateMismatch
}

// A copy of a state store neither ends segments, nor settles, sweeps or seals in a vault
// that the original went on with, until a person adopts it; then the original does not
// (L3, L9). Where nobody went on, either acts.
func TestCopyOfAStoreLeavesTheVault(t *testing.T) {
	t.Parallel()
	who, err := age.GenerateX25519Identity()
	must(t, err)
	disk := Options{Path: filepath.Join(t.TempDir(), "vault"), Recipients: []string{who.Recipient().String()}}
	service := disk
	s := servers.S3(t)
	service.S3 = &buckets.Options{Endpoint: "http://" + s.Addr, Region: "us-east-1", Bucket: "data", Prefix: "vault", AccessKey: s.AccessKey, SecretKey: s.SecretKey, PathStyle: true}
	for name, o := range map[string]Options{"disk": disk, "bucket": service} {
		t.Run(name, func(t *testing.T) {
			dir, copied := t.TempDir(), t.TempDir()
			first := homeIn(t, dir, o)
			if b, ok := first.v.store.(*bucket); ok {
				must(t, b.c.MakeBucket(t.Context(), "data", minio.MakeBucketOptions{}))
			}
			must(t, first.v.Check(t.Context()))
			name := sealFiles(t, first.v, map[string][]byte{"a": []byte("x")}, nil)[0].Name
			must(t, first.lives(0, false))
			must(t, first.Close())
			must(t, os.CopyFS(copied, os.DirFS(dir)))
			prod, staging := homeIn(t, dir, o), homeIn(t, copied, o)
			must(t, prod.v.Fits(t.Context()))
			must(t, staging.v.Fits(t.Context()))
			must(t, prod.lives(0, false))
			before := prod.files()
			left := func(string, string) (bool, error) { return true, nil }
			_, swept := staging.v.Sweep(t.Context(), left)
			for what, err := range map[string]error{
				"ends": staging.v.Remove(t.Context(), name), "settles": staging.v.RemoveOf(t.Context(), "r/1/1"),
				"begins": staging.v.Check(t.Context()), "tells": staging.lives(0, false), "sweeps": swept, "seals": second(staging.v.Begin(retention.SealOrder{Policy: &retention.Policy{}, Rule: &retention.Rule{}}).Seal(t.Context())),
			} {
				if !mismatched(err) {
					t.Errorf("the copy %s: %v", what, err)
				}
			}
			if got := prod.files(); got != before {
				t.Errorf("the vault has %s, and had %s", got, before)
			}
			must(t, prod.lives(0, false))
			must(t, staging.lives(0, true))
			if err := prod.v.RemoveOf(t.Context(), "r/1/1"); !mismatched(err) {
				t.Errorf("once the copy was adopted, the original settles: %v", err)
			}
			must(t, staging.lives(0, false))
			if marks, err := staging.v.marks(t.Context()); len(marks) != 1 || err != nil {
				t.Errorf("it keeps %v, %v", marks, err)
			}
			must(t, staging.v.Remove(t.Context(), name))
		})
	}
}

func second[T any](_ T, err error) error { return err }

// A vault that knows a version of the holds which its store has not is a copy's, or an
// older one's: a state folder that was restored forgets no hold (L3).
func TestVaultKnowsLaterHolds(t *testing.T) {
	t.Parallel()
	who, err := age.GenerateX25519Identity()
	must(t, err)
	h := homeIn(t, t.TempDir(), Options{Path: filepath.Join(t.TempDir(), "vault"), Recipients: []string{who.Recipient().String()}})
	must(t, h.lives(1, false))
	if err := h.v.Fits(t.Context()); err != nil || h.files() != "" {
		t.Errorf("a vault in which nothing was archived keeps %q: %v", h.files(), err)
	}
	must(t, h.v.Check(t.Context()))
	if err := h.lives(1, false); !mismatched(err) {
		t.Errorf("it knows a hold that its store has not: %v", err)
	}
	if err := h.v.Remove(t.Context(), "x"); !mismatched(err) {
		t.Errorf("a segment ends: %v", err)
	}
}
