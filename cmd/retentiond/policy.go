package main

import (
	"errors"
	"os"

	"github.com/retentiond/retentiond/policies"
	"github.com/spf13/cobra"
)

func policyCommand(a *app) *cobra.Command {
	return a.parent("policy", "Policies: validate, schema, show",
		`policy reads the policy files without asking any database.`,
		`  retentiond policy validate
  retentiond policy validate shop.yaml
  retentiond policy show --lang fr`,
		policyValidateCommand(a), policySchemaCommand(a), policyShowCommand(a))
}

func policyValidateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "validate [FILE…]",
		Short: "Check policy files: every mistake with its place, all at once",
		Long: `validate decodes policy files, or directories of them, and reports every mistake as
file:line:col. Without files it takes those of the configuration. Where there is no
configuration, the names of sources and vaults are not checked.

Exit codes: 0; 2 where a policy does not load.`,
		Example: `  retentiond policy validate
  retentiond policy validate policies/shop.yaml --output json`,
		RunE: a.do(func(_ *cobra.Command, args []string) error { return a.validate(args) }),
	}
}

// policyDoc says of a policy that it loads.
type policyDoc struct {
	Policy   string `json:"policy"`
	File     string `json:"file"`
	Digest   string `json:"digest"`
	Datasets int    `json:"datasets"`
	Rules    int    `json:"rules"`
}

func (a *app) validate(files []string) error {
	loaded, err := a.loadPolicies(files)
	if err != nil {
		return err
	}
	if ps := loaded.Problems(); len(ps) > 0 {
		return problemFaults(ps)
	}
	docs := []policyDoc{}
	for _, p := range loaded.Policies {
		docs = append(docs, policyDoc{p.Name, p.File, p.Digest, len(p.Datasets), len(p.Rules)})
	}
	if a.json() {
		return a.document(map[string][]policyDoc{"policies": docs})
	}
	p := a.printer()
	for _, d := range docs {
		p.line("%s: policy %s, %s, %s: %s", d.File, d.Policy, plural(int64(d.Datasets), "dataset", "datasets"),
			plural(int64(d.Rules), "rule", "rules"), p.paint(green, "ok"))
	}
	if len(docs) == 0 {
		p.line("No policy file there.")
	}
	return p.err
}

// loadPolicies loads the files, or those of the configuration, which must then
// exist. Names are checked against the configuration where there is one.
func (a *app) loadPolicies(files []string) (policies.Loaded, error) {
	cfg, err := a.loadConfig()
	var none *noConfigError
	switch {
	case errors.As(err, &none) && len(files) > 0:
		return loadFiles(files, policies.Env{})
	case err != nil:
		return policies.Loaded{}, err
	case len(files) == 0:
		files = cfg.Policies
	}
	return loadFiles(files, envOf(cfg))
}

func loadFiles(files []string, env policies.Env) (policies.Loaded, error) {
	loaded, err := policies.Load(files, env)
	if errors.Is(err, os.ErrNotExist) {
		return loaded, usage("name a file or a directory that exists", "%v", err)
	}
	return loaded, err
}

// problemFaults are the mistakes of policy files as errors of the command.
func problemFaults(ps policies.Problems) faults {
	var fs faults
	for _, p := range ps {
		fs = append(fs, &fault{Code: "policy_error", Message: p.Error(), Hint: p.Hint, At: p.At(), exit: exitUsage})
	}
	return fs
}

func policySchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the policy language, for editors",
		Long:    `schema prints the JSON Schema of a policy file, so that editors complete and check it.`,
		Example: `  retentiond policy schema > policy.schema.json`,
		Args:    noArgs,
		RunE: a.do(func(*cobra.Command, []string) error {
			a.printed = true
			_, err := a.Out.Write(policies.Schema())
			return err
		}),
	}
}

// failed warns of a policy that does not load, while others go on.
func (p *printer) failed(file string, ps []policies.Problem) {
	for _, x := range ps {
		p.line("%s %s", p.paint(yellow, "policy:"), x.Error())
		if x.Hint != "" {
			p.line("    %s", x.Hint)
		}
	}
	p.line("%s its rules act on nothing until it is put right.", file+":")
}
