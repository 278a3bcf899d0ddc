package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// mayAside proves, before anything moves, that rows of the table could be set aside,
// put back in every way, and given up; else they go by rows.
func (e *engine) mayAside(ctx context.Context, conn *sqlx.Conn, t retention.TableName) error {
	s, there, err := e.asideOf(ctx, conn)
	switch {
	case err != nil:
		return err
	case there && s.Intent == "":
		return fmt.Errorf("table %s is not of retentiond: rename it: %w", asideTable, retention.ErrNotWhole)
	case there:
		return e.waiting(ctx, conn, s)
	}
	if err := e.untriggered(ctx, conn, t); err != nil {
		return fmt.Errorf("%w: %w", retention.ErrNotWhole, err)
	}
	keys, err := e.uniques(ctx, conn, t)
	if err != nil {
		return err
	}
	if !told(keys) {
		return fmt.Errorf("table %s has no unique key without NULL: %w", t, retention.ErrNotWhole)
	}
	who, err := grantee(ctx, conn)
	if err != nil {
		return err
	}
	grants, err := grantsOf(ctx, conn)
	if err != nil {
		return err
	}
	hints := append(e.lacksAside(grants, t, who), lacks(grants, t, e.inFull(t), who, "TRIGGER")...) // they are shown to nobody else
	if len(hints) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(hints, " "), retention.ErrNotWhole)
	}
	return nil
}

// settleRows is what a person does about rows that cannot go back.
const settleRows = "where a row with the same key was written meanwhile, delete the wrong one of the two, in its table or in retentiond_aside; then retentiond run puts the others back"

// waiting says what is in our table and stays there.
func (e *engine) waiting(ctx context.Context, conn *sqlx.Conn, s set) error {
	n, err := e.rowsAside(ctx, conn)
	if err != nil {
		return err
	}
	return fmt.Errorf("%d rows of partition %s of table %s wait in table %s: %s: %w: %w", n, s.Partition, s.of(), asideTable, settleRows, retention.ErrRowsAside, retention.ErrNotWhole)
}

func (e *engine) rowsAside(ctx context.Context, conn *sqlx.Conn) (n int64, err error) {
	err = conn.GetContext(ctx, &n, "SELECT count(*) FROM "+e.Own(asideTable))
	return n, err
}

// lacksAside are the GRANT statements without which partitions are not set aside.
func (e *engine) lacksAside(grants []grant, t retention.TableName, who string) []string {
	aside := retention.TableName{Schema: e.home.database, Name: asideTable}
	hints := lacks(grants, e.home.key(t), e.inFull(t), who, "ALTER", "CREATE", "DROP", "INSERT")
	return append(hints, lacks(grants, aside, e.inFull(aside), who, "SELECT", "INSERT", "DELETE", "CREATE", "ALTER", "DROP")...)
}

// lacks is the GRANT statement of the rights that none of the grants gives.
func lacks(grants []grant, on retention.TableName, text, who string, rights ...string) []string {
	rights = slices.DeleteFunc(rights, func(r string) bool { return has(grants, r, on) })
	if len(rights) == 0 {
		return nil
	}
	return []string{"GRANT " + strings.Join(rights, ", ") + " ON " + text + " TO " + who + ";"}
}

// createAside is one statement that makes our empty table, and says whose it is: at no
// moment is a table there that does not. The server compares it with the table when
// rows are exchanged.
func (e *engine) createAside(ctx context.Context, conn *sqlx.Conn, t retention.TableName, comment string) (string, error) {
	var name, text string
	if err := conn.QueryRowxContext(ctx, "SHOW CREATE TABLE "+e.words.Table(t).Text).Scan(&name, &text); err != nil {
		return "", err
	}
	body, ok := strings.CutPrefix(text, "CREATE TABLE "+quote(name)+" (")
	at := strings.LastIndex(body, "\n PARTITION BY ")
	if !ok || at < 0 {
		return "", fmt.Errorf("the definition of table %s is not understood: %w", t, retention.ErrNotWhole)
	}
	return "CREATE TABLE " + e.Own(asideTable) + " (" + body[:at] + " COMMENT=" + literal(comment), nil
}

// left tells of rows that a process which died had set aside, and of a table of that
// name that is not ours.
func (a *adviser) left(ctx context.Context, s *Source, conn *sqlx.Conn, needs []retention.Need) error {
	what, there, err := s.asideOf(ctx, conn)
	if err != nil || !there {
		return err
	}
	if what.Intent == "" {
		if s.maria && slices.ContainsFunc(needs, func(n retention.Need) bool { return n.Whole }) {
			a.add(false, retention.AdviceDurability, "rename that table", "partitions: drop: table %s is not of retentiond, which needs the name: partitions are not dropped, their rows go one by one", asideTable)
		}
		return nil
	}
	var busy bool // whoever set them aside is at it
	err = conn.GetContext(ctx, &busy, "SELECT coalesce(IS_USED_LOCK(CONCAT('"+alteringLock+"', source_uuid)), 0) <> 0 FROM "+s.Own(gateTable)+" WHERE id = 1")
	if err != nil || busy {
		return err
	}
	number := "an unknown number of"
	if n, err := s.rowsAside(ctx, conn); err == nil {
		number = fmt.Sprint(n)
	} else if code(err) == 0 {
		return err
	}
	a.add(false, retention.AdviceDurability, "retentiond run, or restart the daemon: what died is settled first, or says why not; "+settleRows,
		"%s rows of partition %s of table %s are in table %s, since whoever was dropping it died: they are put back, or given up, as its receipt says; until then rules do not see them, and no partition is dropped", number, what.Partition, what.of(), asideTable)
	return nil
}
