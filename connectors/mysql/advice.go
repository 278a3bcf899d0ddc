package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

var _ retention.Advisor = (*Source)(nil)

// IndexSQL refuses to make the index where that would stop those who write.
func (s *Source) IndexSQL(t retention.TableName, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quote(c)
	}
	return fmt.Sprintf("CREATE INDEX %s ON %s (%s) ALGORITHM=INPLACE LOCK=NONE;", quote("idx_"+t.Name+"_"+strings.Join(columns, "_")), s.words.Table(t).Text, strings.Join(quoted, ", "))
}

// Advise compares the acting user, and the one of dsn_read, with what the work
// needs; see [retention.Advisor].
func (s *Source) Advise(ctx context.Context, w retention.Wants) ([]retention.Advice, error) {
	var a adviser
	conn, err := s.write.Connx(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		a.add(true, retention.AdviceDurability, "", "batches cannot begin: %v", s.down(err))
	} else {
		defer conn.Close()
		if err := a.actor(ctx, s, conn, w.Needs); err != nil {
			return nil, s.down(err)
		}
		if err := a.applications(ctx, s, conn, w); err != nil {
			return nil, s.down(err)
		}
	}
	if s.apart {
		read, err := s.read.Connx(ctx)
		if err != nil {
			return nil, s.down(err)
		}
		defer read.Close()
		if err := a.reader(ctx, s, read, w.Needs); err != nil {
			return nil, s.down(err)
		}
	}
	return a.out, a.unseen(ctx, s, w)
}

// adviser gathers advice.
type adviser struct{ out []retention.Advice }

func (a *adviser) add(bad bool, code retention.AdviceCode, hint, format string, args ...any) {
	a.out = append(a.out, retention.Advice{Error: bad, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// actor looks at the user who acts.
func (a *adviser) actor(ctx context.Context, s *Source, conn *sqlx.Conn, needs []retention.Need) error {
	who, err := grantee(ctx, conn)
	if err != nil {
		return err
	}
	grants, err := grantsOf(ctx, conn)
	if err != nil {
		return err
	}
	a.wide(who, grants)
	a.hidden(s, who, grants)
	if err := a.missing(ctx, s, conn, who, grants, needs); err != nil {
		return err
	}
	if err := a.left(ctx, s, conn, needs); err != nil {
		return err
	}
	return a.settings(ctx, conn)
}

// unseen warns of thresholds whose values nobody shows us.
func (a *adviser) unseen(ctx context.Context, s *Source, w retention.Wants) error {
	if !w.Lag && !w.Running && !w.Backlog {
		return nil
	}
	p, why, err := s.pressure(ctx)
	if err != nil {
		return err
	}
	if w.Lag && p.LagUnknown {
		hint := "name a replica in dsn_read: it says how far it is behind, the primary does not know"
		if s.apart && why != nil {
			hint = "GRANT REPLICA MONITOR ON *.* (MySQL: REPLICATION CLIENT) to the user of dsn_read, on the primary"
		}
		a.add(false, retention.AdviceLagUnseen, hint, "replica_lag is set, and nobody says how far a replica is behind: batches wait until somebody does")
	}
	if w.Running && p.RunningUnknown || w.Backlog && p.BacklogUnknown {
		a.add(false, retention.AdviceLoadUnseen, "GRANT PROCESS ON *.* TO the user of dsn", "running or backlog is set, and the user is not shown what others do: batches wait until it is")
	}
	return nil
}

// settings warns of a server that could lose pages in a crash; what batches
// cannot do without is tested where a session begins.
func (a *adviser) settings(ctx context.Context, conn *sqlx.Conn) error {
	var twice string
	if err := conn.GetContext(ctx, &twice, "SELECT @@global.innodb_doublewrite"); err != nil {
		return err
	}
	if twice == "0" || strings.EqualFold(twice, "OFF") {
		a.add(false, retention.AdviceDurability, "set innodb_doublewrite=ON and restart the server", "innodb_doublewrite is off: a crash could tear pages, receipts among them, unless the file system writes them whole")
	}
	return nil
}

// refused reports whether the server refused a statement for want of a privilege.
func refused(err error) bool {
	switch code(err) {
	case errDatabase, errTable, errColumn, errSpecific, errRoutine:
		return true
	}
	return false
}

// errSpecific: a privilege for the whole server is missing.
const errSpecific = 1227

// may asks the server whether the user may run a statement, which is prepared and
// never run: roles and patterns of names count as they will.
func may(ctx context.Context, conn *sqlx.Conn, text string) (bool, error) {
	st, err := conn.PrepareContext(ctx, text)
	switch {
	case refused(err):
		return false, nil
	case err != nil && code(err) == 0:
		return false, err
	case err != nil:
		return true, nil // something else is wrong with it, and is told elsewhere
	}
	return true, st.Close()
}
