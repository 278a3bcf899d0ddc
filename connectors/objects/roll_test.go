package objects

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/retention"
)

// shelf is one listing, as a roll or as a table.
type shelf struct {
	l    *line
	e    *engine
	set  *set
	roll bool
}

func newShelf(t *testing.T, roll bool) *shelf {
	t.Helper()
	all, err := newSets([]retention.Files{{Pattern: "*", Columns: []retention.FileColumn{{Name: "at", Match: `(?P<at>\d{8})`, Clock: true}, {Name: "who", Match: `u(?P<id>\d+)`}}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLine(t.Context(), filepath.Join(t.TempDir(), "gate.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.close() })
	return &shelf{l, &engine{line: l}, all[0], roll}
}

// fill lists the files anew.
func (s *shelf) fill(ctx context.Context, of []Object) error {
	f, err := s.e.newFiller(ctx, s.l.conn, s.set)
	if err == nil && !s.roll {
		err = f.unroll(ctx)
	}
	for i := 0; err == nil && i < len(of); i++ {
		err = f.add(ctx, of[i])
	}
	if err == nil {
		err = f.end(ctx)
	}
	return errors.Join(err, s.l.rolls.settle([]*set{s.set}, err == nil))
}

// rows are what a query says.
func rows(ctx context.Context, conn *sqlx.Conn, query string, args ...any) (string, error) {
	r, err := conn.QueryxContext(ctx, query, args...)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var out strings.Builder
	for r.Next() {
		v, err := r.SliceScan()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%q\n", v)
	}
	return out.String(), r.Err()
}

func drawnFiles(r *rapid.T) []Object {
	name := rapid.StringMatching(`(a|b/|b-|b/c/)?u[0-9]{1,2}-(20[0-9]{6}|é|\n|"|x)(\.log|\.tar\.gz)?`)
	names := rapid.SliceOfNDistinct(name, 0, 900, rapid.ID[string]).Draw(r, "names")
	if len(names) > 0 && rapid.Bool().Draw(r, "odd bytes") {
		names = append(names, names[0]+"\xff")
	}
	slices.Sort(names)
	out := make([]Object, len(names))
	for i, n := range names {
		out[i] = Object{Path: n, Size: rapid.Int64Range(0, 9).Draw(r, "size"), Nanos: rapid.Int64().Draw(r, "nanos"), More: rapid.IntRange(0, 2).Draw(r, "more"), ID: rapid.StringN(0, 3, 3).Draw(r, "id")}
		if rapid.IntRange(0, 9).Draw(r, "is far") == 0 {
			out[i].Far = rapid.Int64().Draw(r, "far")
		}
	}
	return out
}

// A roll says, whatever it is asked and whatever is changed in it or taken back, what a
// table of SQLite with the same files says.
func TestRollIsATable(t *testing.T) {
	a, b := newShelf(t, true), newShelf(t, false)
	ctx := t.Context()
	rapid.Check(t, func(r *rapid.T) {
		files := drawnFiles(r)
		for _, s := range []*shelf{a, b} {
			if err := s.fill(ctx, files); err != nil {
				r.Fatal(err)
			}
		}
		both := func(what func(s *shelf) (string, error)) {
			x, err := what(a)
			y, other := what(b)
			if err != nil || other != nil {
				r.Fatalf("%v, %v", err, other)
			}
			if diff := cmp.Diff(y, x); diff != "" {
				r.Fatalf("the roll says otherwise (- table, + roll):\n%s", diff)
			}
		}
		path := func(what string) string {
			if len(files) == 0 || rapid.IntRange(0, 5).Draw(r, "any") == 0 {
				return rapid.SampledFrom([]string{"", "a", "b/", "b/c/u", "zz", "\xff"}).Draw(r, what)
			}
			return rapid.SampledFrom(files).Draw(r, what).Path
		}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			p, q, n := path("from"), path("to"), rapid.IntRange(0, 40).Draw(r, "limit")
			query, args := "", []any{}
			switch rapid.IntRange(0, 6).Draw(r, "ask") {
			case 0:
				query = `SELECT path, name, stem, size, modified, retentiond_was, at, who, retentiond_lost FROM main."*" ORDER BY path`
			case 1:
				query, args = `SELECT path, size FROM main."*" WHERE path > ? AND path <= ? ORDER BY path LIMIT ?`, []any{p, q, n}
			case 2:
				query, args = `SELECT path, modified FROM main."*" WHERE path BETWEEN ? AND ? ORDER BY path LIMIT 1 OFFSET ?`, []any{p, q, n}
			case 3:
				query, args = `SELECT path FROM main."*" WHERE path IN (?, ?) AND who IS NOT NULL ORDER BY path DESC`, []any{p, q}
			case 4:
				query, args = `SELECT k.value, t.size, t.at FROM json_each(json_array(?, ?)) AS k LEFT JOIN main."*" AS t ON t.path = k.value ORDER BY 1, 2`, []any{strings.ToValidUTF8(p, ""), "none"}
			case 5:
				query = `SELECT at, count(*), sum(size), max(path) FROM main."*" GROUP BY at ORDER BY at`
			case 6:
				query, args = `SELECT count(*) FROM main."*" WHERE path > ? OR path = ?`, []any{7, []byte(p)}
			}
			both(func(s *shelf) (string, error) { return rows(ctx, s.l.conn, query, args...) })
			size, stays := rapid.Int64Range(10, 99).Draw(r, "new size"), rapid.Bool().Draw(r, "stays")
			change := rapid.SampledFrom([]string{`DELETE FROM main."*" WHERE path = ?`, `DELETE FROM main."*" AS t WHERE path >= ? AND size % 2 = 1`, `UPDATE main."*" SET size = ?, modified = ?, retentiond_was = ? WHERE path = ?`}).Draw(r, "change")
			both(func(s *shelf) (string, error) {
				o := Object{Path: p, Size: size, Nanos: size * 1e9, ID: "new"}
				with := []any{p}
				if strings.HasPrefix(change, "UPDATE") {
					with = []any{size, seconds(o), pack(nil, o), p}
				}
				if _, err := s.l.conn.ExecContext(ctx, "BEGIN"); err != nil {
					return "", err
				}
				res, err := s.l.conn.ExecContext(ctx, change, with...)
				if err != nil {
					return "", err
				}
				done, err := res.RowsAffected()
				if err != nil {
					return "", err
				}
				_, err = s.l.conn.ExecContext(ctx, map[bool]string{true: "COMMIT", false: "ROLLBACK"}[stays])
				return fmt.Sprint(done), err
			})
			keys := []retention.Key{{p}, {q}, {path("third")}}
			both(func(s *shelf) (string, error) {
				var list []seen
				err := s.l.read(ctx, func(c *sqlx.Conn) (err error) {
					list, err = s.e.listed(ctx, c, s.set, keys[:rapidDistinct(keys)])
					return err
				})
				return fmt.Sprintf("%+v", objectsOf(list)), err
			})
		}
	})
}

// rapidDistinct is how many of the keys, from the first on, differ.
func rapidDistinct(keys []retention.Key) int {
	for i := range keys {
		for j := range i {
			if keys[i][0] == keys[j][0] {
				return i
			}
		}
	}
	return len(keys)
}

func objectsOf(list []seen) []Object {
	out := make([]Object, len(list))
	for i := range list {
		out[i] = list[i].Object
	}
	return out
}

// Files that come in no order, as of a folder with very many, go into a table, all of
// them; a listing that fails leaves the one before.
func TestRollInNoOrder(t *testing.T) {
	s := newShelf(t, true)
	var of []Object
	for i := range 1000 {
		of = append(of, Object{Path: fmt.Sprintf("u%03d", i), Size: 1})
	}
	of = append(of, of[7], Object{Path: "u", Size: 1})
	count := func() string {
		got, err := rows(t.Context(), s.l.conn, `SELECT count(*), sum(size) FROM main."*"`)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 2 {
		if err := s.fill(t.Context(), of); err != nil {
			t.Fatal(err)
		}
		if got, want := count(), "['ϩ' 'ϩ']\n"; got != want {
			t.Errorf("it has %s, want %s", got, want)
		}
		if err := s.fill(t.Context(), of[:1000]); err != nil || s.l.rolls.of["*"] == nil {
			t.Errorf("in order it is no roll: %v", err)
		}
	}
	all := sets{s.set}
	stop := errors.New("the walk ends")
	s.e.tree = failing{err: stop}
	if err := s.e.list(t.Context(), all, nil); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if got, want := count(), "['Ϩ' 'Ϩ']\n"; got != want {
		t.Errorf("after a listing that failed it has %s, want %s", got, want)
	}
}

// failing is a tree whose walk breaks off.
type failing struct {
	Tree
	err error
}

func (f failing) Walk(_ context.Context, _ Patterns, each func(Object, []int) error) (Odd, error) {
	return Odd{}, errors.Join(each(Object{Path: "other"}, []int{0}), f.err)
}
