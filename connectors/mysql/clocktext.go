package mysql

import (
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// isoDate and isoTime are calendar.ParseStamp as one pattern: only days that
// exist, no year 0, no 24:00, no second 60, offsets up to 18 hours. The flags
// are stated, whatever the session's.
const (
	isoDate = `(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|` +
		`([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)`
	isoTime  = `[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?(Z|[+-]((0[0-9]|1[0-7])(:?[0-5][0-9])?|18(:?00)?))?`
	isoStamp = `(?s-mix)^` + isoDate + `(` + isoTime + `)?(?!.)`
	isoDay   = `(?s-mix)^` + isoDate + `(?!.)`
)

// asText is a text by its bytes, in the connection's own alphabet.
func asText(col sqlgen.SQL) sqlgen.SQL {
	return sqlgen.Format("CONVERT(%s USING utf8mb4) COLLATE utf8mb4_bin", col)
}

// matches is whether the text matches the pattern, which has no quotes in it.
func matches(text sqlgen.SQL, pattern string) sqlgen.SQL {
	return sqlgen.Format("%s REGEXP '"+pattern+"'", text)
}

// text reads ISO 8601.
func (r reading) text() sqlgen.SQL {
	ts := asText(r.col)
	pattern := isoStamp
	if r.typ == retention.AsDate {
		pattern = isoDay
	}
	day := r.dayStart(sqlgen.Format("(TO_DAYS(LEFT(%s, 10)) - 719528)", ts))
	x := day
	if r.typ != retention.AsDate {
		x = sqlgen.Format("(CASE WHEN CHAR_LENGTH(%s) = 10 THEN %s ELSE %s END)", ts, day, r.textInstant(ts))
	}
	return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL WHEN NOT (%s) THEN "+never+" WHEN %s BETWEEN "+itoa(r.from)+" AND "+itoa(r.to)+" AND %s <> 0 THEN %s ELSE "+never+" END",
		r.col, matches(ts, pattern), x, x, x)
}

// textInstant is a time, with an offset or naive.
func (r reading) textInstant(ts sqlgen.SQL) sqlgen.SQL {
	offset := sqlgen.Format("COALESCE(REGEXP_SUBSTR(SUBSTR(%s, 17), '[Z+-].*'), '')", ts)
	seconds := sqlgen.Format("(IF(%s LIKE '-%', -1, 1) * (SUBSTR(%s, 2, 2) * 3600 + IF(CHAR_LENGTH(%s) > 3, RIGHT(%s, 2), 0) * 60))", offset, offset, offset, offset)
	civil := sqlgen.Format("(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', CONCAT(LEFT(%s, 10), ' ', SUBSTR(%s, 12, 5), IF(SUBSTR(%s, 17, 1) = ':', SUBSTR(%s, 17, 3), ':00'))) + %s)",
		ts, ts, ts, ts, fraction(ts))
	return sqlgen.Format("(CASE WHEN %s = '' THEN %s WHEN %s = 'Z' THEN %s ELSE %s - CAST(%s AS SIGNED) * 1000000 END)",
		offset, stepsOf(r.Zone, r.NotBefore, r.NotAfter).instant(civil), offset, civil, civil, seconds)
}

// fraction is a second's fraction in microseconds, what is finer rounded up.
func fraction(ts sqlgen.SQL) sqlgen.SQL {
	f := sqlgen.Format("COALESCE(REGEXP_SUBSTR(%s, '[.,][0-9]+'), '')", ts)
	return sqlgen.Format("(CAST(RPAD(SUBSTR(%s, 2, 6), 6, '0') AS SIGNED) + (SUBSTR(%s, 8) REGEXP '[1-9]'))", f, f)
}
