package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// declare tells a source of files what datasets ask of it, under every name that it
// has.
func (e *Engine) declare(src retention.Source, names []string, all []*retention.Policy) error {
	l, ok := src.(retention.Lister)
	if !ok {
		return nil
	}
	var sets []retention.Files
	for _, p := range all {
		for i := range p.Datasets {
			if d := &p.Datasets[i]; d.Files != nil && slices.Contains(names, d.Source) {
				sets = append(sets, *d.Files)
			}
		}
	}
	return l.Declare(sets, e.rowReader)
}

// rowReader is a database that tells something of files.
func (e *Engine) rowReader(ctx context.Context, name string) (retention.RowReader, error) {
	src, err := e.source(ctx, name)
	if err != nil {
		return nil, err
	}
	r, ok := src.(retention.RowReader)
	if !ok {
		return nil, fmt.Errorf("source %q has no rows that tell of files: name one database", name)
	}
	return r, nil
}

// listing is how much longer than a catalogue a listing of files may take.
const listing = 30

// describing is how long the source may take to be described.
func (e *Engine) describing(name string, about concern) time.Duration {
	most := describing * about.patience(name)
	if e.Sources[name].keepsFiles() {
		most *= listing
	}
	return most
}

// keepsFiles is whether the source is of files, or of objects: rows may own them.
func (r *SourceRef) keepsFiles() bool {
	return r != nil && (r.Driver == "files" || r.Driver == "s3")
}
