package engine

import (
	"path"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// oddities are the files, as folded paths, that rows name in a roundabout way
// (a//b, a/./b, a/../a/b), by column. Such spellings have no end, so that no index finds
// them: each row is read, once a run, and only these few are kept in memory.
type oddities map[column]map[string]bool

type column struct {
	row  retention.FileRow
	path string
}

func (o oddities) of(n *namer) (map[string]bool, error) {
	key := column{n.row, n.path}
	if found := o[key]; found != nil {
		return found, nil
	}
	found := map[string]bool{}
	before, rest, _ := strings.Cut(n.path, "{")
	_, after, _ := strings.Cut(rest, "}")
	if err := n.ask(nil, func(by string) {
		if strings.TrimPrefix(path.Clean("/"+by), "/") != by {
			found[fold(before+by+after)] = true
		}
	}); err != nil {
		return nil, err
	}
	o[key] = found
	return found, nil
}
