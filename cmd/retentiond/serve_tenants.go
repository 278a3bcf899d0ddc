package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention/engine"
)

// tenantsMoved is what a reload changed in the fleets.
type tenantsMoved struct {
	words []string            // for people; names alone, never where a tenant is
	gone  []*engine.SourceRef // nobody begins anything there any more
}

// mostNamed is how many tenants are named one by one.
const mostNamed = 10

// retenant gives the engine the tenants that the configuration has of its fleets.
// Those that did not change stay open; one whose DSN changed is another source under
// the same name, and its gate tells whether it is the same database.
func (k *keeper) retenant(e *engine.Engine, cfg *configs.Config) (moved tenantsMoved) {
	if cfg == k.cfg || reflect.DeepEqual(cfg, k.cfg) {
		return moved
	}
	var came, left, changed []string
	refs := maps.Clone(e.Sources)
	for _, name := range slices.Sorted(maps.Keys(cfg.Sources)) {
		s := cfg.Sources[name]
		was, had := k.cfg.Sources[name]
		if had && reflect.DeepEqual(was, s) {
			continue
		}
		if had {
			changed, moved.gone = append(changed, name), append(moved.gone, refs[name])
		} else {
			came = append(came, name)
		}
		refs[name] = sourceRef(name, s, k.house.pools[s.Fleet])
	}
	for _, name := range slices.Sorted(maps.Keys(k.cfg.Sources)) {
		if _, still := cfg.Sources[name]; !still {
			left, moved.gone = append(left, name), append(moved.gone, refs[name])
			delete(refs, name)
		}
	}
	e.Sources, e.Fleets = refs, fleets(cfg)
	for what, names := range map[string][]string{
		"%s new: a first run waits for an approval, unless a rule says approve: never": came,
		"%s taken out": left, "%s reached in another way": changed} {
		if len(names) > 0 {
			moved.words = append(moved.words, fmt.Sprintf(what, areNamed(names)))
		}
	}
	slices.Sort(moved.words)
	return moved
}

// areNamed names some of them.
func areNamed(names []string) string {
	verb := "are"
	if len(names) == 1 {
		verb = "is"
	}
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more are", strings.Join(names[:mostNamed], ", "), more)
	}
	return strings.Join(names, ", ") + " " + verb
}

// close closes what nobody works with any more; a run that ends now closes its own.
func (m tenantsMoved) close(log *zap.Logger) {
	for _, ref := range m.gone {
		if err := ref.Retire(); err != nil {
			log.Warn("closing a tenant that was taken out", zap.String("source", ref.Name), zap.Error(err))
		}
	}
}
