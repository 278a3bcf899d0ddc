package policies

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodePredicateJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"status": "closed"}`: `status = "closed"`,
		`{"amount": {"gte": 120, "lt": 200}, "deleted_at": null}`:             `amount ≥ 120 and amount < 200 and deleted_at is null`,
		`{"any": [{"a": 1}, {"not": {"b": {"in": ["x", "y"]}}}]}`:             `a = 1 or not (b in ("x", "y"))`,
		`{"exists": {"table": "t", "on": {"x": "id"}, "where": {"y": true}}}`: `exists t (y = true)`,
		`{status: closed}`: `status = "closed"`,
	} {
		p, problems := DecodePredicateJSON(text)
		if len(problems) > 0 {
			t.Errorf("%s: %s", text, messages(problems))
		} else if got := PredicateText(p); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestDecodePredicateJSONRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                        "where:1:1: where is empty\n    such as {\"status\": \"closed\"}\n",
		`{}`:                      "where:1:1: where is empty\n    leave it out to mean every row\n",
		`[1]`:                     "where:1:1: where must be a mapping of columns, not a list\n    such as {status: closed}\n",
		`{"sql": "1=1"}`:          "where:1:2: sql is not allowed here\n    name columns and operators\n",
		`{"not": {"sql": "1=1"}}`: "where:1:10: sql is not allowed here\n    name columns and operators\n",
		`{"a": 1, "a": 2}`:        "where:1:10: the key \"a\" is there twice (first on line 1)\n    keep one of them\n",
		`{"any": [{"all": [{"exists": {"table": "t", "on": {"x": "y"}, "where": {"sql": "1"}}}, {"b": 1}]}]}`: "where:1:73: sql is not allowed here\n    name columns and operators\n",
	} {
		p, problems := DecodePredicateJSON(text)
		if diff := cmp.Diff(want, messages(problems)); diff != "" || p != nil {
			t.Errorf("%s: %v\n%s", text, p, diff)
		}
	}
}

// Names are checked only where the configuration is known.
func TestEnvUnknown(t *testing.T) {
	text := readFile(t, fixtures+"/bad/unknown-vault.yaml")
	good(t, "p", text, Env{})
	if _, problems := Decode("p", text, Env{Sources: map[string]SourceKind{"crm": SourceSQL}}); len(problems) != 1 {
		t.Errorf("%d problems with no vault known", len(problems))
	}
}
