package console

import (
	"cmp"
	"slices"
	"time"
)

// Health is the answer of /readyz. It holds no message of a database and no path:
// what it names is said in full by `retentiond status` and the log.
type Health struct {
	Ready    bool           `json:"ready"`
	Because  []string       `json:"because"` // why it is not ready; empty where it is
	State    string         `json:"state"`   // ok, down, unknown
	Audit    string         `json:"audit"`   // ok, unsigned, unknown
	Stopped  bool           `json:"stopped"` // by the kill switch
	Policies PolicyHealth   `json:"policies"`
	Sources  []SourceHealth `json:"sources"`
	Looked   *time.Time     `json:"looked_at"` // when this was found out
	Warnings []string       `json:"warnings"`  // what does not make the whole daemon unready
}

// PolicyHealth says which policies are in force.
type PolicyHealth struct {
	Loaded int `json:"loaded"`
	Failed int `json:"failed"`
}

// SourceHealth is a source's last state: ok, or the code of what is wrong.
type SourceHealth struct {
	Source string `json:"source"`
	State  string `json:"state"`
}

// staleAfter is how old a look may be: one is begun every 15 s, and may take 20 s
// for the sources.
const staleAfter = 45 * time.Second

// healthOf judges facts. A dead source leaves the others their work; a state store
// that does not answer, or an audit log that cannot be signed, stops everything.
func healthOf(f *Facts, stopped, down bool, now time.Time) Health {
	h := Health{Because: []string{}, Warnings: []string{}, Sources: []SourceHealth{}, State: "ok", Audit: "ok", Stopped: stopped}
	if f == nil {
		h.Because = append(h.Because, "nothing was looked at yet")
		h.State, h.Audit = "unknown", "unknown"
		return h
	}
	if f.Store != nil || down {
		h.State, h.Audit = "down", "unknown"
		h.Because = append(h.Because, "the state store does not answer")
	} else if f.Log != nil {
		h.Audit = "unsigned"
		h.Because = append(h.Because, "the audit log cannot be signed")
	}
	if now.Sub(f.Done) > staleAfter {
		if h.State == "ok" {
			h.State, h.Audit = "unknown", "unknown"
		}
		h.Because = append(h.Because, "the last look at everything is too old")
	}
	if !f.At.IsZero() {
		h.Looked = &f.At
	}
	h.Policies = PolicyHealth(f.Policies)
	if f.Policies.Loaded == 0 {
		h.Because = append(h.Because, "no policy is loaded")
	}
	if f.Policies.Failed > 0 {
		h.Warnings = append(h.Warnings, "some policies do not load: their rules stand still")
	}
	if stopped {
		h.Warnings = append(h.Warnings, "everything is stopped by the kill switch")
	}
	for _, s := range f.Sources {
		h.Sources = append(h.Sources, SourceHealth{s.Name, cmp.Or(s.Code, "ok")})
		if s.Code != "" {
			h.Warnings = append(h.Warnings, "source "+s.Name+": "+s.Code)
		}
	}
	slices.SortFunc(h.Sources, func(a, b SourceHealth) int { return cmp.Compare(a.Source, b.Source) })
	h.Ready = len(h.Because) == 0
	return h
}
