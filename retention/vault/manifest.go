package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// A manifest is a line with the length of a signed note, the note (C2SP signed
// note, by the audit key, over the manifest's JSON), and after it the index: the
// subjects' digests, sorted, 8 bytes each.

const (
	manifestHead = "retentiond segment manifest 1 "
	manifestKind = "retentiond segment manifest 1\n"
)

// doc is the manifest's JSON.
type doc struct {
	Segment      string       `json:"segment"`
	Store        string       `json:"store"` // uuid of the state store
	Intent       string       `json:"intent"`
	Source       string       `json:"source"`
	SourceUUID   string       `json:"source_uuid"`
	Policy       string       `json:"policy"`
	PolicyDigest string       `json:"policy_digest"`
	Rule         string       `json:"rule"`
	Stage        int          `json:"stage"`
	Meaning      string       `json:"meaning"`
	Dataset      string       `json:"dataset"`
	Rows         int64        `json:"rows"`
	Tables       []tableDoc   `json:"tables"`
	ClockFirst   time.Time    `json:"clock_first"`
	ClockLast    time.Time    `json:"clock_last"`
	SealedAt     time.Time    `json:"sealed_at"`
	Ends         *time.Time   `json:"ends"`
	PlainBytes   int64        `json:"plain_bytes"`
	PlainSHA     string       `json:"plain_sha256"`
	CipherBytes  int64        `json:"cipher_bytes"`
	CipherSHA    string       `json:"cipher_sha256"`
	Recipients   []string     `json:"recipients"`
	Minimums     []minimumDoc `json:"minimums"`
	From         string       `json:"from,omitempty"` // how the rule's clock was read
	Ways         []string     `json:"ways,omitempty"` // by which rows are about subjects, as they were then
	SubjectTypes []string     `json:"subject_types"`
	IndexVersion int          `json:"index_version"` // 0: of before there was one
	IndexSize    int          `json:"index_entries"`
	IndexSHA     string       `json:"index_sha256"`
}

type tableDoc struct {
	Schema      string              `json:"schema,omitempty"`
	Table       string              `json:"table"`
	Child       bool                `json:"child,omitempty"`
	Files       bool                `json:"files,omitempty"` // rows are parts of files
	Rows        int64               `json:"rows"`
	Key         []string            `json:"key"`
	Columns     []columnDoc         `json:"columns"`
	On          [][2]string         `json:"on,omitempty"` // child's columns = columns of the rule's table
	Subjects    map[string][]string `json:"subjects,omitempty"`
	Fingerprint string              `json:"fingerprint"`
}

type columnDoc struct {
	Name      string         `json:"name"`
	Type      string         `json:"type"`
	Kind      retention.Kind `json:"kind"`
	Generated bool           `json:"generated,omitempty"`
}

type minimumDoc struct {
	Policy  string     `json:"policy"`
	Rule    string     `json:"rule"`
	Child   string     `json:"child,omitempty"` // table of rows that go along
	Asks    string     `json:"asks,omitempty"`
	Clock   *time.Time `json:"clock"` // null: it protected no row
	Unknown bool       `json:"unknown,omitempty"`
}

// sign makes the manifest of a segment.
func (v *Vault) sign(s *retention.Segment) ([]byte, error) {
	slices.Sort(s.About)
	index := indexBytes(s.About)
	d := docOf(s)
	d.Store, d.IndexVersion, d.IndexSize, d.IndexSHA = v.o.Store, indexVersion, len(s.About), sum(index)
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("manifest of segment %s: %w", s.Name, err)
	}
	note, err := v.o.Key.SignArchive(manifestKind + string(body) + "\n")
	if err != nil {
		return nil, fmt.Errorf("manifest of segment %s: %w", s.Name, err)
	}
	out := []byte(manifestHead + strconv.Itoa(len(note)) + "\n")
	return append(append(out, note...), index...), nil
}

func indexBytes(about []uint64) []byte {
	out := make([]byte, 0, 8*len(about))
	for _, n := range about {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	return out
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// open checks a manifest and reads it. Where it cannot be believed, the segment has
// a name and says why.
func (v *Vault) open(name string, text []byte) *retention.Segment {
	bad := func(format string, args ...any) *retention.Segment {
		return &retention.Segment{Vault: v.o.Name, Name: name, Manifest: sum(text), Bad: fmt.Sprintf(format, args...)}
	}
	body, index, err := v.unpack(text)
	if err != nil {
		return bad("%v", err)
	}
	var d doc
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		return bad("its manifest is no JSON: %v", err)
	}
	switch {
	case d.Store != v.o.Store:
		return bad("%s: it belongs to the state store %s", foreign, d.Store)
	case d.Segment != name:
		return bad("%s: its manifest is that of segment %s", replayed, d.Segment)
	case sum(index) != d.IndexSHA || len(index) != 8*d.IndexSize:
		return bad("its index of subjects was changed")
	}
	s := d.segment()
	s.Vault, s.Manifest, s.Loose = v.o.Name, sum(text), d.IndexVersion != indexVersion
	for i := 0; i < len(index); i += 8 {
		s.About = append(s.About, binary.BigEndian.Uint64(index[i:]))
	}
	return s
}

// unpack checks the signature.
func (v *Vault) unpack(text []byte) (body string, index []byte, err error) {
	head, rest, ok := bytes.Cut(text, []byte("\n"))
	size, numbered := strings.CutPrefix(string(head), manifestHead)
	n, err := strconv.Atoi(size)
	if !ok || !numbered || err != nil || n < 0 || n > len(rest) {
		return "", nil, fmt.Errorf("it has no manifest of ours")
	}
	signed, err := v.o.Key.OpenArchive(rest[:n])
	if err != nil {
		return "", nil, fmt.Errorf("%s: its manifest is %w", foreign, err)
	}
	body, ok = strings.CutPrefix(signed, manifestKind)
	if !ok {
		return "", nil, fmt.Errorf("what is signed is no manifest")
	}
	return body, rest[n:], nil
}

func docOf(s *retention.Segment) *doc {
	d := &doc{
		Segment: s.Name, Intent: s.Intent, Source: s.Source, SourceUUID: s.SourceUUID, Policy: s.Policy, PolicyDigest: s.Digest,
		Rule: s.Rule, Stage: s.Stage, Meaning: s.Meaning, Dataset: s.Dataset, Rows: s.Rows, ClockFirst: s.First, ClockLast: s.Last,
		SealedAt: s.SealedAt, PlainBytes: s.Plain.Bytes, PlainSHA: s.Plain.SHA256, CipherBytes: s.Cipher.Bytes, CipherSHA: s.Cipher.SHA256,
		Recipients: s.Recipients, SubjectTypes: s.Types, Minimums: []minimumDoc{}, From: s.From, Ways: s.Ways,
	}
	if !s.Ends.IsZero() {
		d.Ends = &s.Ends
	}
	for _, m := range s.Minimums {
		x := minimumDoc{Policy: m.Policy, Rule: m.Rule, Child: m.Child, Asks: m.Asks, Unknown: m.Unknown}
		if !m.Clock.IsZero() {
			x.Clock = &m.Clock
		}
		d.Minimums = append(d.Minimums, x)
	}
	for _, t := range s.Tables {
		d.Tables = append(d.Tables, tableDocOf(&t))
	}
	return d
}

func tableDocOf(t *retention.SegmentTable) tableDoc {
	x := tableDoc{Schema: t.Name.Schema, Table: t.Name.Name, Child: t.Child, Files: t.Files, Rows: t.Rows, Key: t.Key, Subjects: t.Subjects, Fingerprint: t.Fingerprint}
	for _, c := range t.Columns {
		x.Columns = append(x.Columns, columnDoc{c.Name, c.Decl, c.Kind, c.Generated})
	}
	for _, p := range t.On {
		x.On = append(x.On, [2]string{p.Theirs, p.Ours})
	}
	return x
}

func (d *doc) segment() *retention.Segment {
	s := &retention.Segment{
		Name: d.Segment, Intent: d.Intent, Source: d.Source, SourceUUID: d.SourceUUID, Policy: d.Policy, Digest: d.PolicyDigest,
		Rule: d.Rule, Stage: d.Stage, Meaning: d.Meaning, Dataset: d.Dataset, Rows: d.Rows, First: d.ClockFirst, Last: d.ClockLast,
		SealedAt: d.SealedAt, Plain: retention.SegmentBytes{Bytes: d.PlainBytes, SHA256: d.PlainSHA},
		Cipher: retention.SegmentBytes{Bytes: d.CipherBytes, SHA256: d.CipherSHA}, Recipients: d.Recipients, Types: d.SubjectTypes,
		From: d.From, Ways: d.Ways,
	}
	if d.Ends != nil {
		s.Ends = *d.Ends
	}
	for _, m := range d.Minimums {
		x := retention.SegmentMinimum{Policy: m.Policy, Rule: m.Rule, Child: m.Child, Asks: m.Asks, Unknown: m.Unknown}
		if m.Clock != nil {
			x.Clock = *m.Clock
		}
		s.Minimums = append(s.Minimums, x)
	}
	for _, t := range d.Tables {
		s.Tables = append(s.Tables, t.table())
	}
	return s
}

func (t *tableDoc) table() retention.SegmentTable {
	x := retention.SegmentTable{Name: retention.TableName{Schema: t.Schema, Name: t.Table}, Child: t.Child, Files: t.Files, Rows: t.Rows, Key: t.Key, Subjects: t.Subjects, Fingerprint: t.Fingerprint}
	for _, c := range t.Columns {
		x.Columns = append(x.Columns, retention.SegmentColumn{Name: c.Name, Decl: c.Type, Kind: c.Kind, Generated: c.Generated})
	}
	for _, p := range t.On {
		x.On = append(x.On, retention.Pair{Theirs: p[0], Ours: p[1]})
	}
	return x
}
