package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func checkCommand(a *app) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check [--install [--print] | --adopt --by NAME --reason TEXT]",
		Short: "Policies against the live schemas; installs the two small tables",
		Long: `check compares every policy with the live schema of its sources: columns, types, keys, indexes
by which rows are found (with the CREATE INDEX that helps), foreign keys, columns that an
anonymisation does not name, overlapping rules. On a server it also compares what the roles of
dsn and dsn_read may do with what the rules need, and prints the GRANT statements that are
missing; it warns of privileges that no rule needs, and of thresholds that nobody can see.

--install creates the two small tables (gate and receipts) that retentiond needs in each SQL
source; with --print it only shows the SQL. --adopt makes the sources accept this state store
after a loss or a move.

Exit codes: 0; 2 where a finding is an error.`,
		Example: `  retentiond check
  retentiond check --install
  retentiond check --install --print
  retentiond check --adopt --by "A. Martin" --reason "state store moved to a new volume"`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if err := f.valid(cmd); err != nil {
				return err
			}
			return a.check(cmd, f)
		}),
	}
	c.Flags().BoolVar(&f.install, "install", false, "create the two small tables in each SQL source")
	c.Flags().BoolVar(&f.print, "print", false, "with --install: show the SQL, change nothing")
	c.Flags().BoolVar(&f.adopt, "adopt", false, "make the sources accept this state store")
	c.Flags().StringVar(&f.by, "by", "", "name of the person who adopts")
	c.Flags().StringVar(&f.reason, "reason", "", "why the state store is the right one")
	return c
}

type checkFlags struct {
	install, print, adopt bool
	by, reason            string
}

func (f checkFlags) valid(cmd *cobra.Command) error {
	switch {
	case f.install && f.adopt:
		return usage("do one, then the other", "--install and --adopt do not go together")
	case f.print && !f.install:
		return usage("retentiond check --install --print", "--print belongs to --install")
	case f.adopt:
		return need(cmd, "by", "reason")
	}
	return nil
}

func (a *app) check(cmd *cobra.Command, f checkFlags) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer h.close()
	ctx := cmd.Context()
	switch {
	case f.print:
		sql, err := h.engine.InstallSQL(ctx)
		return then(err, func() error { return a.showSQL(sql) })
	case f.install:
		s, err := h.engine.Install(ctx)
		return then(err, func() error { return a.showSources(s) })
	case f.adopt:
		s, err := h.engine.Adopt(ctx, f.by, f.reason)
		return then(err, func() error { return a.showSources(s) })
	}
	found, err := h.engine.Check(ctx)
	h.progress.done()
	found = append(spelledOut(h.failed, found), unused(h.cfg)...)
	if len(h.engine.Policies)+len(h.failed) == 0 {
		found = append(found, engine.Finding{
			Level: engine.LevelError, Code: "no_policy", Hint: "put a policy there (*.yaml); `retentiond init` writes a first one",
			Message: "no policy is there: " + strings.Join(h.cfg.Policies, ", "),
		})
	}
	if text := h.key.Open(); text != "" {
		found = append(found, engine.Finding{Level: engine.LevelWarning, Code: "audit_key", Message: text})
	}
	return then(err, func() error { return a.showFindings(h, found) })
}

// then goes on where nothing went wrong.
func then(err error, f func() error) error {
	if err != nil {
		return err
	}
	return f()
}

func (a *app) showSQL(sql map[string]string) error {
	if a.json() {
		return a.document(map[string]map[string]string{"sql": dict(sql)})
	}
	p := a.printer()
	for _, source := range slices.Sorted(maps.Keys(sql)) {
		p.line("-- source %s", source)
		p.line("%s", strings.TrimSpace(sql[source]))
	}
	return p.err
}

// showSources shows the sources and ends with exit 1 where one has an error.
func (a *app) showSources(s []engine.SourceStatus) error {
	var end error
	for _, x := range s {
		if x.Error != "" {
			end = verdict(exitError)
		}
	}
	if a.json() {
		return orElse(a.document(map[string][]engine.SourceStatus{"sources": list(s)}), end)
	}
	p := a.printer()
	p.sources(s)
	return orElse(p.err, end)
}

func orElse(err, end error) error {
	if err != nil {
		return err
	}
	return end
}

func (p *printer) sources(s []engine.SourceStatus) {
	g := &grid{cols: []gridColumn{col("source"), col("driver"), col("state"), colOpt("server")}}
	for _, x := range s {
		g.add(x.Name, x.Driver, sourceState(p, x), x.Server)
	}
	p.grid(g)
}

func sourceState(p *printer, x engine.SourceStatus) string {
	switch {
	case x.Error != "":
		return p.paint(red, inWords(x.Error))
	case !x.Installed:
		return "reachable; its two tables are not installed yet"
	}
	return p.paint(green, "ready")
}
