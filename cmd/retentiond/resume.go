package main

import "github.com/spf13/cobra"

func resumeCommand(a *app) *cobra.Command {
	return switchCommand(a, false, "resume", "Take the kill switch back",
		`resume ends stop-all: runs act again from then on. It starts none by itself.`)
}
