package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
)

// FuzzSubjectsFile: whatever a file says, it is refused with its place, or every
// subject in it is legible, and is read again as the same from a file that we write.
func FuzzSubjectsFile(f *testing.F) {
	for _, s := range []string{
		"type,id\nperson,1\n", "type,id\r\nperson,1\r\nperson,2", "\ufefftype,id\nperson,1", "\"type\",\"id\"\n\"per\"\"son\",\"a\nb\"\n", "", "\xef\xbb", "type,id\n",
		"type,id,x\n", "type;id\n", "type,id\nperson\n", "type,id\nperson,1,2\n", "type,id\nperson,\"1\n", "type,id\n , \n", "type,id\na:b,1\n", "type,id\nperson,\x00\n",
		"type,id\nperson,\xff\n", "\xff\xfet\x00", "type,id\n\n\nperson,1\n\n", "type,id\rperson,1\r",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := parseSubjects("f.csv", bytes.NewReader(file))
		if err != nil {
			for _, x := range faultsOf(err) {
				if x.exit != exitUsage || !strings.HasPrefix(x.At, "f.csv:") || x.Message == "" {
					t.Fatalf("refused without its place: %+v", x)
				}
			}
			return
		}
		if len(got) == 0 {
			t.Fatal("a file without subjects was taken")
		}
		var again bytes.Buffer
		w := csv.NewWriter(&again)
		rows := [][]string{{"type", "id"}}
		for _, s := range got {
			if s.Type == "" || s.ID == "" || strings.Contains(s.Type, ":") || !utf8.ValidString(s.Type+s.ID) || strings.ContainsAny(s.Type+s.ID, "\x00\n\r") {
				t.Fatalf("subject %q of %q", s, file)
			}
			if back, ok := retention.ParseSubject(s.String()); !ok || back != s {
				t.Fatalf("%q is %q on the command line", s, back)
			}
			rows = append(rows, []string{s.Type, s.ID})
		}
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		same, err := parseSubjects("f.csv", &again)
		if diff := cmp.Diff(got, same); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}
