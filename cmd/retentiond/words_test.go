package main

import "testing"

func TestInWords(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"locked", "sqlite /x/crm.db: the source is locked: another process holds the write lock: database is locked (5) (SQLITE_BUSY) (context deadline exceeded)",
			"another process holds the write lock of /x/crm.db"},
		{"code", "the file is read-only: attempt to write (8) (SQLITE_READONLY)", "the file is read-only: attempt to write"},
		{"list", `columns ["a" "b"] are not named`, "columns a, b are not named"},
		{"composite key", `key ["1042", 3]`, `key ["1042", 3]`},
		{"lease", "take a lease: another run is at work: rule shop/old carts is taken by r-1 of host-1/42/1790000000000000000 since 2026-03-01T10:00:00Z",
			"another run is at work: rule shop/old carts is taken by r-1, process 42 on host-1, since 2026-03-01 10:00 UTC"},
		{"time", "since 2026-03-01T10:00:00+01:00 by me", "since 2026-03-01 09:00 UTC by me"},
		{"plain", "nothing of it", "nothing of it"},
	} {
		if got := inWords(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTypedCommands(t *testing.T) {
	for _, c := range []struct{ prog, config, in, want string }{
		{"", "", "`retentiond plan` makes one", "`retentiond plan` makes one"},
		{"", "a.yaml", "`retentiond plan` makes one", "`retentiond --config a.yaml plan` makes one"},
		{"./retentiond", "", "retentiond run --plan p-1", "./retentiond run --plan p-1"},
		{"./retentiond", "", "./retentiond run --plan p-1", "./retentiond run --plan p-1"},
		{"go run ./cmd/retentiond", "a.yaml", "retentiond hold list", "go run ./cmd/retentiond --config a.yaml hold list"},
		{"./r", "a.yaml", "retentiond hold place --help has an example", "./r hold place --help has an example"},
		{"./r", "a.yaml", "retentiond demo", "./r demo"},
		{"./r", "a.yaml", "retentiond enforces rules", "retentiond enforces rules"},
	} {
		a := newApp(streams{Prog: c.prog})
		a.config = c.config
		if got := a.typed(c.in); got != c.want {
			t.Errorf("typed(%q) of %q, %q: %q, want %q", c.in, c.prog, c.config, got, c.want)
		}
		if again := a.typed(a.typed(c.in)); again != c.want {
			t.Errorf("typed twice: %q, want %q", again, c.want)
		}
	}
}

func TestProgramName(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for arg0, want := range map[string]string{
		"retentiond": "retentiond", "./retentiond": "./retentiond", "/opt/my tools/retentiond": "'/opt/my tools/retentiond'",
		"/tmp/go-build123/b001/exe/retentiond": "go run ./cmd/retentiond", "": "retentiond",
	} {
		if got := programName(arg0); got != want {
			t.Errorf("programName(%q) = %q, want %q", arg0, got, want)
		}
	}
}
