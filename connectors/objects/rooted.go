package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Rooted is a tree that any process may reach beside this one, by another gate file,
// and in whose place another may come to lie: a folder of this machine.
type Rooted interface {
	// Lock takes the tree itself, whatever gate file leads to it, and waits at most
	// wait (0: as long as ctx lasts); one that others keep is [retention.ErrLocked].
	// A process that is stopped keeps it, one that ends gives it back.
	Lock(ctx context.Context, wait time.Duration) (unlock func() error, err error)
	// Store is the state store that the tree itself names, or none.
	Store() (string, error)
	// Mark makes the tree name a store. Durable on return.
	Mark(store string) error
	// Around is a state_mismatch refusal where the tree lies within one that names
	// another store.
	Around(store string) error
	// Place tells this tree from another at its path.
	Place() (string, error)
	// Folders tell the folders of files from others at their paths; none: there is
	// no such folder.
	Folders(paths []string) ([]string, error)
	// RemoveAs is Remove: each file is given a name of its own first, by the tag and
	// its place, is looked at under that, and then goes or has its name back.
	RemoveAs(ctx context.Context, tag string, of []Object, ended func(i int, err error)) error
	// PutBack gives the files their names back that a removal of that tag left under
	// its own. Nothing is ever replaced: where a name is taken the file is left.
	PutBack(tag string, of []Object) error
}

// noted is what an install or an adoption makes the tree name.
type noted struct {
	store string
	adopt bool
}

type notedKey struct{}

// exclusively runs do while no other process has the tree.
func (e *engine) exclusively(ctx context.Context, wait time.Duration, do func() error) error {
	r, ok := e.tree.(Rooted)
	if !ok {
		return do()
	}
	unlock, err := r.Lock(ctx, wait)
	if err != nil {
		return err
	}
	return errors.Join(do(), unlock())
}

// known refuses a tree that names another store than its gate file does. A gate file
// that was moved, copied or never there says nothing about who acts on the tree; the
// tree does. An empty folder in place of one that is not mounted names none.
func (e *engine) known(ctx context.Context, hold sqlwork.Hold, q sqlwork.Session) error {
	r, ok := e.tree.(Rooted)
	if !ok {
		return e.bound(ctx, hold, q)
	}
	want, asked := ctx.Value(notedKey{}).(noted)
	if hold == sqlwork.Loose && !asked {
		return nil
	}
	gate, err := e.gateStore(ctx, q)
	if err != nil {
		return err
	}
	mark, err := r.Store()
	if err == nil && hold != sqlwork.Exclusive || asked {
		err = errors.Join(err, r.Around(cmp.Or(want.store, gate)))
	}
	switch {
	case err != nil:
		return err
	case asked && (want.adopt || mark == "" && gate == ""):
		return r.Mark(want.store)
	case asked, mark == gate: // an install changes neither, where there is one; whoever acts is refused below
		return nil
	}
	return mismatch(e.tree.Name(), mark, gate)
}

func (e *engine) gateStore(ctx context.Context, q sqlwork.Session) (store string, err error) {
	there, err := e.Installed(ctx, q)
	if err != nil || !there {
		return "", err
	}
	err = q.GetContext(ctx, &store, "SELECT coalesce((SELECT store_uuid FROM gate.retentiond_gate WHERE id = 1), '')")
	return store, err
}

func mismatch(name, mark, gate string) error {
	const text = "%s names state store %s, and its gate file %s: put the gate file of that store back, or use that store; check --adopt makes this one act here"
	if gate == "" {
		gate = "is missing"
	} else {
		gate = "names " + gate
	}
	if mark == "" {
		return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(
			"%s is not the folder that its gate file knows: is it mounted? If it was replaced or restored on purpose, check --adopt makes the gate know it", name)}
	}
	return &retention.Refusal{Code: retention.RefuseStateMismatch, Message: fmt.Sprintf(text, name, mark, gate)}
}

// place is the tree's, or "" where nothing else can come to lie there.
func (e *engine) place(ctx context.Context) (string, error) {
	switch t := e.tree.(type) {
	case Rooted:
		return t.Place()
	case Owned:
		return t.Bound(ctx)
	}
	return "", nil
}

// folders are those of the paths, or "" where the tree has none.
func (e *engine) folders(paths []string) ([]string, error) {
	if r, ok := e.tree.(Rooted); ok {
		return r.Folders(paths)
	}
	return make([]string, len(paths)), nil
}

// Install makes gate file and tree name the store, and binds the tree to the gate where
// it cannot be locked; see [sqlwork.Source]. One that another gate has is refused.
func (s *Source) Install(ctx context.Context, storeUUID string) (retention.Gate, error) {
	if n, ok := s.e.tree.(Nested); ok {
		if err := n.Around(ctx, storeUUID); err != nil {
			return retention.Gate{}, err
		}
	}
	g, err := s.Source.Install(context.WithValue(ctx, notedKey{}, noted{store: storeUUID}), storeUUID)
	if t, ok := s.e.tree.(Owned); ok && err == nil {
		err = s.e.owns(ctx, t, g)
	}
	return g, err
}

// GateApart is true: the gate is a file beside the tree.
func (s *Source) GateApart() bool { return true }

// Adopt makes gate file and tree name that store, whatever they named before. Where
// the gate file is missing it is made anew.
func (s *Source) Adopt(ctx context.Context, storeUUID string, v, size int64, root string) error {
	return s.Source.Adopt(context.WithValue(ctx, notedKey{}, noted{store: storeUUID, adopt: true}), storeUUID, v, size, root)
}

// names makes the gate say which store gate file and tree know: where they differ, that
// of the tree, so that nobody takes the gate file's word; and that of a tree which has
// none.
func (e *engine) names(ctx context.Context, g *retention.Gate) error {
	r, ok := e.tree.(Rooted)
	if !ok {
		return nil
	}
	mark, err := r.Store()
	if mark == "" && g.Installed {
		mark = "none"
	}
	if g.StoreUUID = mark; err == nil && !g.Installed && mark != "" {
		err = e.Kept(ctx, g)
	}
	return err
}
