// Package engine decides and does: it turns policies, live schemas and holds
// into plans, and consumes plans batch by batch. Deciding is apart from doing:
// [Engine.Plan] is given inspectors, which cannot write; [Engine.Run] alone
// acts, and only on what a plan says.
package engine
