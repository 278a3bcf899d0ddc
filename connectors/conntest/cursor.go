package conntest

import (
	"encoding/json"

	"github.com/retentiond/retentiond/retention"
)

// frozen is a value of a cursor with its Go type, as a store would keep it.
type frozen struct {
	Int   *int64   `json:"int,omitempty"`
	Float *float64 `json:"float,omitempty"`
	Text  []byte   `json:"text,omitempty"`
	Bytes []byte   `json:"bytes,omitempty"`
	Kind  string   `json:"kind"`
}

// thawed is the cursor after a way through JSON: a run that goes on after a
// restart has nothing else. Values of other types than the port names fail.
func (f *fixture) thawed(c retention.Cursor) retention.Cursor {
	f.t.Helper()
	values := append([]any{c.Order}, c.Key...)
	list := make([]frozen, len(values))
	for i, v := range values {
		list[i] = f.freeze(v, i > 0)
	}
	text, err := json.Marshal(list)
	if err != nil {
		f.t.Fatal(err)
	}
	var back []frozen
	if err := json.Unmarshal(text, &back); err != nil {
		f.t.Fatal(err)
	}
	out := retention.Cursor{Order: back[0].thaw()}
	for _, x := range back[1:] {
		out.Key = append(out.Key, x.thaw())
	}
	return out
}

func (f *fixture) freeze(v any, key bool) frozen {
	f.t.Helper()
	switch x := v.(type) {
	case int64:
		return frozen{Kind: "int", Int: &x}
	case float64:
		return frozen{Kind: "float", Float: &x}
	case string:
		return frozen{Kind: "text", Text: []byte(x)}
	case []byte:
		return frozen{Kind: "bytes", Bytes: x}
	}
	if v != nil || key {
		f.t.Fatalf("a cursor holds a value of type %T: int64, float64, string and []byte are allowed", v)
	}
	return frozen{Kind: "none"}
}

func (x frozen) thaw() any {
	switch x.Kind {
	case "int":
		return *x.Int
	case "float":
		return *x.Float
	case "text":
		return string(x.Text)
	case "bytes":
		return append([]byte{}, x.Bytes...)
	}
	return nil
}
