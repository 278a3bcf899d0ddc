package postgres

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

const advised = `CREATE TABLE p (id bigint PRIMARY KEY, at timestamptz, note text); CREATE TABLE c (id bigint PRIMARY KEY, p_id bigint REFERENCES p (id)); CREATE TABLE v (id bigint);`

func actingNeeds() []retention.Need {
	p := func(name string) retention.TableName { return retention.TableName{Schema: "public", Name: name} }
	return []retention.Need{
		{Table: p("c"), Update: []string{"p_id"}},
		{Table: p("p"), Delete: true, Update: []string{"at", "note"}, Lock: "id"},
		{Table: p("v"), Insert: true},
	}
}

// advice is what a source says, roles' random names taken out.
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
		out = append(out, regexp.MustCompile(`r_[0-9a-f]{16}`).ReplaceAllString(fmt.Sprintf("%s %s: %s | %s", level, a.Code, a.Message, a.Hint), "ROLE"))
	}
	return out
}

func openAs(t *testing.T, o Options) *Source {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The GRANT statements that Advise names are enough: after them it says nothing,
// and the role can act.
func TestAdvisedGrantsAreEnough(t *testing.T) {
	b := setup(t, advised+"INSERT INTO p VALUES (1, '2015-01-01', 'x')", "p", "c", "v")
	dsn := servers.Postgres(t).Role(t, b.dsn)
	s := openAs(t, Options{DSN: dsn})
	w := retention.Wants{Needs: actingNeeds()}
	want := []string{
		`error privilege_missing: the role "ROLE" may not do what acting on table public.c takes: SELECT, UPDATE ("p_id") | GRANT SELECT, UPDATE ("p_id") ON "public"."c" TO "ROLE";`,
		`error privilege_missing: the role "ROLE" may not do what acting on table public.p takes: SELECT, DELETE, UPDATE ("at", "note") | GRANT SELECT, DELETE, UPDATE ("at", "note") ON "public"."p" TO "ROLE";`,
		`error privilege_missing: the role "ROLE" may not do what acting on table public.v takes: SELECT, INSERT | GRANT SELECT, INSERT ON "public"."v" TO "ROLE";`,
		`error privilege_missing: the role "ROLE" may not do what acting on table public.retentiond_gate takes: SELECT, UPDATE ("store_uuid", "holds_version", "log_size", "log_root") | GRANT SELECT, UPDATE ("store_uuid", "holds_version", "log_size", "log_root") ON "public"."retentiond_gate" TO "ROLE";`,
		`error privilege_missing: the role "ROLE" may not do what acting on table public.retentiond_receipt takes: SELECT, INSERT, DELETE | GRANT SELECT, INSERT, DELETE ON "public"."retentiond_receipt" TO "ROLE";`,
	}
	if diff := cmp.Diff(want, advice(t, s, w)); diff != "" {
		t.Fatal(diff)
	}
	list, err := s.Advise(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		b.exec(a.Hint)
	}
	if got := advice(t, s, w); got != nil {
		t.Errorf("after its own GRANT statements: %q", got)
	}
	other := *b
	other.s = s
	other.apply(other.batch(other.selection("p", "at"), retention.Act{Kind: retention.Delete}, 1))
	b.wantRows("SELECT count(*)::text FROM p", "0")
}

// A role that only deletes locks rows, which takes UPDATE on some column; one
// that installs creates.
func TestAdviseLockAndInstall(t *testing.T) {
	d := fresh(t)
	d.app.MustExec(advised)
	dsn := servers.Postgres(t).Role(t, d.dsn, "SELECT, DELETE ON p")
	got := advice(t, openAs(t, Options{DSN: dsn}), retention.Wants{Needs: []retention.Need{{Table: tn("p"), Delete: true, Lock: "id", Rewrite: true}, {Table: tn("archive_p"), Missing: true, Insert: true}}})
	want := []string{
		`error privilege_missing: the role "ROLE" may not do what acting on table public.p takes: UPDATE ("id") | GRANT UPDATE ("id") ON "public"."p" TO "ROLE";`,
		`warning privilege_missing: erase: needs VACUUM, which only the owner of table public.p may run, and the role "ROLE" is not one: the deleted rows stay in its file | ALTER TABLE "public"."p" OWNER TO … a role that "ROLE" is a member of`,
		"error privilege_missing: the table public.archive_p does not exist, and the role \"ROLE\" may not create it | GRANT CREATE ON SCHEMA \"public\" TO \"ROLE\"; or let its owner run what `retentiond check --install --print` shows",
		"error privilege_missing: the table public.retentiond_gate does not exist, and the role \"ROLE\" may not create it | GRANT CREATE ON SCHEMA \"public\" TO \"ROLE\"; or let its owner run what `retentiond check --install --print` shows",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What a role may do beyond its work is told, and so is a reader that may write.
func TestAdviseWideRoles(t *testing.T) {
	b := setup(t, advised, "p", "c", "v")
	has := func(what string, list []string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(strings.Join(list, "\n"), p) {
				t.Errorf("%s: nothing of %q in\n%s", what, p, strings.Join(list, "\n"))
			}
		}
	}
	admin := openAs(t, Options{DSN: b.dsn, ReadDSN: b.dsn})
	w := retention.Wants{Needs: actingNeeds(), Lag: true, Running: true}
	has("superuser", advice(t, admin, w), "warning privilege_wide", "is a superuser", "warning reader_writes", "lag_unseen: replica_lag is set, and no standby is connected")

	dsn := servers.Postgres(t).Role(t, b.dsn, "SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public", "pg_write_all_data")
	reader := servers.Postgres(t).Role(t, b.dsn, "SELECT ON p, c")
	c, err := sqlx.Connect("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var name string
	if err := c.Get(&name, "SELECT current_user"); err != nil {
		t.Fatal(err)
	}
	b.exec("ALTER ROLE " + quote(name) + " BYPASSRLS CREATEROLE")
	got := advice(t, openAs(t, Options{DSN: dsn, ReadDSN: reader}), w)
	has("wide", got, "has BYPASSRLS", "ALTER ROLE \"ROLE\" NOCREATEROLE", "REVOKE pg_write_all_data", "REVOKE TRUNCATE ON \"public\".\"p\"",
		"error privilege_missing: the role \"ROLE\" of dsn_read may not read \"public\".\"v\"", "lag_unseen", "load_unseen", "GRANT pg_monitor TO")
	if strings.Contains(strings.Join(got, "\n"), "reader_writes") {
		t.Errorf("a reader that cannot write is told to be able to: %q", got)
	}
	p, err := openAs(t, Options{DSN: dsn}).Pressure(t.Context(), tn("p"))
	if err != nil || !p.RunningUnknown {
		t.Errorf("what is not shown is not unknown: %+v %v", p, err)
	}
}

// The statement for an index works as it is printed.
func TestIndexSQL(t *testing.T) {
	b := setup(t, advised, "p")
	text := b.s.IndexSQL(tn("p"), []string{"at", "note"})
	if text != `CREATE INDEX CONCURRENTLY ON "public"."p" ("at", "note");` {
		t.Error(text)
	}
	b.exec(text)
	b.wantRows("SELECT indexname::text FROM pg_indexes WHERE tablename = 'p' ORDER BY 1", "p_at_note_idx", "p_pkey")
}
