package mysql

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// partition names one by its table: partitions have no name of their own here.
func partition(h home) func(table, part retention.TableName) sqlgen.SQL {
	return func(table, part retention.TableName) sqlgen.SQL {
		n := h.key(table)
		return sqlgen.Raw(quote(n.Schema) + "." + quote(n.Name) + " PARTITION (" + quote(part.Name) + ")")
	}
}

type partitionRow struct {
	Name   string  `db:"name"`
	Method string  `db:"method"`
	By     string  `db:"expression"`
	Upper  string  `db:"upper"`
	Sub    *string `db:"sub"`
}

// partitionRows are the table's partitions, in the order of their bounds.
func (e *engine) partitionRows(ctx context.Context, q sqlwork.Session, t retention.TableName) ([]partitionRow, error) {
	n := e.home.key(t)
	var rows []partitionRow
	err := sqlx.SelectContext(ctx, q, &rows, `SELECT PARTITION_NAME AS name, PARTITION_METHOD AS method, coalesce(PARTITION_EXPRESSION, '') AS expression, coalesce(PARTITION_DESCRIPTION, '') AS upper, SUBPARTITION_NAME AS sub
FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND PARTITION_NAME IS NOT NULL ORDER BY PARTITION_ORDINAL_POSITION`, n.Schema, n.Name)
	if err != nil {
		return nil, fmt.Errorf("read the partitions of table %s: %w", t, err)
	}
	return rows, nil
}

// ranged says of the partitioned tables by what their ranges are, and why none of them
// is dropped.
func (cat *catalogue) ranged(ctx context.Context, q sqlwork.Session) error {
	for _, t := range cat.table {
		if t.Kind != "partitioned" {
			continue
		}
		rows, err := cat.e.partitionRows(ctx, q, t.Name)
		if err != nil {
			return err
		}
		if len(rows) == 0 || !strings.HasPrefix(rows[0].Method, "RANGE") {
			continue
		}
		t.RangeKey, _ = rangeKey(rows[0].By)
		switch {
		case !cat.e.maria:
			t.WholeNot = "partitions of MySQL were never dropped in a test of ours, only those of MariaDB were"
		case rows[0].Sub != nil:
			t.WholeNot = "its partitions have subpartitions"
		case slices.ContainsFunc(t.Triggers, func(r retention.Trigger) bool { return strings.EqualFold(r.Event, "INSERT") }):
			t.WholeNot = "a trigger acts on rows that are inserted, and would on rows that are put back"
		}
	}
	return nil
}

// rangeKey are the columns of a partitioning expression, and how a bound is turned
// into a value of the first: of functions, those that people use and that never turn
// the order around.
func rangeKey(by string) (columns []string, value string) {
	if m := regexp.MustCompile("^(?:(to_days|year|unix_timestamp)\\()?((?:`(?:[^`]|``)+`,?)+)\\)?$").FindStringSubmatch(by); m != nil {
		for _, c := range regexp.MustCompile("`((?:[^`]|``)+)`").FindAllStringSubmatch(m[2], -1) {
			columns = append(columns, strings.ReplaceAll(c[1], "``", "`"))
		}
		value = map[string]string{"": "%s", "to_days": "FROM_DAYS(CAST(%s AS SIGNED))", "year": "MAKEDATE(CAST(%s AS SIGNED), 1)", "unix_timestamp": "FROM_UNIXTIME(CAST(%s AS SIGNED))"}[m[1]]
		return columns, value
	}
	return []string{""}, ""
}

// going are the partitions that may go as a whole, as far as the catalogue knows: never
// the last one, nor one without an upper bound.
func going(rows []partitionRow) []partitionRow {
	if len(rows) < 2 || !strings.HasPrefix(rows[0].Method, "RANGE") || rows[0].Sub != nil {
		return nil
	}
	return slices.DeleteFunc(rows[:len(rows)-1], func(r partitionRow) bool { _, ok := upperBound(r.Upper); return !ok })
}

// upperBound is the first column's upper bound, as the catalogue writes it; ok =
// false: there is none, or it is not understood.
func upperBound(text string) (string, bool) {
	m := regexp.MustCompile(`^(?:'((?:[^'\\]|'')*)'|(-?[0-9]+))(?:,|$)`).FindStringSubmatch(text)
	switch {
	case m == nil:
		return "", false
	case m[2] != "":
		return m[2], true
	}
	return strings.ReplaceAll(m[1], "''", "'"), true
}

// Over compares the upper bounds as the database compares the clock's values: what
// lies below a bound lies before the cutoff, if the last value below it does. The
// bounds only save looking into partitions: what they hold is tested row by row.
func (e *engine) Over(ctx context.Context, q sqlwork.Session, t *retention.Table, m retention.MemberTest) ([]retention.Partition, error) {
	c := t.Column(m.Column)
	if c == nil || len(t.RangeKey) == 0 || t.RangeKey[0] != m.Column || t.WholeNot != "" {
		return nil, nil
	}
	rows, err := e.partitionRows(ctx, q, t.Name)
	if err != nil {
		return nil, err
	}
	if rows = going(rows); len(rows) == 0 {
		return nil, nil
	}
	uppers := make([]string, len(rows))
	for i, r := range rows {
		uppers[i], _ = upperBound(r.Upper)
	}
	list, err := json.Marshal(uppers)
	if err != nil {
		return nil, err
	}
	columns, value := rangeKey(rows[0].By)
	under, ok := bound(lastBelow(sqlgen.Format(value, sqlgen.Raw("j.v")), c, len(columns)), c, m)
	if !ok {
		return nil, nil
	}
	x := e.words.Query(sqlgen.Format("SELECT j.n FROM JSON_TABLE(%s, '$[*]' COLUMNS (n FOR ORDINALITY, v VARCHAR(80) PATH '$')) AS j WHERE %s ORDER BY j.n", sqlgen.Arg(string(list)), under))
	var over []int
	if err := sqlx.SelectContext(ctx, q, &over, x.Text, x.Args...); err != nil {
		return nil, fmt.Errorf("bounds: %w", err)
	}
	out := make([]retention.Partition, len(over))
	for i, n := range over {
		out[i] = retention.Partition{Name: retention.TableName{Schema: t.Name.String(), Name: rows[n-1].Name}, Upper: uppers[n-1]}
	}
	return out, nil
}

// lastBelow is the last value that lies below the bound; the bound itself where
// further columns of the key decide.
func lastBelow(upper sqlgen.SQL, c *retention.Column, columns int) sqlgen.SQL {
	only := columns == 1
	switch c.Kind {
	case retention.KindTimestamp, retention.KindTimestampTZ:
		if upper = sqlgen.Format("CAST(%s AS DATETIME(6))", upper); only {
			return sqlgen.Format("(%s - INTERVAL 1 MICROSECOND)", upper)
		}
	case retention.KindDate:
		if upper = sqlgen.Format("CAST(%s AS DATE)", upper); only {
			return sqlgen.Format("(%s - INTERVAL 1 DAY)", upper)
		}
	case retention.KindInteger:
		if upper = sqlgen.Format("CAST(%s AS SIGNED)", upper); only {
			return sqlgen.Format("(%s - 1)", upper)
		}
	}
	return upper
}
