package main

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retentiond/retentiond/retention"
)

const subjectsHint = "a header type,id, then one subject a line"

// readSubjects reads a CSV file of subjects, strictly: one broken line and
// nothing is held, and the error names the line but never the person.
func readSubjects(file string) ([]retention.SubjectID, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usage(subjectsHint, "--subjects-file: %v", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return parseSubjects(file, f)
}

// parseSubjects reads the CSV of a file of that name.
func parseSubjects(file string, in io.Reader) ([]retention.SubjectID, error) {
	r := csv.NewReader(&withoutBOM{r: in})
	r.FieldsPerRecord = 2
	head, err := r.Read()
	if err != nil {
		return nil, csvFault(file, err)
	}
	if head[0] != "type" || head[1] != "id" {
		return nil, at(usage(subjectsHint, "the header is not type,id"), file, 1, 1)
	}
	return readRecords(file, r)
}

func readRecords(file string, r *csv.Reader) ([]retention.SubjectID, error) {
	var out []retention.SubjectID
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvFault(file, err)
		}
		typ, id := strings.TrimSpace(rec[0]), strings.TrimSpace(rec[1])
		if typ == "" || id == "" || strings.Contains(typ, ":") || !legible(typ+id) {
			line, column := r.FieldPos(0)
			return nil, at(usage(subjectsHint, "a type and an id are wanted, as UTF-8 text; a type has no colon"), file, line, column)
		}
		out = append(out, retention.SubjectID{Type: typ, ID: id})
	}
	if len(out) == 0 {
		return nil, at(usage(subjectsHint, "no subject in the file"), file, 1, 1)
	}
	return out, nil
}

// subjectOf reads TYPE:ID; what is the flag's name in errors, which never name
// the person.
func subjectOf(text, what string) (retention.SubjectID, error) {
	id, ok := retention.ParseSubject(text)
	switch {
	case !ok:
		return id, usage("write TYPE:ID, such as person:42", "%s is not TYPE:ID", what)
	case !utf8.ValidString(text):
		return id, usage("write it as UTF-8 text", "%s is not UTF-8 text: no column could be compared with it", what)
	case !legible(text):
		return id, usage("write the identifier alone, without tabs, line breaks or NUL", "%s contains a control character, such as a tab or a line break: it was pasted or read wrongly", what)
	case strings.TrimSpace(id.Type) != id.Type || strings.TrimSpace(id.ID) != id.ID:
		return id, usage("write TYPE:ID without blanks around them", "%s begins or ends with a blank, before or after the colon: a hold on it could find nobody", what)
	}
	return id, nil
}

// legible reports whether a text is UTF-8 without control characters: an
// identifier that has any was read wrongly.
func legible(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func csvFault(file string, err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return at(usage(subjectsHint, "%v", p.Err), file, p.Line, p.Column)
	}
	if errors.Is(err, io.EOF) {
		return at(usage(subjectsHint, "the file is empty"), file, 1, 1)
	}
	return usage(subjectsHint, "--subjects-file: %v", err)
}

// at gives a fault its place.
func at(f *fault, file string, line, column int) *fault {
	f.At = file + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
	return f
}

// withoutBOM drops the byte order mark that spreadsheets write.
type withoutBOM struct {
	r     io.Reader
	begun bool
}

// Read reads from the file behind it.
func (b *withoutBOM) Read(p []byte) (int, error) {
	if b.begun || len(p) < 3 {
		return b.r.Read(p)
	}
	b.begun = true
	n, err := io.ReadFull(b.r, p[:3])
	if n == 3 && string(p[:3]) == "\xef\xbb\xbf" {
		return b.r.Read(p)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
