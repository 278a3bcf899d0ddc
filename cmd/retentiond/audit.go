package main

import (
	"github.com/spf13/cobra"
)

func auditCommand(a *app) *cobra.Command {
	return a.parent("audit", "The audit log: list, show, verify, export, key",
		`audit reads the log that proves what was done. It is a Merkle tree (RFC 6962) over exact JSON
lines, with signed checkpoints, and holds no personal data.`,
		`  retentiond audit list --since 2026-01-01
  retentiond audit verify`,
		auditListCommand(a), auditShowCommand(a), auditVerifyCommand(a), auditExportCommand(a), auditKeyCommand(a))
}

func auditExportCommand(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "export --dir DIR",
		Short: "Export the log as tlog tiles, checkpoint and JSON lines",
		Long: `export writes the log to a directory as C2SP tlog tiles with a signed checkpoint and the
entries as JSON lines, so that tools which are not ours can verify it.`,
		Example: `  retentiond audit export --dir /mnt/auditor/2026`,
		Args:    noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if err := need(cmd, "dir"); err != nil {
				return err
			}
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			if err := h.store.ExportAudit(cmd.Context(), dir); err != nil {
				return err
			}
			return a.showExport(h, dir)
		}),
	}
	c.Flags().StringVar(&dir, "dir", "", "directory to write to")
	return c
}

func (a *app) showExport(h *house, dir string) error {
	d := h.auditDoc()
	if a.json() {
		return a.document(map[string]any{"dir": dir, "origin": d.Origin, "size": d.Size, "root": d.Root})
	}
	p := a.printer()
	p.line("Exported %s to %s, root %s.", plural(d.Size, "entry", "entries"), dir, d.Root)
	return p.err
}

func auditKeyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "key",
		Short:   "The public key that verifies the log, and its fingerprint",
		Long:    `key prints the public key with which anyone can verify the log's checkpoints. Keep a copy where the daemon cannot write.`,
		Example: `  retentiond audit key > auditor/retentiond.pub`,
		Args:    noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			key, err := h.store.VerifierKey(cmd.Context())
			if err != nil {
				return err
			}
			if a.json() {
				return a.document(map[string]string{"key": key, "fingerprint": h.key.Fingerprint()})
			}
			p := a.printer()
			p.line("%s", key)
			p.line("%s", h.key.Fingerprint())
			return p.err
		}),
	}
}
