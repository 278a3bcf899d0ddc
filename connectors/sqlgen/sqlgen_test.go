package sqlgen

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func TestQueryNumbersArguments(t *testing.T) {
	s := And(Format("a = %s", Arg("x")), Or(Format("b = %s", Arg(int64(1))), Format("c = %s", Arg("x"))), Format("d = %s", Arg([]byte("x"))))
	numbered := &Dialect{Placeholder: func(n int) string { return "?" + strconv.Itoa(n) }, Numbered: true}
	if diff := cmp.Diff(Query{"(a = ?1 AND (b = ?2 OR c = ?1) AND d = ?3)", []any{"x", int64(1), []byte("x")}}, numbered.Query(s)); diff != "" {
		t.Error(diff)
	}
	plain := &Dialect{Placeholder: func(int) string { return "?" }}
	if diff := cmp.Diff(Query{"(a = ? AND (b = ? OR c = ?) AND d = ?)", []any{"x", int64(1), "x", []byte("x")}}, plain.Query(s)); diff != "" {
		t.Error(diff)
	}
}

func TestConstantsFold(t *testing.T) {
	x := Raw("x")
	for _, c := range []struct{ got, want SQL }{
		{And(), sqlTrue}, {Or(), sqlFalse}, {And(x, sqlTrue), x}, {And(x, sqlFalse), sqlFalse}, {Or(x, sqlFalse), x}, {Or(x, sqlTrue), sqlTrue},
		{Not(sqlTrue), sqlFalse}, {mayNotHold(sqlFalse), sqlTrue}, {mayHold(sqlFalse), sqlFalse}, {holdsTrue(x), Raw("(x) IS TRUE")},
		{mayHold(x), Raw("(x) IS NOT FALSE")}, {mayNotHold(x), Raw("(x) IS NOT TRUE")}, {Format("%s LIKE '%s'", Raw("100%s")), Raw("100%s LIKE '%s'")},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestValues(t *testing.T) {
	str := func(s string) retention.Scalar { return retention.Scalar{Text: s, Tag: retention.TagString} }
	for _, c := range []struct {
		kind retention.Kind
		in   retention.Scalar
		want any
		bad  bool
	}{
		{retention.KindText, retention.Scalar{Text: "01234", Tag: retention.TagInt}, "01234", false},
		{retention.KindText, retention.Scalar{Null: true}, nil, false},
		{retention.KindInteger, str("007"), int64(7), false}, {retention.KindInteger, str("7.5"), nil, true}, {retention.KindInteger, str("9223372036854775808"), nil, true},
		{retention.KindNumber, str("7.5"), 7.5, false}, {retention.KindNumber, str("9007199254740993"), int64(9007199254740993), false}, {retention.KindNumber, str("NaN"), nil, true}, {retention.KindNumber, str("1e999"), nil, true},
		{retention.KindBool, str("true"), int64(1), false}, {retention.KindBool, str("False"), int64(0), false}, {retention.KindBool, str("maybe"), nil, true},
		{retention.KindBytes, str("0x00FF"), []byte{0, 255}, false}, {retention.KindBytes, str("xyz"), nil, true},
		{retention.KindAny, retention.Scalar{Text: "7", Tag: retention.TagInt}, int64(7), false}, {retention.KindAny, str("7"), "7", false}, {retention.KindOther, retention.Scalar{Text: "1.5", Tag: retention.TagFloat}, 1.5, false},
		{retention.KindDate, str("2024-01-01"), "2024-01-01", false},
	} {
		got, err := Value(&retention.Column{Name: "c", Kind: c.kind}, c.in)
		if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.bad {
			t.Errorf("%s %q: %v %s", c.kind, c.in.Text, err, diff)
		}
	}
}

func TestReverse(t *testing.T) {
	pair := func(theirs, ours string) []retention.Pair { return []retention.Pair{{Theirs: theirs, Ours: ours}} }
	home := retention.TableName{Name: "home"}
	a, b, c := retention.TableName{Name: "a"}, retention.TableName{Name: "b"}, retention.TableName{Name: "c"}
	rel := &retention.Relation{Via: []retention.Hop{{Table: a, On: pair("a1", "h1")}, {Table: b, On: pair("b1", "a2")}}, Table: c, On: pair("c1", "b2")}
	want := &retention.Relation{Via: []retention.Hop{{Table: b, On: pair("b2", "c1")}, {Table: a, On: pair("a2", "b1")}}, Table: home, On: pair("h1", "a1")}
	if diff := cmp.Diff(want, reverse(rel, home)); diff != "" {
		t.Error(diff)
	}
	back := reverse(reverse(rel, home), c)
	if diff := cmp.Diff(rel, back); diff != "" {
		t.Errorf("there and back: %s", diff)
	}
}

func TestFragments(t *testing.T) {
	for text, ok := range map[string]bool{
		"a = 1": true, "a IN ('x;y', \"(\", [b)], `c)`)": true, "a = 'it''s'": true, "f(a, (b))": true,
		"a) OR (1": false, "(a": false, "a; b": false, "a -- b": false, "a /* b": false, "a = 'b": false, "a = ?": false, "a = :b": false, " ": false, "a = '\x01'": false, "a\x00": false,
	} {
		if why := unclosed(text, "", "?:@$"); (why == "") != ok {
			t.Errorf("%q: %q", text, why)
		}
	}
}

func TestKeyTexts(t *testing.T) {
	got, err := keyTexts(`["a", 9007199254740993, {"hex": "00ff"}]`, 3)
	if diff := cmp.Diff([]string{"a", "9007199254740993", "00ff"}, got); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	for _, bad := range []string{"a", "[1]", `{"a":1}`} {
		if _, err := keyTexts(bad, 2); err == nil {
			t.Errorf("%q is no key of two columns", bad)
		}
	}
	if got, err := keyTexts("[1]", 1); err != nil || got[0] != "[1]" {
		t.Errorf("%q %v", got, err)
	}
}
