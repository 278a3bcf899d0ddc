package mysql

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

func advised() []string {
	return []string{"CREATE TABLE p (id BIGINT PRIMARY KEY, at DATETIME, note VARCHAR(20))", "CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT)",
		"CREATE TABLE v (id BIGINT PRIMARY KEY)", "INSERT INTO p VALUES (1, '2015-01-01', 'x')"}
}

func actingNeeds() []retention.Need {
	n := func(name string) retention.TableName { return retention.TableName{Name: name} }
	return []retention.Need{
		{Table: n("c"), Update: []string{"p_id"}},
		{Table: n("p"), Delete: true, Update: []string{"at", "note"}, Lock: "id", Rewrite: true},
		{Table: n("v"), Insert: true},
		{Table: n("archive_p"), Missing: true, Insert: true},
	}
}

// advice is what a source says, random names taken out.
func advice(t *testing.T, s *Source, w retention.Wants) []string {
	t.Helper()
	list, err := s.Advise(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range list {
		level := "warning"
		if a.Error {
			level = "error"
		}
		text := fmt.Sprintf("%s %s: %s | %s", level, a.Code, a.Message, a.Hint)
		text = regexp.MustCompile(`'r_[0-9a-f]{16}'@'[^']*'`).ReplaceAllString(text, "USER")
		out = append(out, regexp.MustCompile("`t_[0-9a-f]{16}`").ReplaceAllString(text, "DB"))
	}
	return out
}

func openAs(t *testing.T, dsn string, o Options) *Source {
	t.Helper()
	s, err := OpenWith(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The GRANT statements that Advise names are enough: after them it says nothing,
// and the user can act.
func TestAdvisedGrantsAreEnough(t *testing.T) {
	d, admin := shop(t, advised()...)
	dsn := servers.MariaDB(t).Role(t, d.dsn, "SELECT ON v")
	s := openAs(t, dsn, Options{})
	w := retention.Wants{Needs: actingNeeds()}
	want := []string{
		"error privilege_missing: the user USER is not shown every table of the database: one that refers to a table under rules, ON DELETE CASCADE, would lose rows unseen | GRANT SELECT ON DB.* TO USER;",
		"error privilege_missing: the user USER may not do what acting on table c takes: SELECT, UPDATE (`p_id`), TRIGGER | GRANT SELECT, TRIGGER, UPDATE (`p_id`) ON DB.`c` TO USER;",
		"error privilege_missing: the user USER may not do what acting on table p takes: SELECT, DELETE, UPDATE (`at`), UPDATE (`note`), TRIGGER | GRANT SELECT, DELETE, TRIGGER, UPDATE (`at`, `note`) ON DB.`p` TO USER;",
		"warning privilege_missing: erase: needs ALTER on table p, which the user USER does not have: the deleted rows stay in its file | GRANT ALTER, CREATE, INSERT ON DB.`p` TO USER;",
		"error privilege_missing: the user USER may not do what acting on table v takes: INSERT, TRIGGER | GRANT INSERT, TRIGGER ON DB.`v` TO USER;",
		"error privilege_missing: the user USER may not do what acting on table archive_p takes: CREATE, SELECT, INSERT, TRIGGER | GRANT CREATE, SELECT, INSERT, TRIGGER ON DB.`archive_p` TO USER;",
		"error privilege_missing: the user USER may not do what acting on table retentiond_gate takes: CREATE, SELECT, INSERT, UPDATE (`store_uuid`), UPDATE (`holds_version`), UPDATE (`log_size`), UPDATE (`log_root`) | GRANT CREATE, SELECT, INSERT, UPDATE ON DB.`retentiond_gate` TO USER;",
		"error privilege_missing: the user USER may not do what acting on table retentiond_receipt takes: CREATE, SELECT, INSERT, DELETE | GRANT CREATE, SELECT, INSERT, DELETE ON DB.`retentiond_receipt` TO USER;",
	}
	if diff := cmp.Diff(want, advice(t, s, w)); diff != "" {
		t.Fatal(diff)
	}
	list, err := s.Advise(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		d.app.MustExec(a.Hint)
	}
	sel := selection(describe(t, admin, "p"), "p", "at")
	s = openAs(t, dsn, Options{})
	if got := advice(t, s, w); got != nil {
		t.Errorf("after its own GRANT statements: %q", got)
	}
	if _, err := s.Apply(t.Context(), batch(sel, retention.Act{Kind: retention.Delete}, 1)); err != nil {
		t.Error(err)
	}
}

// What a user may do beyond its work is told, and so is a reader that may write.
func TestAdviseWideUsers(t *testing.T) {
	d, _ := shop(t, advised()...)
	w := retention.Wants{Needs: actingNeeds(), Lag: true, Running: true, Backlog: true}
	has := func(what string, list []string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(strings.Join(list, "\n"), p) {
				t.Errorf("%s: nothing of %q in\n%s", what, p, strings.Join(list, "\n"))
			}
		}
	}
	has("administrator", advice(t, openAs(t, d.dsn, Options{ReadDSN: d.dsn}), w), "warning privilege_wide", "ALL PRIVILEGES, GRANT OPTION ON *.*", "warning reader_writes", "lag_unseen")
	dsn := servers.MariaDB(t).Role(t, d.dsn, "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, TRIGGER ON *", "FILE ON *.*")
	reader := servers.MariaDB(t).Role(t, d.dsn, "SELECT ON p", "SELECT ON c")
	got := advice(t, openAs(t, dsn, Options{ReadDSN: reader}), w)
	has("wide", got, "has FILE ON *.*", "error privilege_missing: the user USER of dsn_read may not read 1 of", "GRANT SELECT ON DB.`v` TO USER;",
		"lag_unseen", "GRANT REPLICA MONITOR ON *.*", "load_unseen", "GRANT PROCESS ON *.*")
	if all := strings.Join(got, "\n"); strings.Contains(all, "reader_writes") || strings.Contains(all, "may not do what acting") {
		t.Errorf("more than there is to say:\n%s", all)
	}
}

// Without privileges the load is unknown, which is no error.
func TestPressureThatIsNotShown(t *testing.T) {
	d, _ := shop(t, advised()...)
	p, err := openAs(t, servers.MariaDB(t).Role(t, d.dsn, "SELECT ON p"), Options{}).Pressure(t.Context(), retention.TableName{Name: "p"})
	if want := (retention.Pressure{LagUnknown: true, RunningUnknown: true, BacklogUnknown: true}); err != nil || p != want {
		t.Errorf("%+v %v", p, err)
	}
	p, err = openAs(t, servers.MariaDB(t).Role(t, d.dsn, "SELECT ON p", "PROCESS ON *.*"), Options{}).Pressure(t.Context(), retention.TableName{Name: "p"})
	if err != nil || p.RunningUnknown || p.BacklogUnknown || !p.LagUnknown {
		t.Errorf("with PROCESS: %+v %v", p, err)
	}
}

// The statement for an index works as it is printed.
func TestIndexSQL(t *testing.T) {
	d, s := shop(t, advised()...)
	text := s.IndexSQL(retention.TableName{Name: "p"}, []string{"at", "note"})
	if text != "CREATE INDEX `idx_p_at_note` ON `p` (`at`, `note`) ALGORITHM=INPLACE LOCK=NONE;" {
		t.Error(text)
	}
	d.app.MustExec(text)
}

func TestGrantCovers(t *testing.T) {
	for on, want := range map[string]bool{"*.*": true, "`shop`.*": true, "`shop`.`p`": true, "`shop`.`q`": false, "`s%`.*": true, "`sho_`.*": true, "`sho\\_`.*": false, "`other`.*": false} {
		if got := (grant{on: on}).covers(retention.TableName{Schema: "shop", Name: "p"}); got != want {
			t.Errorf("%s: %t", on, got)
		}
	}
}

// What a foreign key does on delete is known to a user who may only SELECT.
func TestRulesForReaders(t *testing.T) {
	d, _ := shop(t, "CREATE TABLE p (id INT PRIMARY KEY)")
	for i, rule := range []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE NO ACTION", "ON DELETE RESTRICT ON UPDATE CASCADE"} {
		d.app.MustExec(fmt.Sprintf("CREATE TABLE c%d (id INT PRIMARY KEY, `p ON DELETE CASCADE` INT, CONSTRAINT `k%d` FOREIGN KEY (`p ON DELETE CASCADE`) REFERENCES p (id) %s)", i, i, rule))
	}
	rules := func(s *Source) string {
		var out []string
		for _, fk := range describe(t, s, "p").Table(retention.TableName{Name: "p"}).Referenced {
			out = append(out, fk.Name+" "+fk.OnDelete)
		}
		return strings.Join(out, ", ")
	}
	want := "k0 RESTRICT, k1 CASCADE, k2 SET NULL, k3 NO ACTION, k4 RESTRICT"
	for name, dsn := range map[string]string{"administrator": d.dsn, "reader": servers.MariaDB(t).Role(t, d.dsn, "SELECT ON *")} {
		if got := rules(openAs(t, dsn, Options{})); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Gates and receipts are read at the source, whatever dsn_read names.
func TestGateIsReadAtTheSource(t *testing.T) {
	d, _ := shop(t)
	elsewhere := servers.MariaDB(t).Database(t)
	s := openAs(t, d.dsn, Options{ReadDSN: elsewhere})
	if srv, err := s.Server(t.Context()); err != nil || !srv.Gate.Installed {
		t.Errorf("%+v %v", srv, err)
	}
}
