package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// pathOf is the file that a DSN names: a path, or one after "file:" or
// "sqlite:". Whatever else was written there, a password among it, is in no
// error: the caller names the source.
func pathOf(dsn string) (string, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite:"), "file:")
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	switch {
	case foreign(path):
		return "", refusal(retention.RefuseSourceDown, "the dsn is a URL or of another kind of database; driver sqlite takes the path of a file")
	case path == "" || strings.Contains(path, ":memory:"):
		return "", refusal(retention.RefuseSourceDown, "the dsn names no file; driver sqlite takes the path of a file")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", refusal(retention.RefuseSourceDown, "the dsn's path cannot be made absolute: %v", reason(err))
	}
	// Stat neither opens nor closes the file, so it drops no lock.
	info, err := os.Stat(abs)
	switch {
	case err != nil && strings.Contains(path, "?"):
		return "", refusal(retention.RefuseSourceDown, "the dsn has options; options are not allowed, write the path alone")
	case errors.Is(err, fs.ErrNotExist):
		return "", refusal(retention.RefuseSourceDown, "database file %s does not exist; retentiond never makes one", shown(abs))
	case err != nil:
		return "", refusal(retention.RefuseSourceDown, "database file %s: %v", shown(abs), reason(err))
	case info.IsDir():
		return "", refusal(retention.RefuseSourceDown, "%s is a directory, not a database file", abs)
	}
	return abs, nil
}

// foreign reports whether the text is a URL, or a DSN as other drivers take it.
func foreign(path string) bool {
	return regexp.MustCompile(`(?i)(^|/)[a-z][a-z0-9+.-]*:/|@(tcp|unix)?\(|(^|\s)(password|passwd|pwd)\s*=`).MatchString(path)
}

// shown is a path for an error. No file is there: what looks like more than a
// path is not repeated.
func shown(path string) string {
	if strings.ContainsAny(path, "@=;&") {
		return "(hidden: the dsn is more than a path)"
	}
	return path
}

// reason is what the system says, without the path.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
