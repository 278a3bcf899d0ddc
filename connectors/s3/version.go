package s3

import (
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

// identity tells an object with those versions from any other, and names them.
func identity(all []version) string {
	var b strings.Builder
	for _, v := range all {
		b.WriteString(v.id + "\t" + v.etag + "\t" + strconv.FormatInt(v.nanos, 36) + "\t" + strconv.FormatBool(v.marker) + "\n")
	}
	return b.String()
}

// versionsOf reads an identity.
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

// Remains is whether a version of the one is in the other.
func (t *Tree) Remains(was, now string) bool {
	there := map[version]bool{}
	for _, v := range versionsOf(now) {
		there[v] = true
	}
	for _, v := range versionsOf(was) {
		if there[v] {
			return true
		}
	}
	return false
}

// gather makes an object of versions.
type gather struct {
	path    string
	markers []version
	all     []version // with content, the newest first
	size    int64     // of the newest
	last    int       // number of the entry that was taken last
}

// take is false where it has the version already: a listing that goes in circles
// would never end.
func (g *gather) take(i minio.ObjectInfo) bool {
	v := version{i.VersionID, i.ETag, i.LastModified.UnixNano(), i.IsDeleteMarker}
	if slices.Contains(g.all, v) || slices.Contains(g.markers, v) {
		return false
	}
	if v.marker {
		g.markers = append(g.markers, v)
		return true
	}
	if g.all = append(g.all, v); len(g.all) == 1 {
		g.size = i.Size
	}
	return true
}

// object is what was gathered. The newest version's time is its own, were another
// one listed before it or not: the object is never older than it is (L2).
func (g *gather) object() objects.Object {
	all := append(g.markers, g.all...)
	o := objects.Object{Path: g.path, Size: g.size, ID: identity(all), More: len(all) - 1}
	for i, v := range all {
		if i == 0 || v.nanos > o.Nanos {
			o.Nanos = v.nanos
		}
	}
	return o
}
