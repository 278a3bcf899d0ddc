package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// PutBack puts the rows back: by the exchange that took them, where the partition is
// still there and nobody wrote to it, and otherwise one by one. Whatever is left in
// the table of ours afterwards goes back one by one too, so that rows which came in
// between are never lost, nor is anything where this ends in the middle. Only an empty
// table is dropped.
func (e *engine) PutBack(ctx context.Context) error {
	conn := pinned(ctx)
	s, _, err := e.asideOf(ctx, conn)
	if err != nil || s.Intent == "" {
		return err
	}
	wrap := func(err error) error {
		return fmt.Errorf("%s: rows of partition %s of table %s wait in table %s to be put back: %w", e.name, s.Partition, s.of(), asideTable, err)
	}
	if err := e.kept(ctx, conn); err != nil {
		return wrap(err)
	}
	if err := e.exchangeBack(ctx, conn, s); err != nil {
		return wrap(err)
	}
	if err := e.moveBack(ctx, conn, s); err != nil {
		return wrap(err)
	}
	empty, err := e.empty(ctx, conn, e.Own(asideTable))
	if err == nil && !empty {
		err = fmt.Errorf("it is not empty: %w", retention.ErrLocked)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, "DROP TABLE "+e.Own(asideTable))
	}
	if err != nil {
		return wrap(err)
	}
	return nil
}

// exchangeBack is quick; where it does not work out, rows go back one by one.
func (e *engine) exchangeBack(ctx context.Context, conn *sqlx.Conn, s set) error {
	_, there, err := e.stillPart(ctx, conn, s.of(), s.Partition)
	if err != nil || !there {
		return err
	}
	table := e.words.Table(s.of()).Text
	free, err := e.empty(ctx, conn, table+" PARTITION ("+quote(s.Partition)+")")
	if err != nil || !free {
		return err
	}
	empty, err := e.empty(ctx, conn, e.Own(asideTable))
	if err != nil || empty {
		return err
	}
	err = e.insist(ctx, conn, "ALTER TABLE "+table+" NOWAIT EXCHANGE PARTITION "+quote(s.Partition)+" WITH TABLE "+e.Own(asideTable))
	if code(err) != 0 { // the server says no
		return nil
	}
	return err
}

// moveBack moves what is left in one transaction.
func (e *engine) moveBack(ctx context.Context, conn *sqlx.Conn, s set) error {
	empty, err := e.empty(ctx, conn, e.Own(asideTable))
	if err != nil || empty {
		return err
	}
	columns, err := e.columnsOf(ctx, conn, s)
	if err != nil {
		return err
	}
	usual, err := e.Exact(ctx, conn)
	if err != nil {
		return err
	}
	err = e.Change(ctx, sqlwork.Loose, lockWait*time.Second, func(q sqlwork.Session) error {
		into, err := q.ExecContext(ctx, "INSERT INTO "+e.words.Table(s.of()).Text+" ("+columns+") SELECT "+columns+" FROM "+e.Own(asideTable))
		if err != nil {
			return err
		}
		from, err := q.ExecContext(ctx, "DELETE FROM "+e.Own(asideTable))
		if err != nil {
			return err
		}
		put, err1 := into.RowsAffected()
		took, err2 := from.RowsAffected()
		if err1 != nil || err2 != nil || put != took {
			return errors.Join(err1, err2, fmt.Errorf("%d rows were put back, and %d taken", put, took))
		}
		return nil
	})
	if again := usual(ctx); err == nil {
		err = again
	}
	if code(err) == errDuplicate {
		return fmt.Errorf("a row with the same key was written meanwhile: move them by hand, and drop that table once it is empty: %w", err)
	}
	return err
}

// columnsOf are the columns that both tables have and that neither computes.
func (e *engine) columnsOf(ctx context.Context, conn *sqlx.Conn, s set) (string, error) {
	var names []string
	err := conn.SelectContext(ctx, &names, `SELECT c.COLUMN_NAME FROM information_schema.COLUMNS AS c
WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? AND coalesce(c.GENERATION_EXPRESSION, '') = ''
AND c.COLUMN_NAME IN (SELECT o.COLUMN_NAME FROM information_schema.COLUMNS AS o WHERE o.TABLE_SCHEMA = ? AND o.TABLE_NAME = ? AND coalesce(o.GENERATION_EXPRESSION, '') = '')
ORDER BY c.ORDINAL_POSITION`, s.Schema, s.Table, e.home.database, asideTable)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("table %s is not there any more", s.of())
	}
	for i := range names {
		names[i] = quote(names[i])
	}
	return strings.Join(names, ", "), err
}

// GiveUp drops the rows that a receipt gave up. The partition goes too, where nobody
// wrote to it since and this user may lock the table; else it stays, empty.
func (e *engine) GiveUp(ctx context.Context) error {
	conn := pinned(ctx)
	s, _, err := e.asideOf(ctx, conn)
	if err != nil || s.Intent == "" {
		return err
	}
	if err := e.kept(ctx, conn); err != nil {
		return err
	}
	if err := e.dropEmpty(ctx, conn, s); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "DROP TABLE "+e.Own(asideTable)); err != nil {
		return fmt.Errorf("%s: rows that were given up are still in table %s: %w", e.name, asideTable, err)
	}
	return nil
}

// dropEmpty looks and drops under one lock, which lets nobody write in between. What
// the server refuses leaves the partition as it is.
func (e *engine) dropEmpty(ctx context.Context, conn *sqlx.Conn, s set) error {
	table := e.words.Table(s.of()).Text
	if err := e.insist(ctx, conn, "LOCK TABLES "+table+" WRITE NOWAIT"); err != nil {
		if code(err) != 0 {
			return nil
		}
		return err
	}
	goes, _, err := e.stillPart(ctx, conn, s.of(), s.Partition)
	var free bool
	if err == nil && goes {
		free, err = e.empty(ctx, conn, table+" PARTITION ("+quote(s.Partition)+")")
	}
	if err == nil && free {
		_, err = conn.ExecContext(ctx, "ALTER TABLE "+table+" DROP PARTITION "+quote(s.Partition))
	}
	if code(err) != 0 {
		err = nil
	}
	if _, again := conn.ExecContext(ctx, "UNLOCK TABLES"); err == nil {
		err = again
	}
	return err
}
