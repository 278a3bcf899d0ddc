package main

import (
	"errors"
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

const module = "github.com/retentiond/retentiond/"

// mayImport is the house: which of our packages a package may import. A package
// that is not listed fails the test: the house has no unnamed rooms.
func mayImport() map[string][]string {
	words := []string{"retention", "retention/audit", "retention/calendar"}
	return map[string][]string{
		"retention/audit":     nil,
		"retention/calendar":  {"retention/spelling"},
		"retention/spelling":  nil,
		"retention":           {"retention/audit", "retention/calendar"},
		"retention/bind":      append([]string{"retention/spelling"}, words...),
		"retention/engine":    append([]string{"retention/bind", "retention/schedule"}, words...),
		"retention/state":     words,
		"retention/console":   {"retention", "retention/audit", "retention/schedule"},
		"retention/notify":    {"retention", "retention/schedule", "retention/console"},
		"retention/schedule":  words,
		"retention/buckets":   nil,
		"retention/vault":     append([]string{"retention/buckets"}, words...),
		"connectors/sqlgen":   {"retention"},
		"connectors/sqlwork":  {"retention", "connectors/sqlgen"},
		"connectors/sqlite":   {"retention", "retention/calendar", "connectors/sqlgen", "connectors/sqlwork"},
		"connectors/mysql":    {"retention", "retention/calendar", "connectors/sqlgen", "connectors/sqlwork"},
		"connectors/postgres": {"retention", "retention/calendar", "connectors/sqlgen", "connectors/sqlwork"},
		// Listings of files are tables of a private SQLite database: one SQL, one set of tests.
		"connectors/objects":               {"retention", "retention/vault", "connectors/sqlgen", "connectors/sqlwork", "connectors/sqlite"},
		"connectors/files":                 {"retention", "connectors/objects"},
		"connectors/s3":                    {"retention", "retention/buckets", "connectors/objects"},
		"connectors":                       {"retention", "connectors/sqlite", "connectors/postgres", "retention/buckets", "connectors/mysql", "connectors/files", "connectors/s3"},
		"connectors/conntest":              append([]string{"retention/bind"}, words...),
		"connectors/conntest/servers":      nil,
		"connectors/conntest/servers/with": {"connectors/conntest/servers"},
		"policies":                         {"retention", "retention/calendar", "retention/spelling"},
		"configs":                          {"retention/calendar", "retention/spelling"},
		"configs/packaging/sbom":           nil,
		"testdata":                         nil,
		"cmd/retentiond":                   {"*"},
		"cmd/retentiond/bench":             {"*"},
	}
}

func TestImportsFollowTheHouse(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	house := mayImport()
	seen := 0
	for _, dir := range packageDirs(t, root) {
		pkg, err := build.ImportDir(filepath.Join(root, dir), 0)
		if err != nil {
			var none *build.NoGoError
			if errors.As(err, &none) {
				continue
			}
			t.Fatalf("%s: %v", dir, err)
		}
		allowed, known := house[dir]
		if !known {
			t.Errorf("package %s has no place in the house: add it to this table and to CONTRIBUTING.md, or move it", dir)
			continue
		}
		seen++
		for _, imp := range pkg.Imports {
			if ours, ok := strings.CutPrefix(imp, module); ok && !allows(allowed, ours) {
				t.Errorf("%s imports %s: it may import only %v of ours", dir, ours, allowed)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("looked at %d packages only: the walk is broken", seen)
	}
}

// The zones are in the binary: an empty image has none, and there no policy would
// load. Tests link them anyway, and so cannot tell.
func TestZonesAreInTheBinary(t *testing.T) {
	pkg, err := build.ImportDir("../../retention/calendar", 0)
	if err != nil || !slices.Contains(pkg.Imports, "time/tzdata") {
		t.Errorf("retention/calendar imports %v, without time/tzdata: %v", pkg.Imports, err)
	}
}

func allows(allowed []string, pkg string) bool {
	for _, a := range allowed {
		if a == pkg || a == "*" && !strings.HasPrefix(pkg, "cmd/") && !strings.HasPrefix(pkg, "connectors/conntest") {
			return true
		}
	}
	return false
}

func packageDirs(t *testing.T, root string) []string {
	t.Helper()
	set := map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != root || d.Name() == "bin") {
			return fs.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(p, ".go") {
			rel, err := filepath.Rel(root, filepath.Dir(p))
			if err != nil {
				return err
			}
			set[filepath.ToSlash(rel)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, 0, len(set))
	for d := range set {
		out = append(out, d)
	}
	sort.Strings(out)
	return out
}
