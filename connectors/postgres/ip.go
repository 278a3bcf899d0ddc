package postgres

import (
	"strconv"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// masked zeroes the host bits of an address: bits are those kept of IPv4 and of
// IPv6. A mapped IPv4 address is an IPv4 address; a zone is dropped.
func masked(col sqlgen.SQL, c *retention.Column, bits [2]int) sqlgen.SQL {
	if bits[0] < 0 || bits[0] > 32 || bits[1] < 0 || bits[1] > 128 {
		return sqlgen.SQL{}
	}
	switch {
	case c.Kind == retention.KindIP && c.Decl == "cidr":
		return sqlgen.Format("network(set_masklen(CAST(%s AS inet), least(masklen(%s), CASE family(%s) WHEN 4 THEN "+strconv.Itoa(bits[0])+" ELSE "+strconv.Itoa(bits[1])+" END)))", col, col, col)
	case c.Kind == retention.KindIP:
		return network(col, bits)
	case c.Kind == retention.KindText:
		return maskedText(col, c, bits)
	}
	return sqlgen.SQL{}
}

// network is the address with its host bits zero, as one address.
func network(v sqlgen.SQL, bits [2]int) sqlgen.SQL {
	return sqlgen.Format(`(SELECT CASE family(m.v) WHEN 4 THEN set_masklen(CAST(network(set_masklen(m.v, `+strconv.Itoa(bits[0])+`)) AS inet), 32) WHEN 6 THEN set_masklen(CAST(network(set_masklen(m.v, `+strconv.Itoa(bits[1])+`)) AS inet), 128) END
  FROM (SELECT CASE WHEN a.v <<= '::ffff:0.0.0.0/96' THEN CAST(substring(host(a.v) FROM '[0-9.]+$') AS inet) ELSE a.v END AS v FROM (SELECT %s AS v) AS a) AS m)`, v)
}

const (
	octet       = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4Pattern = octet + `(?:\.` + octet + `){3}`
	group       = `[0-9a-fA-F]{1,4}`
	ipv6Pattern = `(` + group + `:){7}` + group + `|(` + group + `(:` + group + `)*)?::(` + group + `(:` + group + `)*)?`
)

// maskedText reads an address as strictly as a cast needs it: nothing else is
// ever cast. Plain IPv4, the usual case, is told by one pattern.
func maskedText(col sqlgen.SQL, c *retention.Column, bits [2]int) sqlgen.SQL {
	groups := `array_length(regexp_split_to_array(trim(BOTH ':' FROM a.w), ':+'), 1)`
	six := `a.w ~ '^(` + ipv6Pattern + `)$' AND (a.w !~ '::' OR ` + groups + ` <= 7)`
	usual := sqlgen.Format("WHEN %s ~ '^"+ipv4Pattern+"$' THEN host(network(set_masklen(CAST(%s AS inet), "+strconv.Itoa(bits[0])+")))", bytewise(col), bytewise(col))
	return sqlgen.Format(`CASE %s WHEN %s IS NOT NULL THEN coalesce((SELECT CASE WHEN a.s ~ '^`+ipv4Pattern+`$' OR `+six+` THEN host(%s) END
  FROM (SELECT b.s, regexp_replace(b.s, '^([0-9a-fA-F:]*:)`+ipv4Pattern+`$', '\1'||'0:0') AS w
    FROM (SELECT CASE WHEN position(':' IN %s) > 0 THEN regexp_replace(%s, '%.+$', '') ELSE %s END AS s) AS b OFFSET 0) AS a), `+empty(c, "''")+`) END`,
		usual, col, network(sqlgen.Raw("CAST(a.s AS inet)"), bits), bytewise(col), bytewise(col), bytewise(col))
}
