package objects

import (
	"context"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// Prober is a tree that knows beforehand what this user may not remove.
type Prober interface {
	// Probe calls f with each of the files that could not be removed now, and why, in
	// words that are the same for the same reason. It changes nothing.
	Probe(ctx context.Context, paths []string, f func(why string)) error
}

// probedAt is how many files are probed at once.
const probedAt = 10_000

// probeAdvice tells of files that a rule is to remove and this user cannot.
func (s *Source) probeAdvice(ctx context.Context, needs []retention.Need) (out []retention.Advice, err error) {
	p, ok := s.e.tree.(Prober)
	if !ok {
		return nil, nil
	}
	for _, n := range needs {
		if !n.Delete || n.Missing {
			continue
		}
		var files, stay int64
		counts, order := map[string]int64{}, []string(nil)
		for after := ""; ; {
			paths, err := s.after(ctx, n.Table, after)
			if err != nil || len(paths) == 0 {
				if err != nil {
					return nil, fmt.Errorf("files %s: %w", n.Table, err)
				}
				break
			}
			files, after = files+int64(len(paths)), paths[len(paths)-1]
			if err := p.Probe(ctx, paths, func(why string) {
				if stay++; counts[why] == 0 {
					order = append(order, why)
				}
				counts[why]++
			}); err != nil {
				return nil, fmt.Errorf("files %s: %w", n.Table, err)
			}
		}
		slices.Sort(order)
		for _, why := range order {
			out = append(out, retention.Advice{Error: stay == files, Code: retention.AdvicePrivilegeMissing,
				Message: fmt.Sprintf("%s: %d of %d files of %q could not be removed: %s", s.e.tree.Name(), counts[why], files, n.Table.Name, why),
				Hint:    "give this user the right to, or leave them out of the pattern: they would be told as failed in each run"})
		}
	}
	return out, nil
}

// after are some of the set's files, in order, after that path.
func (s *Source) after(ctx context.Context, set retention.TableName, path string) (out []string, err error) {
	l := s.e.line
	if err := l.take(ctx, 0); err != nil {
		return nil, err
	}
	defer l.give()
	p := quote(retention.FilePath)
	rows, err := l.conn.QueryxContext(ctx, "SELECT "+p+" FROM main."+quote(set.Name)+" WHERE "+p+" > ? ORDER BY "+p+" LIMIT ?", path, probedAt)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}
