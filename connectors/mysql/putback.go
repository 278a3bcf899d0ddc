package mysql

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// PutBack puts the rows back: by the exchange that took them, where the partition is
// still there and nobody wrote to it, and otherwise one by one. Whatever is left in
// the table of ours afterwards goes back one by one too, so that rows which came in
// between are never lost, nor is anything where this ends in the middle. Rows whose
// keys were written meanwhile wait there for a person, and no partition is set aside
// until then. Only an empty table is dropped.
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
	if err := e.dropAside(ctx, conn); err != nil {
		return wrap(err)
	}
	return nil
}

// dropAside drops our table once it is empty. Rows whose keys were written meanwhile
// keep it, for a person to decide; so does a server that does not let this user drop it.
func (e *engine) dropAside(ctx context.Context, conn *sqlx.Conn) error {
	empty, err := e.empty(ctx, conn, e.Own(asideTable))
	if err != nil || !empty {
		return err
	}
	if _, err = conn.ExecContext(ctx, "DROP TABLE "+e.Own(asideTable)); code(err) == errTable {
		return nil
	}
	return err
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
