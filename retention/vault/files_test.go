package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/calendar"
)

// fileVault is a vault in a new directory, and who may read it.
func fileVault(t *testing.T) (*Vault, age.Identity) {
	t.Helper()
	key, err := audit.LoadOrCreateKey(filepath.Join(t.TempDir(), "key"), "example.org/x")
	if err != nil {
		t.Fatal(err)
	}
	who, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(Options{Name: "sealed", Path: t.TempDir(), Recipients: []string{who.Recipient().String()}, Store: "s", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return v, who
}

var errRead = errors.New("the file changed")

// sealFiles seals contents by path; those in bad fail at their end.
func sealFiles(t *testing.T, v *Vault, of map[string][]byte, bad map[string]bool) []retention.SealedRef {
	t.Helper()
	ten, err := calendar.ParsePeriod("10 years")
	if err != nil {
		t.Fatal(err)
	}
	s := v.Begin(retention.SealOrder{Intent: "r/1/1", Policy: &retention.Policy{Name: "p", Zone: time.UTC}, At: time.Unix(1e9, 0), Stage: 1,
		Rule: &retention.Rule{ID: "r", Clock: retention.Clock{Members: []retention.Member{{Column: "modified"}}}, Stages: []retention.Stage{{}, {Keep: ten, Action: retention.Action{Kind: retention.Delete}}}}})
	fw, ok := s.(retention.FileWriter)
	if !ok {
		t.Fatal("it takes no files")
	}
	table := &retention.Table{Name: retention.TableName{Name: "**/*"}, Key: []string{"path"}, Columns: []retention.Column{{Name: "path"}, {Name: "size"}}}
	if err := fw.Table(retention.SealTable{Table: table, Files: true}); err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Sorted(maps.Keys(of)) {
		r := io.Reader(bytes.NewReader(of[p]))
		if bad[p] {
			r = io.MultiReader(r, iotest.ErrReader(errRead))
		}
		err := fw.File(t.Context(), 1e15, nil, single([]any{p, int64(len(of[p]))}, r))
		if bad[p] != errors.Is(err, errRead) {
			t.Fatalf("%s: %v", p, err)
		}
	}
	refs, err := s.Seal(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

// single gives one content.
func single(values []any, r io.Reader) retention.NextContent {
	given := false
	return func() ([]any, io.ReadCloser, error) {
		if given {
			return nil, nil, io.EOF
		}
		given = true
		return values, io.NopCloser(r), nil
	}
}

// unsealed joins the parts of all segments of the vault.
func unsealed(t *testing.T, v *Vault, who age.Identity) (out map[string][]byte, rows int64) {
	t.Helper()
	out = map[string][]byte{}
	err := v.Segments(t.Context(), func(s *retention.Segment) error {
		rows += s.Rows
		return v.Read(t.Context(), s, []age.Identity{who}, func(x *retention.SegmentTable, row []any) error {
			p, _ := row[0].(string)
			content, _ := row[4].([]byte)
			if number, _ := row[2].(int64); !x.Files || (number == 0) == (out[p] != nil) {
				return fmt.Errorf("part %v of %q is out of its turn", row[2], p)
			}
			out[p] = append(append([]byte{}, out[p]...), content...)
			if last := row[3] != nil; last && row[1] != int64(len(out[p])) {
				return fmt.Errorf("%q has %d bytes at its end", p, len(out[p]))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, rows
}

// Whatever files are sealed come out as they went in, each once; one that cannot be
// read to its end leaves nothing (L9).
func TestFilesComeOutAsTheyWentIn(t *testing.T) {
	t.Parallel()
	sizes := rapid.OneOf(rapid.IntRange(0, 200), rapid.SampledFrom([]int{0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize}))
	worlds := rapid.MapOfN(rapid.StringN(1, 20, -1), rapid.Custom(func(r *rapid.T) []byte {
		return bytes.Repeat([]byte{byte(rapid.IntRange(0, 255).Draw(r, "byte"))}, sizes.Draw(r, "size"))
	}), 1, 6)
	for seed := range 15 {
		of := worlds.Example(seed)
		bad := map[string]bool{}
		for i, p := range slices.Sorted(maps.Keys(of)) {
			bad[p] = i%3 == 1
		}
		v, who := fileVault(t)
		refs := sealFiles(t, v, of, bad)
		got, rows := unsealed(t, v, who)
		for p := range bad {
			if bad[p] {
				delete(of, p)
			}
		}
		if !maps.EqualFunc(got, of, bytes.Equal) || rows != int64(len(of)) || len(refs) != 1 {
			t.Fatalf("seed %d: %d files came out of %d segments, %d rows, where %d went in", seed, len(got), len(refs), rows, len(of))
		}
	}
}

// A file of several segments is in each of them, in order; where it fails in the
// middle, none is left.
func TestFileOfSeveralSegments(t *testing.T) {
	t.Parallel()
	for _, n := range []int{retention.MaxContent, retention.MaxContent + 1, 2 * retention.MaxContent, 2*retention.MaxContent + 1} {
		v, who := fileVault(t)
		content := bytes.Repeat([]byte("abcdefg"), n/7+1)[:n]
		refs := sealFiles(t, v, map[string][]byte{"big": content}, nil)
		want := (n + retention.MaxContent - 1) / retention.MaxContent
		if got, _ := unsealed(t, v, who); !bytes.Equal(got["big"], content) || len(refs) != want {
			t.Errorf("%d bytes came out as %d of %d segments, not %d", n, len(got["big"]), len(refs), want)
		}
		good, findings, err := v.Verify(t.Context(), knownOf(refs), func(string) bool { return false }, func(string, string) (bool, error) { return false, nil })
		if err != nil || good != len(refs) || len(findings) > 0 {
			t.Errorf("%d verify, %v, %v", good, findings, err)
		}
		v, _ = fileVault(t)
		if refs := sealFiles(t, v, map[string][]byte{"big": content}, map[string]bool{"big": true}); len(refs) > 0 {
			t.Errorf("a file that failed is in %d segments", len(refs))
		}
		if left, err := filepath.Glob(filepath.Join(v.o.Path, "*.age")); err != nil || len(left) > 0 {
			t.Errorf("a file that failed left %v, %v", left, err)
		}
	}
}

func knownOf(refs []retention.SealedRef) (out []retention.KnownSegment) {
	for _, r := range refs {
		out = append(out, retention.KnownSegment{SealedRef: r, Intent: "r/1/1"})
	}
	return out
}
