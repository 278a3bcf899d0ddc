package engine_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"go.uber.org/zap"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/state"
	"github.com/retentiond/retentiond/retention/vault"
)

// house is a world made real: a database, a state store, an engine.
type house struct {
	*yard
	*plot
	w        *world
	far      *plot // of a vault in another source
	keeper   *vault.Vault
	identity *age.X25519Identity
	store    *state.Store
	engine   *engine.Engine
	opened   []retention.Source
	now      time.Time
}

// build makes the world's database and state, and wires an engine as the command
// does. What it returns is to be closed, with an error as well.
func build(ctx context.Context, y *yard, dir string, w *world, policies []string, schema string) (*house, error) {
	h := &house{yard: y, w: w, now: w.AsOf}
	var err error
	if h.plot, err = y.plot(ctx, dir); err != nil {
		return h, fmt.Errorf("the database: %w", err)
	}
	if err := h.settle(ctx, schema); err != nil {
		return h, fmt.Errorf("the schema: %w", err)
	}
	clock := func() time.Time { return h.now }
	if h.store, err = y.newState(ctx, dir, clock); err != nil {
		return h, err
	}
	h.engine = &engine.Engine{
		Store: h.store, Grace: grace, Now: clock, Log: zap.NewNop(), Owner: "test",
		Vaults:  map[string]engine.Vault{"old": {Name: "old", Source: "db", Prefix: vaultPrefix}},
		Sources: map[string]*engine.SourceRef{"db": h.ref("db", h.plot)},
	}
	if err := h.away(ctx, dir); err != nil {
		return h, fmt.Errorf("the vault: %w", err)
	}
	return h, h.govern(policies)
}

func (h *house) ref(name string, p *plot) *engine.SourceRef {
	return &engine.SourceRef{Name: name, Driver: h.yard.name, Open: func(ctx context.Context) (retention.Source, error) {
		s, err := h.open(p)(ctx)
		if err == nil {
			h.opened = append(h.opened, s)
		}
		return s, err
	}}
}

// away makes the vault, where it is not in the world's own database.
func (h *house) away(ctx context.Context, dir string) (err error) {
	switch h.w.Vault {
	case "":
		return nil
	case "sealed":
		return h.sealedVault(dir)
	}
	dir = filepath.Join(dir, "far")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if h.far, err = h.yard.plot(ctx, dir); err == nil {
		err = h.far.toRead(ctx)
	}
	if err != nil {
		return err
	}
	h.engine.Sources["far"] = h.ref("far", h.far)
	h.engine.Vaults["old"] = engine.Vault{Name: "old", Source: "far", Prefix: vaultPrefix}
	return nil
}

// settle runs the world's statements as the application that owns it does.
func (h *house) settle(ctx context.Context, schema string) error {
	tx, err := h.app.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, text := range h.split(schema) {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return h.toRead(ctx)
}

// toRead sets the session of a plot for reading.
func (p *plot) toRead(ctx context.Context) error {
	if p.ready == "" {
		return nil
	}
	for _, text := range strings.Split(p.ready, "; ") {
		if _, err := p.app.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) govern(texts []string) error {
	env := policies.Env{Sources: map[string]policies.SourceKind{"db": policies.SourceSQL}, Vaults: []string{"old"}}
	for i, text := range texts {
		p, problems := policies.Decode(fmt.Sprintf("world%d.yaml", i), []byte(text), env)
		if len(problems) > 0 {
			return fmt.Errorf("the policy does not load: %v", problems)
		}
		h.engine.Policies = append(h.engine.Policies, p)
	}
	return nil
}

func (h *house) close() {
	for _, s := range h.opened {
		_ = s.Close()
	}
	if h.store != nil {
		_ = h.store.Close()
	}
	for _, p := range []*plot{h.plot, h.far} {
		if p != nil {
			p.drop()
		}
	}
}

// placeHolds places and releases the world's holds at their own times.
func (h *house) placeHolds(ctx context.Context) error {
	h.now = h.w.AsOf.Add(-100 * 24 * time.Hour)
	ids, err := h.place(ctx, false)
	if err != nil {
		return err
	}
	return h.releaseHolds(ctx, ids)
}

// place places the holds that are late, or the others.
func (h *house) place(ctx context.Context, late bool) ([]string, error) {
	ids := make([]string, len(h.w.Holds))
	for i, x := range h.w.Holds {
		if x.Late != late {
			continue
		}
		req := engine.HoldRequest{Matter: fmt.Sprintf("m%d", i), Reason: "a dispute", By: "lawyer", AllowUnmatched: true}
		for _, s := range x.Subjects {
			id, _ := retention.ParseSubject(s)
			req.Subjects = append(req.Subjects, id)
		}
		for _, d := range x.Datasets {
			req.Datasets = append(req.Datasets, h.w.dataset(d).policy()+"/"+d)
		}
		if x.Where != nil {
			req.WhereText = flow(x.Where.flow())
			where, problems := policies.DecodePredicateJSON(req.WhereText)
			if len(problems) > 0 {
				return nil, fmt.Errorf("the hold's condition: %v", problems)
			}
			req.Where = where
		}
		placed, err := h.engine.PlaceHold(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("placing a hold: %w", err)
		}
		ids[i] = placed.ID
	}
	return ids, nil
}

func (h *house) releaseHolds(ctx context.Context, ids []string) error {
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return h.w.Holds[order[a]].Released > h.w.Holds[order[b]].Released })
	for _, i := range order {
		if h.w.Holds[i].Released == 0 {
			continue
		}
		h.now = h.w.AsOf.Add(-time.Duration(h.w.Holds[i].Released) * 24 * time.Hour)
		if _, err := h.engine.ReleaseHolds(ctx, ids[i], "", "settled", "lawyer"); err != nil {
			return fmt.Errorf("releasing a hold: %w", err)
		}
	}
	h.now = h.w.AsOf
	return nil
}

// archived reads a vault's table.
func (h *house) archived(table string, columns []wColumn) ([][]cell, error) {
	if h.far == nil {
		return h.rows(h.app, vaultPrefix+table, columns)
	}
	return h.rows(h.far.app, vaultPrefix+table, columns)
}

// rows reads a table's columns, as they are stored; no such table: nil.
func (h *house) rows(app *sql.DB, table string, columns []wColumn) ([][]cell, error) {
	var there int
	if err := app.QueryRow(h.there, table).Scan(&there); err != nil || there == 0 {
		return nil, err
	}
	var exprs []string
	for _, c := range columns {
		exprs = append(exprs, h.read(c, h.quote(c.Name)))
	}
	rows, err := app.Query("SELECT " + strings.Join(exprs, ", ") + " FROM " + h.quote(table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := [][]cell{}
	for rows.Next() {
		raw := make([]any, 2*len(columns))
		dest := make([]any, len(raw))
		for i := range raw {
			dest[i] = &raw[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		var row []cell
		for i := range columns {
			row = append(row, cellOf(fmt.Sprintf("%s", raw[2*i]), raw[2*i+1]))
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func cellOf(typ string, v any) cell {
	c := cell{T: typ}
	switch x := v.(type) {
	case int64:
		c.I = x
	case float64:
		c.R = x
	case string:
		c.S = x
	case []byte:
		if c.S = string(x); typ == "integer" { // as MariaDB sends it
			c.I, _ = strconv.ParseInt(c.S, 10, 64)
			c.S = ""
		}
	}
	return c
}

// load reads every live table into the oracle, as the engine made it of the text.
func (h *house) load(o *oracle) error {
	for _, t := range h.w.Tables {
		rows, err := h.rows(h.app, t.Name, t.Columns)
		if err != nil {
			return err
		}
		live := &oTable{def: t}
		for _, r := range rows {
			live.rows = append(live.rows, &oRow{v: r})
		}
		o.live[t.Name] = live
	}
	return nil
}

// audited sums the rows that the audit log says went, and verifies the log.
func (h *house) audited(ctx context.Context) (int64, error) {
	res, err := h.store.VerifyAudit(ctx, nil, "")
	if err != nil || !res.OK {
		return 0, fmt.Errorf("the audit log does not verify: %+v %w", res, err)
	}
	var done int64
	err = h.store.Entries(ctx, state.Filter{}, func(e audit.Entry) error {
		var line struct {
			Kind audit.Kind `json:"kind"`
			Done int64      `json:"done"`
		}
		if err := json.Unmarshal(e.Line, &line); err != nil {
			return err
		}
		if line.Kind == audit.BatchOutcome || line.Kind == audit.BatchSettled {
			done += line.Done
		}
		return nil
	})
	return done, err
}
