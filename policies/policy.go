package policies

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// Decode reads one policy text. file names it in positions. The policy is nil
// exactly if there are problems, and these are all there are, sorted by place.
func Decode(file string, text []byte, env Env) (*retention.Policy, []Problem) {
	d := newDecoder(file, env)
	return d.run(text), ordered(d.problems)
}

// run reads the text; nil where there are problems.
func (d *decoder) run(text []byte) *retention.Policy {
	if d.root = d.parse(text); d.root != nil {
		d.inspect(d.root)
		d.decode()
	}
	if len(d.problems) > 0 {
		return nil
	}
	d.policy.Text = slices.Clone(text)
	digest(d.policy)
	return d.policy
}

// decode reads the policy's own keys, then datasets, then rules.
func (d *decoder) decode() {
	m, ok := d.mapping(d.root, shapePolicy, "the policy")
	if !ok {
		return
	}
	d.version(m)
	p := d.policy
	if v := m.need("policy", "policy: a short name"); v != nil {
		p.Name, d.named = d.name(v, "policy"), d.pos(v)
	}
	p.Title = d.text(m.need("title", "title: what people call it"), "title")
	p.Controller = d.text(m.need("controller", "controller: who is responsible"), "controller")
	if loc := d.location(m.need("timezone", "timezone: Europe/Paris"), "timezone"); loc != nil {
		d.zone, p.Zone = loc, loc
	}
	if v := m.get("source"); v != nil {
		p.Source = d.text(v, "source")
		d.knownSource(v, p.Source, d.env.Sources[p.Source]) // datasets say which kind they need
	}
	p.Schedule = d.schedule(m.get("schedule"))
	p.Limits = d.limits(m.get("limits"))
	d.datasets(m.need("datasets", "datasets: the tables under rules"))
	d.rules(m.need("rules", "rules: what is kept how long; [] where none is decided yet"))
}

// version accepts the one version that this build reads.
func (d *decoder) version(m *mapping) {
	v := m.need("version", "version: 1")
	if s := d.text(v, "version"); s != "" && s != "1" {
		d.fail(v, "version: 1", "version %q is not one that this build reads", s)
	}
}

// schedule reads a cron expression of five fields, or @daily and its like. Its
// zone is the policy's.
func (d *decoder) schedule(n *yaml.Node) string {
	const hint = `minute hour day month weekday, such as "30 2 * * *", or @daily`
	s := strings.Join(strings.Fields(d.text(n, "schedule")), " ")
	switch {
	case s == "":
		return ""
	case strings.Contains(s, "TZ="):
		d.reject(n, "leave the zone out: it is the policy's", "schedule: a zone inside the cron expression is not allowed")
		return ""
	case strings.HasPrefix(s, "@every"):
		d.reject(n, hint, "schedule: @every has no fixed times")
		return ""
	}
	spec, err := cron.ParseStandard(s)
	if err != nil {
		why := regexp.MustCompile(`: [^: ]+$`).ReplaceAllString(err.Error(), "") // the field again
		d.reject(n, hint, "schedule %q is no cron expression: %s", s, why)
		return ""
	}
	if spec.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		d.reject(n, hint, "schedule %q never comes", s)
		return ""
	}
	return s
}
