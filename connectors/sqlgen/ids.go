package sqlgen

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"sync"
)

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

var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$`)

// Integer is the integer that an identifier writes, in whatever way: 5, 5.0, +5, 005
// and 50e-1 are the same person in a column of integers, on every engine (L3). ok =
// false: it is none.
func Integer(id string) (n *big.Int, ok bool) {
	id = strings.TrimSpace(id)
	if len(id) > 100 || !decimal.MatchString(id) {
		return nil, false
	}
	r, ok := new(big.Rat).SetString(id)
	if !ok || !r.IsInt() {
		return nil, false
	}
	return r.Num(), true
}

// NewIDs makes values ready to be looked for; none at all is an error, since a
// list that is empty by mistake would find nobody.
func NewIDs(list []string) (*IDs, error) {
	b, err := json.Marshal(list)
	if err != nil || len(list) == 0 {
		return nil, fmt.Errorf("%d values cannot be looked for: %w", len(list), err)
	}
	return &IDs{JSON: string(b), list: list}, nil
}
