package bench

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkMariaDB is retentiond beside pt-archiver and single statements.
func BenchmarkMariaDB(b *testing.B) {
	s, rows := newMariaDB(b), rowsOr(b, 500_000)
	s.events(b, rows)
	title := func(what string) string { return fmt.Sprintf("MariaDB, %d rows: %s", rows, what) }
	where := " WHERE created_at < '" + cutoff().Format(time.DateTime) + "'"
	bulk := []string{"--bulk-delete", "--limit", "10000", "--commit-each"}

	b.Run("Delete", func(b *testing.B) {
		contest{title: title("delete"), fresh: s.copied, ways: []way{
			{name: "retentiond", do: ours{policy: deletes}.do},
			{name: "giant DELETE", do: statement("DELETE FROM events" + where)},
			{name: "pt-archiver bulk, 10000", reach: 1.7, do: s.archiver(append(bulk, "--purge")...)},
			{name: "pt-archiver row by row, 1000", reach: 7, do: s.archiver("--purge", "--limit", "1000", "--commit-each")},
			{name: "pt-archiver's defaults", reach: 130, do: s.archiver("--purge")},
		}}.run(b)
	})
	b.Run("DeleteParallel", func(b *testing.B) {
		contest{title: title("delete, parallel: 2"), fresh: s.copied, ways: []way{
			{name: "retentiond", do: ours{policy: deletes, parallel: 2}.do},
			{name: "giant DELETE", reach: 0.95, do: statement("DELETE FROM events" + where)},
		}}.run(b)
	})
	b.Run("Anonymise", func(b *testing.B) {
		contest{title: title("anonymise"), fresh: s.copied, ways: []way{
			{name: "retentiond", do: ours{policy: anonymises}.do},
			{name: "giant UPDATE", do: statement("UPDATE events SET email = NULL, ip = concat(left(ip, 8), '0')" + where)},
		}}.run(b)
	})
	b.Run("ArchiveTable", func(b *testing.B) {
		contest{title: title("archive to a table"), fresh: s.copied, ways: []way{
			{name: "retentiond", do: ours{policy: archives}.do},
			{name: "pt-archiver --dest, bulk, 10000", reach: 2.0, do: func(b *testing.B, p *place) effort {
				p.exec(b, "CREATE TABLE old_events LIKE events")
				return s.archiver(append(bulk, "--bulk-insert", "--dest", "SOURCE,t=old_events")...)(b, p)
			}},
		}}.run(b)
	})
	b.Run("ArchiveSealed", func(b *testing.B) {
		contest{title: title("archive to a sealed vault"), fresh: s.copied, ways: []way{
			{name: "retentiond", do: ours{policy: seals}.do},
			{name: "pt-archiver --file, bulk, 10000", reach: 1.5, do: func(b *testing.B, p *place) effort {
				return s.archiver(append(bulk, "--file", filepath.Join(b.TempDir(), "%D.%t"))...)(b, p)
			}},
		}}.run(b)
	})
	b.Run("Client", func(b *testing.B) {
		client(b, title("a client beside a delete at the default rate"), s.copied, ours{policy: deletes, paced: true})
	})
}
