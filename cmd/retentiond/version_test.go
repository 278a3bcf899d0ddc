package main

import "testing"

func TestWhatTheLinkerSaysGoesFirst(t *testing.T) {
	v := versionDoc{Version: "(devel)", Revision: "old"}
	v.stamped("", "")
	if v.Version != "(devel)" || v.Revision != "old" {
		t.Errorf("nothing was said, and it is %+v", v)
	}
	v.stamped("v1.2.3-dirty", "abc")
	if v.Version != "v1.2.3-dirty" || v.Revision != "abc" || !v.Modified {
		t.Errorf("%+v", v)
	}
}
