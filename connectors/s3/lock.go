package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
)

// locks is whether the bucket may keep objects by itself.
func (t *Tree) locks(ctx context.Context) (bool, error) {
	var is struct{ ObjectLockEnabled string }
	there, err := t.ask(ctx, "", "", "object-lock", &is)
	if err != nil {
		return false, fmt.Errorf("%s: whether it locks objects: %w", t.Name(), err)
	}
	return there, nil
}

// unlocked is whether a service says so that no lock is there.
func unlocked(err error) bool {
	var a answered
	return errors.As(err, &a) && (a.Code == "ObjectLockConfigurationNotFoundError" || a.Code == "NoSuchObjectLockConfiguration" || a.status == http.StatusNotImplemented)
}

// lock is until when a version is kept. It is asked for by name: who may not see locks
// is shown none among a version's other properties.
func (t *Tree) lock(ctx context.Context, path, version string) (string, error) {
	var hold struct{ Status string }
	if there, err := t.ask(ctx, t.o.Prefix+path, version, "legal-hold", &hold); err != nil {
		return "", t.failed(path, "its legal hold", err)
	} else if there && hold.Status != string(minio.LegalHoldDisabled) {
		return objects.ForGood, nil
	}
	var kept struct{ RetainUntilDate string }
	there, err := t.ask(ctx, t.o.Prefix+path, version, "retention", &kept)
	if err != nil {
		return "", t.failed(path, "its retention", err)
	}
	if !there {
		return "", nil
	}
	at, err := time.Parse(time.RFC3339Nano, kept.RetainUntilDate)
	if err != nil {
		return objects.ForGood, nil
	}
	if rest := at.Nanosecond(); rest > 0 {
		at = at.Add(time.Second - time.Duration(rest))
	}
	return at.UTC().Format(time.RFC3339), nil
}

// ask reads what a version, or the bucket, has under that name; there: it has something. Services
// name the element around it in several ways, which the client library refuses.
func (t *Tree) ask(ctx context.Context, key, version, what string, into any) (there bool, err error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	ask := url.Values{what: {""}}
	if version != "" {
		ask.Set("versionId", version)
	}
	err = t.again(ctx, func() (bool, error) {
		text, again, err := t.call(ctx, http.MethodGet, key, ask, nil, nil)
		if err == nil && xml.Unmarshal(text, into) != nil {
			return true, errors.New("the service's answer cannot be read")
		}
		return again, err
	})
	if err != nil && unlocked(err) {
		return false, nil
	}
	return err == nil, err
}

// later is the lock that lasts longer. Both are of one form, so that they compare as
// texts.
func later(a, b string) string {
	if a == objects.ForGood || b == objects.ForGood {
		return objects.ForGood
	}
	return max(a, b)
}
