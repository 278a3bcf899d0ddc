package sqlgen

import "testing"

func TestInteger(t *testing.T) {
	for id, want := range map[string]string{
		"5": "5", "5.0": "5", "+5": "5", "-05.": "-5", " 7 ": "7", "1e3": "1000", "50e-1": "5", ".5e1": "5", "18446744073709551615.0": "18446744073709551615",
		"": "", "5.1": "", "1e999": "", "0x5": "", "5/1": "", "five": "", "5_0": "", "1e": "", ".": "", "NaN": "", "5 0": "",
	} {
		n, ok := Integer(id)
		if ok != (want != "") || ok && n.String() != want {
			t.Errorf("%q: %v %v, want %q", id, n, ok, want)
		}
	}
}
