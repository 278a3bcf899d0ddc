package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/vault"
)

// restoreRows gives the picked rows to a file or a table, and counts them by table.
func (h *house) restoreRows(ctx context.Context, r *restoring, segments []chosen) (map[string]int64, error) {
	if r.table != "" {
		return h.restoreTable(ctx, r, segments)
	}
	return restoreFile(ctx, r, segments)
}

// picked calls f with the picked rows of all segments. Only where it returns no
// error were they what was sealed.
func picked(ctx context.Context, r *restoring, segments []chosen, f func(t *retention.SegmentTable, row []any) error) error {
	for _, c := range segments {
		x := vault.NewPicker(r.pick)
		err := c.vault.Read(ctx, c.segment, r.who, func(t *retention.SegmentTable, row []any) error {
			if !x.Takes(t, row) {
				return nil
			}
			return f(t, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// restoreFile writes JSON lines to a new file, which is there once all of it is
// right.
func restoreFile(ctx context.Context, r *restoring, segments []chosen) (rows map[string]int64, err error) {
	temp := filepath.Join(filepath.Dir(r.to), ".unfinished-"+filepath.Base(r.to))
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, usage("remove it, if nobody writes it now", "--to: %s is there already", temp)
	}
	if err != nil {
		return nil, usage("name a file in a directory that can be written", "--to: %v", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	rows = map[string]int64{}
	w := bufio.NewWriter(f)
	err = picked(ctx, r, segments, func(t *retention.SegmentTable, row []any) error {
		line, err := vault.Values(t, row)
		if err == nil {
			_, err = w.Write(line)
		}
		rows[t.Name.String()]++
		return err
	})
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return rows, os.Rename(temp, r.to)
}

// restoreTable inserts the rows of one archived table, all or none.
func (h *house) restoreTable(ctx context.Context, r *restoring, segments []chosen) (map[string]int64, error) {
	source, t, err := r.archived(segments)
	if err != nil {
		return nil, err
	}
	ref := h.engine.Sources[source]
	if ref == nil {
		return nil, usage("name a configured source with --source", "source %q is not configured", source)
	}
	src, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }() // what it wrote is durable
	into := retention.TableName{Schema: t.Name.Schema, Name: r.into}
	n, err := src.Restore(ctx, into, t.Columns, func(insert func([]any) error) error {
		return picked(ctx, r, segments, func(x *retention.SegmentTable, row []any) error {
			if x.Name != t.Name {
				return nil
			}
			if !sameColumns(x.Columns, t.Columns) {
				return fmt.Errorf("table %s had other columns when other segments were sealed: restore them one by one, by name", t.Name)
			}
			return insert(row)
		})
	})
	return map[string]int64{t.Name.String(): n}, err
}

func sameColumns(a, b []retention.SegmentColumn) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

// archived finds the archived table, and its source.
func (r *restoring) archived(segments []chosen) (source string, t *retention.SegmentTable, err error) {
	for _, c := range segments {
		for i := range c.segment.Tables {
			x := &c.segment.Tables[i]
			if x.Name.String() != r.from && x.Name.Name != r.from {
				continue
			}
			if t != nil && (source != c.segment.Source || t.Name != x.Name) && r.source == "" {
				return "", nil, usage("narrow with --policy and --rule", "table %q was archived from several sources", r.from)
			}
			if t == nil {
				source, t = c.segment.Source, x
			}
		}
	}
	if t == nil {
		return "", nil, usage("`retentiond archive show SEGMENT` lists its tables", "no such segment has rows of a table %q", r.from)
	}
	if r.source != "" {
		source = r.source
	}
	return source, t, nil
}
