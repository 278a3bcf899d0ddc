package sqlite

import (
	"errors"
	"fmt"

	"github.com/retentiond/retentiond/retention"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// code is SQLite's extended result code of an error, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func primary(err error) int { return code(err) & 0xff }

// busy is whether another connection is in the way.
func busy(err error) bool {
	return primary(err) == lib.SQLITE_BUSY || primary(err) == lib.SQLITE_LOCKED
}

func duplicate(err error) bool {
	c := code(err)
	return c == lib.SQLITE_CONSTRAINT_PRIMARYKEY || c == lib.SQLITE_CONSTRAINT_UNIQUE
}

func noTable(err error) bool {
	return primary(err) == lib.SQLITE_ERROR && containsFold(err.Error(), "no such table")
}

// down explains why the file cannot be read.
func (s *engine) down(err error) error {
	switch primary(err) {
	case lib.SQLITE_NOTADB:
		return refusal(retention.RefuseSourceDown, "%s is not a SQLite database (or it is encrypted)", s.path)
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return refusal(retention.RefuseSourceDown, "%s cannot be opened: a database in WAL mode needs its -wal and -shm files, or a directory where they can be made; check the permissions of file and directory (%v)", s.path, err)
	case lib.SQLITE_READONLY:
		return refusal(retention.RefuseSourceDown, "%s is read-only here: give this user write permission on the file and its directory (%v)", s.path, err)
	case lib.SQLITE_CORRUPT:
		return refusal(retention.RefuseSourceDown, "%s is damaged: restore it or run .recover (%v)", s.path, err)
	case lib.SQLITE_FULL, lib.SQLITE_IOERR:
		return refusal(retention.RefuseSourceDown, "%s cannot be written: the disk is full, a quota is reached, or it fails: make room (%v)", s.path, err)
	}
	return fmt.Errorf("sqlite %s: %w", s.path, err)
}

// unwritable explains a file that takes no writes; any other error stays.
func (s *engine) unwritable(err error) error {
	switch primary(err) {
	case lib.SQLITE_READONLY, lib.SQLITE_FULL, lib.SQLITE_IOERR:
		return s.down(err)
	}
	return err
}

// explain says what a failed change of a table ran into.
func explain(t *retention.Table, err error) error {
	switch code(err) {
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fmt.Errorf("table %s: a foreign key of %s still refers to its rows; declare the table as a child: %w", t.Name, referrers(t), err)
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fmt.Errorf("table %s: the new value is not unique; use random, or name a column that is not unique: %w", t.Name, err)
	case lib.SQLITE_CONSTRAINT_TRIGGER:
		return fmt.Errorf("table %s: a trigger refused the change: %w", t.Name, err)
	}
	return fmt.Errorf("table %s: %w", t.Name, err)
}

func referrers(t *retention.Table) string {
	names := ""
	for _, fk := range t.Referenced {
		if fk.OnDelete == "CASCADE" || fk.OnDelete == "SET NULL" {
			continue
		}
		if names != "" {
			names += ", "
		}
		names += fk.From.String()
	}
	if names == "" {
		return "another table"
	}
	return names
}
