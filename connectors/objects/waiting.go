package objects

import (
	"context"
	"encoding/json"

	"github.com/retentiond/retentiond/retention"
)

// what [Object.Same] compares, as it is written beside the name of a row's file.
type what struct {
	ID               string
	Size, Nanos, Far int64
}

func whatOf(o Object) what { return what{o.ID, o.Size, o.Nanos, o.Far} }

// present are the files that are there, with what they are: a file that comes to have
// the name later is another one's, whose row may not be written yet (L6).
func (s *Source) present(ctx context.Context, files []retention.OwnedFile) ([]retention.OwnedFile, error) {
	there, err := s.e.still(ctx, files)
	if err != nil {
		return nil, err
	}
	var out []retention.OwnedFile
	for i, f := range files {
		if there[i].Path == "" {
			continue
		}
		if there[i].ID != "" {
			b, err := json.Marshal(whatOf(there[i]))
			if err != nil {
				return nil, err
			}
			f.Was = string(b)
		}
		out = append(out, f)
	}
	if len(out) < len(files) {
		return out, s.mounted(ctx)
	}
	return out, nil
}

// is whether the object is the file that was there when its row went, as far as that
// could be seen.
func is(f retention.OwnedFile, o Object) bool {
	if f.Was == "" {
		return true
	}
	var w what
	return json.Unmarshal([]byte(f.Was), &w) == nil && w == whatOf(o)
}

// Waiting counts the files whose rows are gone and that are there still.
func (s *Source) Waiting(ctx context.Context, holds func(ctx context.Context) (*retention.HoldSet, error)) ([]retention.FilesWaiting, error) {
	names, err := s.readyNames(ctx)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	h, err := holds(ctx)
	if err != nil {
		return nil, err
	}
	by := keepingBy(h)
	var out []retention.FilesWaiting
	at := map[retention.FilesWaiting]int{}
	for _, name := range names {
		f, err := readOwned(name)
		if err != nil {
			return out, err
		}
		there, err := s.e.still(ctx, f.Files)
		if err != nil {
			return out, err
		}
		key := retention.FilesWaiting{Policy: f.Policy, Rule: f.Rule, Dataset: f.Dataset, Table: f.Table, Stage: f.Stage}
		i, ok := at[key]
		if !ok {
			i, out = len(out), append(out, key)
			at[key] = i
		}
		count(&out[i], f, there, by)
	}
	return out, nil
}

func count(w *retention.FilesWaiting, f retention.OwnedFiles, there []Object, by *keeping) {
	for i, o := range there {
		switch {
		case o.Path == "":
		case o.ID == "":
			w.Odd++
		case !is(f.Files[i], o):
			w.Changed++
		case by.held(&f, f.Files[i].About):
			w.Held++
		default:
			w.Ready++
		}
	}
}
