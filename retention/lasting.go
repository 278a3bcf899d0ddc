package retention

import "fmt"

// NoVault says why the table is no place for the only copy of a row, with the remedy;
// empty: it is one. A trigger or a foreign key could take the copy away after it was
// read back, even as the batch commits (L9).
func (t *Table) NoVault() string {
	if t.Unsafe != "" {
		return t.Unsafe
	}
	for _, tr := range t.Triggers {
		switch tr.Event {
		case "INSERT", "UPDATE", "DELETE":
			return fmt.Sprintf("it has the %s trigger %q, which could change or remove what is archived: drop the trigger", tr.Event, tr.Name)
		}
	}
	for _, fk := range t.References {
		return fmt.Sprintf("it has a foreign key to %s, by which copies could go with the rows there: drop the foreign key", fk.To)
	}
	return ""
}
