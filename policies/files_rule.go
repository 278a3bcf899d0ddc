package policies

import (
	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// checkFiles refuses what cannot be done to files, or of which only files have.
func (d *decoder) checkFiles(m *mapping, r *retention.Rule) {
	exact := r.AtLeast != nil && r.AtLeast.Exact()
	for i := range r.Stages {
		s := &r.Stages[i]
		exact = exact || s.Keep.Exact()
		if d.files != nil {
			d.checkFileAction(&yaml.Node{Line: s.Pos.Line, Column: s.Pos.Col}, &s.Action)
		}
	}
	if d.files == nil || !exact {
		return
	}
	for _, c := range r.Clock.Members {
		if c.Column != retention.FileModified {
			d.fail(&yaml.Node{Line: c.Pos.Line, Column: c.Pos.Col}, "a period in days, or from: modified",
				"a period in hours, minutes or seconds cannot run from a file's name or a related row")
		}
	}
}

func (d *decoder) checkFileAction(at *yaml.Node, a *retention.Action) {
	switch a.Kind {
	case retention.Anonymise:
		d.fail(at, "then: delete, or then: redact with columns: {content: {mask_ip: [24, 48]}}", "files cannot be anonymised")
	case retention.Redact:
		for _, c := range a.Columns {
			if c.Column != retention.FileContent || c.Func != retention.MaskIP {
				d.fail(&yaml.Node{Line: c.Pos.Line, Column: c.Pos.Col}, "columns: {content: {mask_ip: [24, 48]}}", "of files only the IP addresses in their lines can be redacted")
				continue
			}
			d.addFileColumn(retention.FileColumn{Name: retention.ContentForm(c), Content: retention.ContentForm(c)})
		}
	}
}
