package sqlgen

import "github.com/retentiond/retentiond/retention"

// Roundabout is TRUE for each value that is a path in a roundabout spelling, byte by
// byte, whatever its collation: with an empty part, with . or .. for one, with a slash
// at its end, or with a backslash. Types that hold no paths hold none.
func Roundabout(d *Dialect, v SQL, c *retention.Column) SQL {
	switch c.Kind {
	case retention.KindInteger, retention.KindNumber, retention.KindBool, retention.KindUUID, retention.KindBytes, retention.KindIP,
		retention.KindDate, retention.KindTimestamp, retention.KindTimestampTZ:
		return sqlFalse
	case retention.KindText, retention.KindOther, retention.KindAny:
	default: // whatever it is, it is judged as it is read
		return sqlTrue
	}
	bytes := d.Group(v, c)
	any := []SQL{Format("%s IN (%s, %s)", bytes, Arg("."), Arg("..")), Format("replace(%s, %s, '') <> %s", bytes, Arg(`\`), bytes)}
	for _, like := range []string{"%//%", "%/./%", "%/../%", "../%", "%/..", "%/.", "%/"} {
		any = append(any, Format("%s LIKE %s", bytes, Arg(like)))
	}
	return Or(any...)
}
