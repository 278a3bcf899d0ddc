package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/buckets"
)

var _ objects.Nested = (*Tree)(nil)

// Around refuses a prefix that lies within one that is bound to a gate of another store:
// a hold there would not be seen here (L3). What this user may not read says nothing.
func (t *Tree) Around(ctx context.Context, store string) error {
	for _, level := range above(t.o.Prefix) {
		bound, err := t.claimed(ctx, level)
		ours := !bound
		if bound && err == nil {
			outer := Tree{c: t.c, o: t.o}
			outer.o.Prefix = level
			err = outer.eachSeen(ctx, store, func(string, retention.Seen) error { ours = true; return nil })
		}
		if err != nil {
			return err
		}
		if !ours {
			return nested("%s lies within what object %q binds to the gate of another daemon: holds there would not be seen here. Let one state store act on both; "+
				"remove that object only if nothing else acts there", t.Name(), t.o.Bucket+"/"+level+claim)
		}
	}
	return nil
}

// above are the levels around a prefix, the outermost first.
func above(prefix string) (out []string) {
	if prefix != "" {
		out = append(out, "")
	}
	for i := range len(prefix) - 1 {
		if prefix[i] == '/' {
			out = append(out, prefix[:i+1])
		}
	}
	return out
}

// strange refuses where a level between the prefix and that path is bound to a gate of
// its own. What lies deeper is found where it is listed.
func (t *Tree) strange(ctx context.Context, below string) error {
	for i := range len(below) {
		if below[i] != '/' {
			continue
		}
		bound, err := t.claimed(ctx, t.o.Prefix+below[:i+1])
		if err != nil {
			return err
		}
		if bound {
			return t.elsewhere(below[:i+1] + claim)
		}
	}
	return nil
}

// elsewhere is what a claim below the prefix says.
func (t *Tree) elsewhere(p string) error {
	return nested("%s: object %s binds what lies there to another gate: holds here would not stop who acts by that one; write patterns or a prefix that do not lead there", t.Name(), t.shown(p))
}

// isClaim is whether the path is that of a claim below the prefix.
func isClaim(p string) bool {
	dir, name := path.Split(p)
	return name == claim && dir != ""
}

// claimed is whether there is a claim at that level, as far as this user may know.
func (t *Tree) claimed(ctx context.Context, level string) (bool, error) {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	_, err := t.c.StatObject(ctx, t.o.Bucket, level+claim, minio.StatObjectOptions{})
	if err == nil {
		return true, nil
	}
	if minio.ToErrorResponse(err).StatusCode == http.StatusForbidden {
		return false, nil
	}
	if err = buckets.Said(err); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return false, fmt.Errorf("object %q, which binds what lies there to a gate: %w", t.o.Bucket+"/"+level+claim, err)
}

func nested(format string, args ...any) error {
	return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(format, args...)}
}
