package sqlgen

import "github.com/retentiond/retentiond/retention"

// Unheld says why identifiers of persons are not compared with a column of the
// kind; empty: they can be. approximate: its numbers are rounded.
func Unheld(k retention.Kind, approximate bool) string {
	switch k {
	case retention.KindNumber:
		if approximate {
			return "its numbers are rounded, so that a hold could find somebody else, or nobody"
		}
	case retention.KindBool:
		return "yes and no identify nobody"
	case retention.KindTimestamp, retention.KindTimestampTZ:
		return "an instant has many spellings, and a hold would find one of them"
	case retention.KindJSON:
		return "an identifier in JSON has many spellings, and a hold would find one of them"
	}
	return ""
}
