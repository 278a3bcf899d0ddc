package bench

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"
)

// rate is how often a second the client asks for one row and changes it.
const rate = 200

// client measures an application's single-row operations on the same table,
// alone and beside our run at its default rate, from the moment they were wanted
// (a client that waits behind a slow answer must not hide it).
func client(b *testing.B, title string, fresh func(*testing.B) *place, o ours) {
	var alone, beside []time.Duration
	var work []effort
	for b.Loop() {
		p := fresh(b)
		quit := make(chan struct{})
		time.AfterFunc(4*time.Second, func() { close(quit) })
		alone = append(alone, operations(b, p, quit)...)
		quit = make(chan struct{})
		got := make(chan []time.Duration)
		go func() { got <- operations(b, p, quit) }()
		work = append(work, o.do(b, p))
		close(quit)
		beside = append(beside, <-got...)
		p.drop(b)
	}
	t := &table{title: title, rounds: len(work), rows: []row{{name: "retentiond", effort: middle(work)}}}
	for _, p := range []int{50, 99} {
		without, with := percentile(alone, p), percentile(beside, p)
		times := float64(with) / float64(without)
		t.notes = append(t.notes, fmt.Sprintf("the client's p%d: %v alone (%d operations), %v beside the run (%d): %.2f ×", p, without.Round(10*time.Microsecond), len(alone), with.Round(10*time.Microsecond), len(beside), times))
		if p == 99 {
			t.notes = append(t.notes, "to reach for p99: ≤ 1.5 ×")
			b.ReportMetric(times, "×p99")
		}
	}
	b.ReportMetric(0, "ns/op")
	add(t)
}

// operations are begun at a steady rate until quit, several at a time if they
// must.
func operations(b *testing.B, p *place, quit <-chan struct{}) []time.Duration {
	var newest int64
	if err := p.db.QueryRow("SELECT max(id) FROM events").Scan(&newest); err != nil {
		b.Error(err)
		return nil
	}
	p.db.SetMaxOpenConns(16)
	p.db.SetMaxIdleConns(16)
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for n := int64(0); ; n++ {
		select {
		case <-quit:
			wait.Wait()
			return all
		case wanted := <-tick.C:
			wait.Go(func() {
				if err := operation(p.db, p.driver, newest-(n*7919)%(newest/2)); err != nil {
					b.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, time.Since(wanted))
			})
		}
	}
}

// operation reads one row that is not due, and changes it.
func operation(db *sql.DB, driver string, id int64) error {
	read, change := "SELECT customer_id FROM events WHERE id = ?", "UPDATE events SET customer_id = ? WHERE id = ?"
	if driver == "postgres" {
		read, change = "SELECT customer_id FROM events WHERE id = $1", "UPDATE events SET customer_id = $1 WHERE id = $2"
	}
	var customer int64
	if err := db.QueryRow(read, id).Scan(&customer); err != nil {
		return err
	}
	_, err := db.Exec(change, (customer+1)%customers, id)
	return err
}
