package s3

import (
	"errors"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
)

// window puts together what a listing says of each name. Services list names in
// order; some put the delete markers of a page behind its versions. So an object is
// whole when nothing was said of it for as long as two pages.
type window struct {
	wide  int // entries; 0: the names have no versions
	f     func(o objects.Object) error
	open  map[string]*gather
	n     int    // entries so far
	again int    // how many in a row it had before
	done  string // the last name that was passed on
	some  bool
}

func (w *window) take(path string, i minio.ObjectInfo) error {
	if w.open == nil {
		w.open = map[string]*gather{}
	}
	g := w.open[path]
	if g == nil {
		g = &gather{path: path}
		w.open[path] = g
	}
	if !g.take(i) { // some begin a page with what the last one ended with
		if w.again++; w.again > bulk {
			return errors.New("the service lists the same versions again and again, so that it is not known what is there")
		}
		return nil
	}
	w.again = 0
	w.n++
	if g.last = w.n; w.wide > 0 && w.n%(w.wide/2) != 0 {
		return nil
	}
	return w.flush(w.wide == 0)
}

// flush passes on, in the order of their names, those objects that are whole, or all.
func (w *window) flush(all bool) error {
	var whole []*gather
	for path, g := range w.open {
		if all || w.n-g.last > w.wide {
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
