package sqlwork

import (
	"context"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// keepAstray leaves the rows whose files cannot be named, since a value leads out of
// their folder: such a row would go, and its file stay for ever, and nobody would know
// whose it was (L11). It is told before the row's other children are touched.
func (w *work) keepAstray(ctx context.Context) error {
	if len(w.b.Action.Owns) == 0 {
		return nil
	}
	var stay []string
	for _, o := range w.b.Action.Owns {
		found, path, err := w.astray(ctx, o, w.due)
		if err != nil {
			return fmt.Errorf("files of table %s: %w", o.Table, err)
		}
		if len(found) > 0 {
			w.b.Tell(int64(len(found)), fmt.Sprintf("rows of table %s stay: what they name leads out of the folder of their files (%q): "+
				"it is absolute, or has an empty part, . or ..; correct it, or write NULL where there is no file", w.b.Selection.Table.Name, path))
		}
		stay = append(stay, found...)
	}
	if len(stay) == 0 {
		return nil
	}
	return w.without(stay)
}

// astray are the keys, as texts, of rows that name such files, and the path.
func (w *work) astray(ctx context.Context, o retention.Owner, keys []retention.Key) (found []string, path string, err error) {
	if len(keys) == 0 {
		return nil, "", nil
	}
	list, err := keyList(w.b.Selection.Table, keys)
	if err != nil {
		return nil, "", err
	}
	if err := w.namesOf(ctx, o, list, func(row []*string) {
		if path == "" {
			path = o.Astray(row)
		}
	}); err != nil || path == "" {
		return nil, "", err
	}
	if len(keys) == 1 {
		text, err := keyJSON(keys[0])
		return []string{text}, path, err
	}
	for _, half := range [][]retention.Key{keys[:len(keys)/2], keys[len(keys)/2:]} { // few are
		some, _, err := w.astray(ctx, o, half)
		if err != nil {
			return nil, "", err
		}
		found = append(found, some...)
	}
	return found, path, nil
}

// without takes the keys out of what is due: a file forbids their rows to go.
func (w *work) without(stay []string) (err error) {
	slices.Sort(stay)
	stay = slices.Compact(stay)
	before := len(w.due)
	w.due = slices.DeleteFunc(slices.Clone(w.due), func(k retention.Key) bool {
		text, e := keyJSON(k)
		if e != nil && err == nil {
			err = e
		}
		_, stays := slices.BinarySearch(stay, text)
		return stays
	})
	n := int64(before - len(w.due))
	if err == nil {
		err = exactly(w.b.Selection.Table.Name, "left for their files", n, int64(len(stay)))
	}
	if err != nil {
		return err
	}
	w.out.Spared.Blocked += n
	w.list, err = keyList(w.b.Selection.Table, w.due)
	return err
}
