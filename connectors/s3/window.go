package s3

import (
	"errors"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
)

// window puts together what a listing says of each name. Services list names in
// order; some put the delete markers of a page behind its versions, and some begin a
// page with what the last one ended with.
type window struct {
	f    func(o objects.Object) error
	open map[string]*gather
	done string // the last name that was passed on
	some bool
}

func (w *window) take(path string, i minio.ObjectInfo) {
	if w.open == nil {
		w.open = map[string]*gather{}
	}
	g := w.open[path]
	if g == nil {
		g = &gather{path: path}
		w.open[path] = g
	}
	g.take(i)
}

// flush passes on, in the order of their names, all objects, or those before a name.
func (w *window) flush(all bool, before string) error {
	var whole []*gather
	for path, g := range w.open {
		if all || path < before {
			whole = append(whole, g)
			delete(w.open, path)
		}
	}
	slices.SortFunc(whole, func(a, b *gather) int { return strings.Compare(a.path, b.path) })
	for _, g := range whole {
		if w.some && g.path <= w.done {
			return errors.New("the service does not list names in their order, so that it is not known what is there")
		}
		w.some, w.done = true, g.path
		if err := w.f(g.object()); err != nil {
			return err
		}
	}
	return nil
}
