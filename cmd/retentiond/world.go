package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/retentiond/retentiond/policies"
)

// World is the demo's small world: five systems, their policies, and the
// configuration that names them. It is a value; closing nothing is needed.
type World struct {
	Dir      string
	Config   string    // the configuration file
	AsOf     time.Time // the instant it was made for
	Policies []string  // names of the policies, in the order of the systems
	Rows     int64     // rows written, all systems together
	Disputed string    // the person in a dispute, type:id
	Matter   string    // the name of the dispute
	Reason   string    // why the person's rows must stay
	Stories  []Story   // rows worth a look
	Files    int64     // files written
	Archived string    // a person who is in the sealed archive once it was made, type:id
	Identity string    // file with the private key of the sealed archives
}

// Story is one row that shows something, and what.
type Story struct {
	Dataset string // policy/dataset
	Key     string
	Why     string
}

// system is one of the five: its policy, and how its rows come about.
type system struct {
	policy string
	weight int // rows written, in tenths of the size asked for; for progress only
	fill   func(*filler)
}

func systems() []system {
	return []system{
		{"conservatoire", 32, fillConservatoire},
		{"cartesia", 31, fillCartesia},
		{"parene", 27, fillParene},
		{"cned", 35, fillCned},
		{"webinaire", 22, fillWebinaire},
	}
}

// archivedID is a person of the Conservatoire who is archived a year ago and has a day
// left.
const archivedID = 12

// The dispute of the demo: person 42 has rows in every system.
const (
	disputedID     = 42
	disputedMatter = "Roussel c. Conservatoire (TJ Paris, 24/01742)"
	disputedReason = "Contentieux en cours : l'intégralité des données de la personne est conservée."
)

// buildWorld builds the world in dir, which must not hold one already: the
// SQLite files, the trees of files, the ready policies and the configuration; beside
// dir, the key of the sealed archives. rows is about the
// size of each system's biggest table; progress (may be nil) is told rows. The same seed and instant
// give the same rows. Memory does not grow with rows. On an error, what was
// written so far stays in dir.
func buildWorld(ctx context.Context, dir string, rows int, asOf time.Time, seed uint64, progress func(done, total int)) (World, error) {
	w := World{
		Dir: dir, Config: filepath.Join(dir, "retentiond.yaml"), AsOf: asOf.UTC().Truncate(time.Second),
		Disputed: fmt.Sprint("person:", disputedID), Archived: fmt.Sprint("person:", archivedID), Matter: disputedMatter, Reason: disputedReason,
	}
	if rows < 1 {
		return w, fmt.Errorf("a world of %d rows: ask for at least 1", rows)
	}
	w.Identity = filepath.Join(keysOf(dir), identityName)
	if err := w.settle(); err != nil {
		return w, fmt.Errorf("world in %s: %w", dir, err)
	}
	c := &counter{report: progress}
	for _, s := range systems() {
		c.total += rows * s.weight / 10
	}
	fillers, err := w.fill(ctx, rows, seed, c)
	for _, f := range fillers {
		w.Stories, w.Files = append(w.Stories, f.stories...), w.Files+int64(f.kept)
	}
	w.Rows = c.finish(err == nil)
	return w, err
}

// settle makes the directory, and writes the policies and the configuration.
func (w *World) settle() error {
	if err := os.MkdirAll(filepath.Join(w.Dir, "policies"), 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(w.Dir, "*.db"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(w.Config); err == nil || len(old) > 0 {
		return errors.New("there is one already: choose another directory, or remove it")
	}
	texts := readyTexts()
	for _, s := range systems() {
		text, ok := texts[s.policy]
		if !ok {
			return fmt.Errorf("no ready policy %q", s.policy)
		}
		if err := os.WriteFile(filepath.Join(w.Dir, "policies", s.policy+".yaml"), text, 0o644); err != nil {
			return err
		}
		w.Policies = append(w.Policies, s.policy)
	}
	recipient, err := makeIdentity(w.Identity)
	if err != nil {
		return err
	}
	return os.WriteFile(w.Config, []byte(worldConfig(texts, recipient)), 0o644)
}

func readyTexts() map[string][]byte {
	texts := map[string][]byte{}
	for _, p := range policies.Ready() {
		texts[p.Name] = p.Text
	}
	return texts
}

// fill fills the five databases side by side; the first error stops all.
func (w *World) fill(ctx context.Context, rows int, seed uint64, c *counter) ([]*filler, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := systems()
	fillers, errs := make([]*filler, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	for i, s := range all {
		fillers[i] = &filler{policy: s.policy, rows: rows, dir: w.Dir, dice: newDice(seed, s.policy, w.AsOf), count: c}
		wg.Go(func() {
			errs[i] = fillers[i].run(ctx, filepath.Join(w.Dir, s.policy+".db"), s.fill)
			if errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > 0 {
		slices.SortStableFunc(errs, func(a, b error) int { // a cause before its consequences
			return boolInt(errors.Is(a, context.Canceled)) - boolInt(errors.Is(b, context.Canceled))
		})
		return fillers, errs[0]
	}
	return fillers, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// worldConfig is the configuration of the demo.
func worldConfig(texts map[string][]byte, recipient string) string {
	var b strings.Builder
	b.WriteString(`# Five small systems, one per published policy. Paths are relative to this file.

# Plans, approvals, runs, holds and the audit log.
state: sqlite:./state.db

# One file is one policy.
policies: ./policies

# backups: how long a backup of the source keeps what was deleted from it.
sources:
`)
	for _, s := range systems() {
		fmt.Fprintf(&b, "  %-14s {driver: sqlite, dsn: ./%s.db, backups: 35 days}\n", s.policy+":", s.policy)
	}
	for _, t := range trees() {
		fmt.Fprintf(&b, "  %-17s {driver: files, root: ./%s}\n", strings.ReplaceAll(t, "-", "_")+":", t)
	}
	b.WriteString(vaultsIntro)
	for _, s := range systems() {
		switch {
		case !strings.Contains(string(texts[s.policy]), s.policy+"_archives"):
		case sealedIn(s.policy):
			fmt.Fprintf(&b, "  %-23s {path: ./vault-%s, recipients: [%s]}\n", s.policy+"_archives:", s.policy, recipient)
		default:
			fmt.Fprintf(&b, "  %-23s {source: %s, prefix: archive_}\n", s.policy+"_archives:", s.policy)
		}
	}
	b.WriteString(`
# The log is signed with this key, made at first use. Keep a copy elsewhere.
audit:
  origin: demo.example/retention
  key_file: ./audit.key

# How long after a hold's release its overdue rows still stay.
holds:
  grace: 30 days
`)
	return b.String()
}
