package engine

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// identifiers refuses identifiers that no column of their type could hold.
func (v *view) identifiers(policies []*retention.Policy, subjects []retention.SubjectID) error {
	columns := map[string][]*retention.Column{}
	for _, p := range policies {
		for i := range p.Datasets {
			v.columns(&p.Datasets[i], columns)
		}
	}
	for _, s := range subjects {
		for _, c := range columns[s.Type] {
			if !converts(s.ID, c) {
				return usage("write the identifier as the database holds it", "%s is no %s, which the column of subject type %q holds", s, c.Kind, s.Type)
			}
		}
	}
	return nil
}

func (v *view) columns(d *retention.Dataset, out map[string][]*retention.Column) {
	schema := v.schemas[d.Source]
	add := func(typ string, t retention.TableName, column string) {
		if live := schema.Table(t); live != nil {
			if c := live.Column(column); c != nil {
				out[typ] = append(out[typ], c)
			}
		}
	}
	for _, s := range d.Subjects {
		for _, c := range s.Columns {
			add(s.Type, d.Table, c)
		}
		if s.Related != nil {
			add(s.Type, s.Related.Table, s.Related.Column)
		}
	}
}

// converts reports whether the column could hold the identifier. Kinds that the
// engine does not enforce hold any text.
func converts(id string, c *retention.Column) bool {
	id = strings.TrimSpace(id)
	switch c.Kind {
	case retention.KindInteger:
		_, signed := strconv.ParseInt(id, 10, 64)
		_, unsigned := strconv.ParseUint(id, 10, 64)
		return signed == nil || unsigned == nil
	case retention.KindNumber:
		_, err := strconv.ParseFloat(id, 64)
		return err == nil && strings.Trim(id, "+-.0123456789eE") == ""
	}
	return !c.Typed || convertsTo(id, c.Kind)
}

// convertsTo is of the kinds that some engines enforce and others only call so.
func convertsTo(id string, k retention.Kind) bool {
	switch k {
	case retention.KindUUID:
		b, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(id, "{}"), "-", ""))
		return err == nil && len(b) == 16
	case retention.KindDate:
		_, err := time.Parse(time.DateOnly, id)
		return err == nil
	case retention.KindIP:
		_, address := netip.ParseAddr(id)
		_, network := netip.ParsePrefix(id)
		return address == nil || network == nil
	}
	return true
}

// unmatched lists the subjects that no row of any dataset is about. While a
// source does not answer nobody is called unmatched: the hold errs to the safe side.
func (e *Engine) unmatched(ctx context.Context, v *view, req HoldRequest) ([]string, error) {
	out := []string{}
	for name := range v.down {
		if v.schemas[name] == nil {
			return out, nil
		}
	}
	byType := map[string][]string{}
	for _, s := range req.Subjects {
		byType[s.Type] = append(byType[s.Type], s.ID)
	}
	for typ, ids := range byType {
		missing := map[string]bool{}
		for _, id := range ids {
			missing[id] = true
		}
		if err := e.strike(ctx, v, typ, ids, missing); err != nil {
			return nil, err
		}
		for id := range missing {
			out = append(out, typ+":"+id)
		}
	}
	sort.Strings(out)
	return out, nil
}

// strike removes from missing what some table knows, those of vaults included.
func (e *Engine) strike(ctx context.Context, v *view, typ string, ids []string, missing map[string]bool) error {
	look := func(p *retention.Policy, d *retention.Dataset, sel retention.Selection, src retention.Source) error {
		if len(missing) == 0 || !bind.Reaches(sel.Reach, typ) {
			return nil
		}
		found, err := src.Matched(ctx, sel, typ, ids)
		if err != nil {
			return fmt.Errorf("looking for subjects in dataset %s/%s: %w", p.Name, d.Name, err)
		}
		for _, id := range found {
			delete(missing, id)
		}
		return nil
	}
	if err := e.strikeSealed(ctx, typ, missing); err != nil {
		return err
	}
	return e.eachDataset(ctx, v, func(p *retention.Policy, d *retention.Dataset, sel retention.Selection, src retention.Source) error {
		if err := look(p, d, sel, src); err != nil {
			return err
		}
		for _, a := range v.bound.Archives[bind.DatasetKey(p, d)] {
			src, err := e.source(ctx, a.Source)
			if err == nil {
				err = look(p, d, a.Selection, src)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
