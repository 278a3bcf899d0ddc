package s3

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/retentiond/retentiond/connectors/objects"
)

// version is one of an object's.
type version struct {
	id     string // empty: the bucket has no versions
	etag   string
	nanos  int64
	marker bool // it says that the object was deleted
}

// null is the identifier of a version that was put while the bucket kept none. As
// long as it keeps none another content may come under it.
const null = "null"

// lasting is whether only a removal of that very version ends it.
func (v version) lasting() bool { return v.id != "" && v.id != null }

// identity tells an object with those versions from any other, and names them.
func identity(all []version) string {
	var b strings.Builder
	for _, v := range all {
		b.WriteString(v.id + "\t" + v.etag + "\t" + strconv.FormatInt(v.nanos, 36) + "\t" + strconv.FormatBool(v.marker) + "\n")
	}
	return b.String()
}

// versionsOf reads an identity; the newest version comes first.
func versionsOf(identity string) (out []version) {
	for line := range strings.Lines(identity) {
		p := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(p) != 4 {
			continue
		}
		nanos, _ := strconv.ParseInt(p[2], 36, 64) // as it was written
		out = append(out, version{p[0], p[1], nanos, p[3] == "true"})
	}
	return out
}

// Fate is what became of an object that was to go: something of it is there, all of
// it is gone, or another content came in its place and nobody knows how it ended.
func (t *Tree) Fate(was, now objects.Object) error {
	there := map[version]bool{}
	for _, v := range versionsOf(now.ID) {
		there[v] = true
	}
	lasting := true
	for _, v := range versionsOf(was.ID) {
		if there[v] {
			return objects.ErrRemains
		}
		lasting = lasting && v.lasting()
	}
	if now.Path != "" && !lasting {
		return objects.ErrChanged
	}
	return nil
}

// gather makes an object of versions.
type gather struct {
	path   string
	latest string // identifier of the version that the name leads to
	known  bool   // the service said which one that is
	all    []version
	sizes  map[version]int64
}

// take adds a version, unless it has it.
func (g *gather) take(i minio.ObjectInfo) {
	v := version{i.VersionID, i.ETag, i.LastModified.UnixNano(), i.IsDeleteMarker}
	if slices.Contains(g.all, v) {
		return
	}
	if i.IsLatest {
		g.latest, g.known = v.id, true
	}
	if g.sizes == nil {
		g.sizes = map[version]int64{}
	}
	g.sizes[v] = i.Size
	g.all = append(g.all, v)
}

// object is what was gathered: the newest version first, as it goes last. Its time is
// the latest of all, so that the object is never older than it is (L2).
func (g *gather) object() objects.Object {
	o := objects.Object{Path: g.path, More: len(g.all) - 1}
	for i, v := range g.all {
		if i == 0 || v.nanos > o.Nanos {
			o.Nanos = v.nanos
		}
	}
	at := slices.IndexFunc(g.all, func(v version) bool { return g.known && v.id == g.latest || !g.known && v.nanos == o.Nanos })
	newest := g.all[at]
	rest := slices.Delete(slices.Clone(g.all), at, at+1)
	slices.SortStableFunc(rest, func(a, b version) int { // services list markers here or there, and contents from the newest on
		switch {
		case a.marker && b.marker:
			return cmp.Or(cmp.Compare(b.nanos, a.nanos), strings.Compare(a.id, b.id))
		case a.marker:
			return 1
		case b.marker:
			return -1
		}
		return 0
	})
	all := slices.Insert(rest, 0, newest)
	o.ID = identity(all)
	o.Size, o.Sizes = g.measures(all)
	return o
}

// measures are the bytes of the newest content, and of each of them.
func (g *gather) measures(all []version) (newest int64, each string) {
	var b []byte
	for _, v := range all {
		if v.marker {
			continue
		}
		if b == nil {
			newest = g.sizes[v]
		} else {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, g.sizes[v], 10)
	}
	return newest, string(b)
}
