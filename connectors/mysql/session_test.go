package mysql

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

// TestErrorsOfOpening: one clear line each, with what helps, and no password.
func TestErrorsOfOpening(t *testing.T) {
	d := fresh(t)
	c, err := mysql.ParseDSN(d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(c *mysql.Config)) string {
		x := c.Clone()
		change(x)
		return x.FormatDSN()
	}
	for name, x := range map[string]struct{ dsn, want string }{
		"wrong password":   {with(func(c *mysql.Config) { c.Passwd = "s3cret" }), "does not take this user and password"},
		"unknown host":     {with(func(c *mysql.Config) { c.Addr, c.Passwd = "nowhere.invalid:3306", "s3cret" }), "host nowhere.invalid is not known"},
		"nothing there":    {with(func(c *mysql.Config) { c.Addr, c.Passwd = "127.0.0.1:1", "s3cret" }), "nothing answers at 127.0.0.1:1"},
		"unknown database": {with(func(c *mysql.Config) { c.DBName = "gone" }), "no database gone"},
		"no database":      {with(func(c *mysql.Config) { c.DBName = "" }), "names no database"},
		"no dsn":           {"s3cret", "the dsn is neither"},
		"another url":      {"postgres://u:s3cret@h/d", "the dsn is neither"},
		"no tls":           {with(func(c *mysql.Config) { c.TLSConfig = "skip-verify" }), "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), x.dsn)
			if err == nil {
				s.Close()
				t.Fatal("it opened")
			}
			if r, ok := errors.AsType[*retention.Refusal](err); !ok || r.Code != retention.RefuseSourceDown || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
	u := "mariadb://" + c.User + ":" + c.Passwd + "@" + c.Addr + "/" + c.DBName
	s, err := Open(t.Context(), u)
	if err != nil {
		t.Fatalf("as a URL: %v", strings.ReplaceAll(err.Error(), c.Passwd, "…"))
	}
	s.Close()
}

// TestPrivileges: inspecting needs SELECT, and nothing else; acting says which
// grant it lacks.
func TestPrivileges(t *testing.T) {
	d, _ := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME)", "INSERT INTO p VALUES (1, '2020-01-01')")
	role := servers.MariaDB(t).Role(t, d.dsn, "SELECT ON *")
	s, err := Open(t.Context(), role)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	sel := selection(describe(t, s, "p"), "p", "at")
	if n, err := s.Count(t.Context(), sel, &retention.HoldSet{}, nil); err != nil || n.Classes.Due != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := s.Server(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = s.Apply(t.Context(), batch(sel, retention.Act{Kind: retention.Delete}, 1))
	if err == nil || !strings.Contains(err.Error(), "GRANT ") {
		t.Errorf("%v", err)
	}
}

// TestServersThatAreRefused: replicas, and servers that lose what they committed.
func TestServersThatAreRefused(t *testing.T) {
	server := servers.NewMariaDB(t)
	dsn := server.Database(t)
	app := openApp(t, dsn)
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for set, x := range map[string]struct{ back, want string }{
		"read_only = 1":                      {"read_only = 0", "read-only"},
		"innodb_flush_log_at_trx_commit = 2": {"innodb_flush_log_at_trx_commit = 1", "set it to 1"},
		"sync_binlog = 0":                    {"sync_binlog = 1", "set it to 1"},
	} {
		app.MustExec("SET GLOBAL " + set)
		_, err := s.Install(t.Context(), store)
		if r, ok := errors.AsType[*retention.Refusal](err); !ok || r.Code != retention.RefuseSourceDown || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", set, err)
		}
		app.MustExec("SET GLOBAL " + x.back)
	}
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Error(err)
	}
}

// TestOddServers: what a server sets for everybody neither cuts what is read of the
// catalogue nor turns it into the past. With either, references were not seen, and
// rows with a fresh contact went.
func TestOddServers(t *testing.T) {
	server := servers.NewMariaDB(t)
	dsn := server.Database(t)
	app := openApp(t, dsn)
	for _, text := range []string{
		"CREATE TABLE a (id INT PRIMARY KEY, at DATETIME) WITH SYSTEM VERSIONING", "CREATE TABLE b (id INT PRIMARY KEY, at DATETIME)",
		"CREATE TABLE c (id INT PRIMARY KEY, b_id INT, FOREIGN KEY (b_id) REFERENCES b (id) ON DELETE CASCADE)",
		"CREATE TABLE d (id INT PRIMARY KEY, b_id INT, FOREIGN KEY (b_id) REFERENCES b (id))",
		"INSERT INTO a VALUES (1, now()), (2, now())",
		"SET GLOBAL sql_select_limit = 1", "SET GLOBAL system_versioning_asof = '2010-01-01 00:00:00'",
	} {
		app.MustExec(text)
	}
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if b := describe(t, s, "b").Table(retention.TableName{Name: "b"}); len(b.Columns) != 2 || len(b.Referenced) != 2 {
		t.Errorf("%d columns, %d references", len(b.Columns), len(b.Referenced))
	}
	for name, db := range map[string]*sqlx.DB{"read": s.engine.read, "write": s.engine.write} {
		var ids []int
		if err := db.SelectContext(t.Context(), &ids, "SELECT id FROM a ORDER BY id"); err != nil || len(ids) != 2 {
			t.Errorf("%s: rows %v %v", name, ids, err)
		}
	}
}

// TestPassIsNotStarved: a hold gets its turn among batches that never pause.
func TestPassIsNotStarved(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME)")
	sel := selection(describe(t, s, "p"), "p", "at")
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 3 {
		other := d.open(t)
		wg.Go(func() {
			for ctx.Err() == nil {
				b := batch(sel, retention.Act{Kind: retention.Delete}, 1)
				b.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) {
					time.Sleep(30 * time.Millisecond)
					return nil, errors.New("no")
				}
				_, _ = other.Apply(ctx, b) // it takes the gate, and that is all
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	limited, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for v := range int64(5) {
		start := time.Now()
		if _, err := s.Pass(limited, store, v+1, retention.Witness{}, func(context.Context, retention.Gate) error { return nil }); err != nil {
			t.Errorf("pass %d after %s: %v", v, time.Since(start), err)
		}
	}
	stop()
	wg.Wait()
}

// TestLockWaitLeavesNothing: InnoDB undoes only the statement that waited too
// long; the batch must go as a whole.
func TestLockWaitLeavesNothing(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME)", "CREATE TABLE c (id INT PRIMARY KEY, p_id INT, KEY (p_id), FOREIGN KEY (p_id) REFERENCES p (id))",
		"CREATE TABLE g (id INT PRIMARY KEY, p_id INT, KEY (p_id), FOREIGN KEY (p_id) REFERENCES p (id))", "INSERT INTO p VALUES (1, '2020-01-01')", "INSERT INTO c VALUES (1, 1)", "INSERT INTO g VALUES (1, 1)")
	sel := selection(describe(t, s, "p", "c", "g"), "p", "at")
	tx := d.app.MustBegin()
	defer tx.Rollback()
	tx.MustExec("UPDATE g SET p_id = 1, id = 2")
	var kids []retention.Child
	for _, n := range []string{"c", "g"} {
		kids = append(kids, retention.Child{Then: retention.ChildDelete, Relation: retention.Relation{Table: retention.TableName{Name: n}, On: []retention.Pair{{Theirs: "p_id", Ours: "id"}}}})
	}
	b := batch(sel, retention.Act{Kind: retention.Delete, Children: kids}, 1)
	if _, err := s.Apply(t.Context(), b); !errors.Is(err, retention.ErrLocked) {
		t.Errorf("%v", err)
	}
	var left int
	if err := d.app.Get(&left, "SELECT (SELECT count(*) FROM p) + (SELECT count(*) FROM c)"); err != nil || left != 2 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	if r, err := s.Settle(t.Context(), b.Intent, nil); err != nil || r.State != retention.ReceiptAbandoned {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestUnsafeTables: where a delete cannot be promised, nothing acts.
func TestUnsafeTables(t *testing.T) {
	_, s := shop(t, "CREATE TABLE isam (id INT PRIMARY KEY, at DATETIME) ENGINE=MyISAM", "CREATE TABLE aria (id INT PRIMARY KEY, at DATETIME) ENGINE=Aria",
		"CREATE TABLE history (id INT PRIMARY KEY, at DATETIME) WITH SYSTEM VERSIONING", "CREATE TABLE named (id ENUM('b', 'a') PRIMARY KEY, at DATETIME)", "CREATE TABLE half (id DOUBLE PRIMARY KEY, at DATETIME)",
		"CREATE TABLE begins (id TEXT, at DATETIME, PRIMARY KEY (id(10)))", "CREATE TABLE parts (id INT PRIMARY KEY, at DATETIME) PARTITION BY HASH (id) PARTITIONS 3")
	schema := describe(t, s, "isam", "aria", "history", "named", "half", "begins", "parts")
	for name, want := range map[string]string{"isam": "MyISAM", "aria": "Aria", "history": "history", "named": "enum", "half": "double", "begins": "beginning", "parts": ""} {
		if why := schema.Table(retention.TableName{Name: name}).Unsafe; (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("%s: %q, want %q", name, why, want)
		}
	}
}

// TestOurChangesMoveNoClock: a column that the server renews on every UPDATE
// stays as it was.
func TestOurChangesMoveNoClock(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(20), at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))", "INSERT INTO p VALUES (1, 'ada', '2020-01-01')")
	act := retention.Act{Kind: retention.Redact, Changes: []retention.Change{{Column: "name", Func: retention.Null}}}
	out, err := s.Apply(t.Context(), batch(selection(describe(t, s, "p"), "p", "at"), act, 1))
	if err != nil || out.Done != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	var same bool
	if err := d.app.Get(&same, "SELECT at = '2020-01-01' AND name IS NULL FROM p"); err != nil || !same {
		t.Errorf("%v, %v", same, err)
	}
}
