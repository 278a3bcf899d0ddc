package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// requests removes versions, up to a thousand in one request, and notes what the
// service said of each object.
func (r *removing) requests(ctx context.Context, list []doomed) {
	bare := slices.ContainsFunc(list, func(d doomed) bool { return d.bare })
	knows := notTried
	if bare {
		knows = r.t.compares(ctx)
	}
	var together, single []doomed
	for _, d := range list {
		if !writable(d.key) || d.bare && knows == inSingle {
			single = append(single, d)
		} else {
			together = append(together, d)
		}
	}
	for some := range slices.Chunk(together, bulk) {
		r.request(ctx, some, bare && knows == noConditions)
	}
	r.singles(ctx, single)
}

// request removes versions together.
func (r *removing) request(ctx context.Context, list []doomed, once bool) {
	ctx, done := context.WithTimeout(ctx, listTime)
	defer done()
	at := make(map[removal]int, len(list))
	ask := make([]removal, len(list))
	for i, d := range list {
		ask[i] = removal{Key: d.key, VersionID: d.id}
		at[ask[i]] = d.of
		if d.etag != "" {
			ask[i].ETag = `"` + d.etag + `"`
		}
	}
	answer, err := r.t.send(ctx, ask, once)
	if err != nil {
		for _, d := range list {
			r.said[d.of] = err
		}
		return
	}
	for _, d := range answer.Deleted {
		k := removal{Key: d.Key, VersionID: d.VersionID}
		if i, ok := at[k]; ok { // each counts once, however often it is told
			r.took[i]++
			delete(at, k)
		}
	}
	for _, e := range answer.Errors {
		if i, ok := at[removal{Key: e.Key, VersionID: e.VersionID}]; ok {
			r.said[i] = fmt.Errorf("the service answered %s", e.Code)
		}
	}
}

// singles removes versions one by one: those whose names cannot be written as XML,
// where a parser would read another name, and those whose ETag is compared only so.
func (r *removing) singles(ctx context.Context, list []doomed) {
	var mu sync.Mutex
	err := abreast(ctx, len(list), func(ctx context.Context, i int) error {
		ctx, done := context.WithTimeout(ctx, callTime)
		defer done()
		d := list[i]
		err := r.t.drop(ctx, d.key, d.id, d.etag)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			r.said[d.of] = err
		} else {
			r.took[d.of]++
		}
		return nil
	})
	if err != nil { // the run was stopped: those that did not begin are there
		for _, d := range list {
			if r.took[d.of] == 0 && r.said[d.of] == nil {
				r.said[d.of] = errors.Join(errors.New("it was not asked for"), err)
			}
		}
	}
}

// writable is whether the text is the same after a way through XML.
func writable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF
	})
}
