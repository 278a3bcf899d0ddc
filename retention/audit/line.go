package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// TimeFormat is how an entry writes its time: RFC 3339, UTC, microseconds.
const TimeFormat = "2006-01-02T15:04:05.000000Z07:00"

// MaxLine is the longest entry line in bytes: what a C2SP entry bundle can hold.
const MaxLine = 65_535

// reserved are the fields that only the log itself writes.
func reserved() []string {
	return []string{"n", "time", "kind", "run", "policy", "rule", clockBack}
}

// clockBack declares, in milliseconds, that the store's clock stood that much
// before the entry before: a step back that says so is no tampering.
const clockBack = "clock_back_ms"

// encode renders an entry once; these exact bytes are stored and hashed.
func encode(n int64, at time.Time, e Event) ([]byte, error) {
	if e.Kind == "" {
		return nil, fmt.Errorf("audit entry %d has no kind", n)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	fields := []field{{"n", n}, {"time", at.UTC().Format(TimeFormat)}, {"kind", e.Kind}}
	for _, f := range []field{{"run", e.Run}, {"policy", e.Policy}, {"rule", e.Rule}} {
		if f.value != "" {
			fields = append(fields, f)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		fields = append(fields, field{k, e.Data[k]})
	}
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := f.write(&b); err != nil {
			return nil, fmt.Errorf("encode audit entry %s, field %q: %w", e.Kind, f.name, err)
		}
	}
	b.WriteByte('}')
	if b.Len() > MaxLine {
		return nil, fmt.Errorf("audit entry %s is %d bytes long, at most %d fit; leave fields out", e.Kind, b.Len(), MaxLine)
	}
	return b.Bytes(), nil
}

// field is one member of an entry's JSON object.
type field struct {
	name  string
	value any
}

func (f field) write(b *bytes.Buffer) error {
	name, err := compact(f.name)
	if err != nil {
		return err
	}
	value, err := compact(f.value)
	if err != nil {
		return err
	}
	b.Write(name)
	b.WriteByte(':')
	b.Write(value)
	return nil
}

// compact is json.Marshal without HTML escapes: lines are read by people.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func checkEvent(e Event) error {
	for _, k := range reserved() {
		if _, ok := e.Data[k]; ok {
			return fmt.Errorf("audit entry %s: field %q belongs to the log", e.Kind, k)
		}
	}
	return nil
}

// Entry is a stored entry: its exact line, and where it stands.
type Entry struct {
	Log  string // the year's log
	N    int64  // from 1 within the log
	Line []byte // the exact JSON line, without newline
}

// ID is the entry's name for people: year/n.
func (e Entry) ID() string { return fmt.Sprintf("%s/%d", e.Log, e.N) }

// Head is what every entry line begins with.
type Head struct {
	N         int64     `json:"n"`
	Time      time.Time `json:"time"`
	Kind      Kind      `json:"kind"`
	Run       string    `json:"run"`
	Policy    string    `json:"policy"`
	Rule      string    `json:"rule"`
	ClockBack int64     `json:"clock_back_ms"`
}

// ParseHead reads the head of an entry line.
func ParseHead(line []byte) (Head, error) {
	var h Head
	if err := json.Unmarshal(line, &h); err != nil {
		return h, fmt.Errorf("audit entry is no JSON object: %w", err)
	}
	return h, nil
}
