package engine

import (
	"context"
	"path"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// oddities are the files, as folded paths, that rows name in a roundabout way (a//b,
// a/./b, a/../a/b, a\b, or through a link), by column. Such spellings have no end, so that
// no index finds them: their database looks for them, once a run. Of links it knows nothing:
// where there may be some, each row is read. Only these few are kept in memory.
type oddities map[column]map[string]bool

type column struct {
	row  retention.FileRow
	path string
}

// lookedAt is how many names are looked at for links at once.
const lookedAt = 4096

func (o oddities) of(ctx context.Context, n *namer, owner retention.FileOwner) (map[string]bool, error) {
	key := column{n.row, n.path}
	if found := o[key]; found != nil {
		return found, nil
	}
	found := map[string]bool{}
	linked, links := owner.(retention.Linked)
	links = links && linked.Links()
	var some []string
	var failed error
	look := func() {
		if links && len(some) > 0 && failed == nil {
			failed = linked.Linked(ctx, some, func(real string) { found[fold(real)] = true })
		}
		some = some[:0]
	}
	before, rest, _ := strings.Cut(n.path, "{")
	_, after, _ := strings.Cut(rest, "}")
	err := n.ask(nil, !links && !beside(before), func(by string) {
		if straight(by) != by {
			found[fold(before+by+after)] = true
		}
		if some = append(some, straight(before+by+after)); len(some) == lookedAt {
			look()
		}
	})
	if look(); err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	o[key] = found
	return found, nil
}

// straight is the path that a name spells, from the root.
func straight(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

// beside is whether what stands before a row's value may make a roundabout path of any
// value.
func beside(before string) bool {
	last := before[strings.LastIndex(before, "/")+1:]
	return last == "." || last == ".."
}
