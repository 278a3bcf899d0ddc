package main

import "github.com/spf13/cobra"

func rejectCommand(a *app) *cobra.Command {
	return decideCommand(a, false, "reject", "Reject a saved plan, by its id",
		`reject says no to a plan. It can then neither be approved nor run; a later plan of the same
rules is a new question.`)
}
