package vault

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"golang.org/x/text/unicode/norm"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

var update = flag.Bool("update", false, "write fold.go anew from the server's collations")

// collations of every generation that MariaDB has, and of languages with letters of
// their own.
var collations = []string{
	"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "uca1400_ai_ci", "utf8mb4_swedish_ci", "utf8mb4_turkish_ci",
	"utf8mb4_danish_ci", "uca1400_german2_ai_ci", "uca1400_lithuanian_ai_ci", "utf8mb4_persian_ci", "utf8mb4_croatian_ci", "utf8mb4_vietnamese_ci",
}

// TestIndexFoldsAsCollationsDo asks a server of every character which others are
// equal to it: a hold finds in an index whatever it finds in the table (L3).
func TestIndexFoldsAsCollationsDo(t *testing.T) {
	classes, nothing := equals(t)
	if *update {
		writeFolds(t, classes, nothing)
		return
	}
	wrong := 0
	fail := func(format string, args ...any) {
		if wrong++; wrong <= 40 {
			t.Errorf(format, args...)
		}
	}
	for _, around := range [][2]string{{"x", "y"}, {"4", "2"}} {
		had := map[rune][]string{}
		of := func(c rune) []string {
			if had[c] == nil {
				had[c] = forms(around[0] + string(c) + around[1])
			}
			return had[c]
		}
		for c := range nothing {
			if got, want := of(c), forms(around[0]+around[1]); got[0] != want[0] {
				fail("%U is nothing to some collation: %q is %q, not %q", c, around, got, want)
			}
		}
		for _, class := range classes {
			first := of(class.of[0])
			for _, c := range class.of[1:] {
				if got := of(c); !slices.ContainsFunc(got, func(f string) bool { return slices.Contains(first, f) }) {
					fail("%s: %U (%c) = %U (%c), the index has %q and %q", class.collation, class.of[0], class.of[0], c, c, first, got)
				}
			}
		}
	}
	if len(classes) < 10000 {
		t.Errorf("the server told %d classes of equal characters: too few to be all", len(classes))
	}
	if wrong > 0 {
		t.Errorf("%d pairs are equal in a table and not in an index", wrong)
	}
}

// class are characters that a collation takes for one.
type class struct {
	collation string
	of        []rune
}

func equals(t *testing.T) (out []class, nothing map[rune]bool) {
	db, err := sql.Open("mysql", servers.MariaDB(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	for _, x := range []string{
		"CREATE TABLE c (n INT PRIMARY KEY, c VARCHAR(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL)",
		"INSERT INTO c SELECT seq, CONVERT(CHAR(seq USING utf32) USING utf8mb4) FROM seq_1_to_131072 WHERE seq NOT BETWEEN 0xd800 AND 0xdfff AND seq NOT BETWEEN 0x3401 AND 0x4db0 AND seq NOT BETWEEN 0x4e20 AND 0x9ff0 AND seq NOT BETWEEN 0xe010 AND 0xf8f0",
	} {
		if _, err := db.ExecContext(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	nothing = map[rune]bool{}
	for _, k := range collations {
		rows, err := db.QueryContext(ctx, "SELECT n, WEIGHT_STRING(c COLLATE "+k+") FROM c ORDER BY n")
		if err != nil {
			t.Fatal(err)
		}
		by := map[string][]rune{}
		for rows.Next() {
			var n rune
			var weight []byte
			if err := rows.Scan(&n, &weight); err != nil {
				t.Fatal(err)
			}
			if len(bytes.Trim(weight, "\x00")) == 0 {
				nothing[n] = true
				continue
			}
			by[string(weight)] = append(by[string(weight)], n)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, w := range slices.Sorted(maps.Keys(by)) {
			if len(by[w]) > 1 {
				out = append(out, class{k, by[w]})
			}
		}
	}
	return out, nothing
}

// writeFolds joins what any collation takes for one, and writes what the plain rules
// do not join.
func writeFolds(t *testing.T, classes []class, nothing map[rune]bool) {
	root := map[string]string{}
	var find func(s string) string
	find = func(s string) string {
		if p, ok := root[s]; ok && p != s {
			p = find(p)
			root[s] = p
			return p
		}
		return s
	}
	name := func(c rune) string { // of a character: what the plain rules make of it, or itself
		if p := plainBare(c); p != "" && !nothing[[]rune(p)[0]] {
			return p
		}
		return "!" + string(c)
	}
	worth := func(s string) int { // the lower, the more a representative
		switch {
		case strings.HasPrefix(s, "!"):
			return 1 << 30
		case len(s) == 1:
			return int(s[0])
		}
		return 1<<20 + len([]rune(s))<<21 - 1 + int([]rune(s)[0])
	}
	seen := map[rune]bool{}
	for _, c := range classes {
		var of []rune
		for _, r := range c.of {
			if blindTo(c.of) {
				break
			}
			of = append(of, r)
			seen[r] = true
		}
		for i := 1; i < len(of); i++ {
			a, b := find(name(of[0])), find(name(of[i]))
			if a == b {
				continue
			}
			if worth(b) < worth(a) {
				a, b = b, a
			}
			root[b] = a
			root[a] = a
		}
	}
	to, marks := map[string][]rune{}, map[string][]rune{}
	for r := range seen {
		plain := plainBare(r)
		rep := find(name(r))
		if strings.HasPrefix(rep, "!") {
			rep = ""
		}
		switch {
		case rep == plain, rep == "" && nothing[r]:
		case nothing[r]:
			marks[rep] = append(marks[rep], r)
		default:
			to[rep] = append(to[rep], r)
		}
	}
	for r := range nothing {
		if plainBare(r) != "" {
			to[""] = append(to[""], r)
		}
	}
	var b bytes.Buffer
	b.WriteString("// Code generated by TestIndexFoldsAsCollationsDo -update; DO NOT EDIT.\n\npackage vault\n\n// foldOf is what a character is to some collation, where Unicode's decomposition and\n// lower case do not tell. Some marks are letters to one and nothing to another.\nfunc foldOf(r rune, marks bool) (string, bool) {\nswitch r {\n")
	writeCases(&b, to, "true")
	writeCases(&b, marks, "marks")
	b.WriteString("}\nreturn \"\", false\n}\n")
	text, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("fold.go", text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeCases(b *bytes.Buffer, to map[string][]rune, known string) {
	for _, rep := range slices.Sorted(maps.Keys(to)) {
		var q []string
		for _, r := range slices.Compact(slices.Sorted(slices.Values(to[rep]))) {
			q = append(q, "0x"+strconv.FormatInt(int64(r), 16))
		}
		fmt.Fprintf(b, "case %s:\nreturn %q, %s\n", strings.Join(q, ", "), rep, known)
	}
}

// blindTo: a collation that does not tell characters beyond U+FFFF apart.
func blindTo(of []rune) bool {
	n := 0
	for _, r := range of {
		if r > 0xffff {
			n++
		}
	}
	return n > 1000
}

// plainBare is a character's form by the plain rules alone.
func plainBare(r rune) string {
	var b strings.Builder
	for _, part := range norm.NFKD.String(string(r)) {
		b.WriteString(lowered(part))
	}
	return b.String()
}
