package sqlgen

import "sync"

// IDs are identifiers of subjects, made ready to be bound once and used in every
// statement.
type IDs struct {
	JSON string // an array of texts

	list  []string
	mu    sync.Mutex
	forms map[string]any
}

// Len is how many identifiers there are.
func (x *IDs) Len() int { return len(x.list) }

// Form is the list in another form, made once: name tells forms apart.
func (x *IDs) Form(name string, form func(ids []string) string) List {
	return Made(x, name, func(ids []string) List { return List(form(ids)) })
}

// Made is what the list becomes, made once: name tells what is made apart.
func Made[T any](x *IDs, name string, build func(ids []string) T) T {
	x.mu.Lock()
	defer x.mu.Unlock()
	if v, made := x.forms[name].(T); made {
		return v
	}
	if x.forms == nil {
		x.forms = map[string]any{}
	}
	v := build(x.list)
	x.forms[name] = v
	return v
}
