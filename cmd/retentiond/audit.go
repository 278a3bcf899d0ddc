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
