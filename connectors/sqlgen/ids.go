package sqlgen

import "sync"

// IDs are identifiers of subjects, made ready to be bound once and used in every
// statement.
type IDs struct {
	JSON string // an array of texts

	list  []string
	mu    sync.Mutex
	forms map[string]List
}

// Len is how many identifiers there are.
func (x *IDs) Len() int { return len(x.list) }

// Form is the list in another form, made once: name tells forms apart.
func (x *IDs) Form(name string, form func(ids []string) string) List {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l, made := x.forms[name]; made {
		return l
	}
	if x.forms == nil {
		x.forms = map[string]List{}
	}
	l := List(form(x.list))
	x.forms[name] = l
	return l
}
