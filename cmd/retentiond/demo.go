package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	demoDir  = "retentiond-demo"
	demoRows = 5000
	demoSeed = 20260101
)

func demoCommand(a *app) *cobra.Command {
	d := demo{app: a}
	c := &cobra.Command{
		Use:   "demo [--dir DIR] [--rows N] [--keep]",
		Short: "Five small systems to try everything on: dry run, hold, run, proof",
		Long: `demo builds five small systems as SQLite databases and trees of files, with the policies of five
published privacy policies and a person in a dispute. It then runs the real commands on them: a
litigation hold, a sealed archive with its restore and its end, the dry run, an approval, the run,
the verification of the audit log, the inventory.

It needs no server and no configuration. The directory then works with every other command.
A directory that an earlier demo made is replaced, unless --keep; any other is refused. The key of
the sealed archives is in a directory beside it, DIR-dpo: it is a person's, not the daemon's.`,
		Example: `  retentiond demo
  retentiond demo --dir /tmp/demo --rows 20000`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			if d.rows < 1 || d.rows > 1_000_000 {
				return usage("such as --rows 5000", "--rows is a number from 1 to 1000000")
			}
			if a.json() {
				return usage("its directory works with every other command, and those with --output json", "demo speaks to people: it has no JSON form")
			}
			return d.play(cmd.Context())
		}),
	}
	c.Flags().StringVar(&d.dir, "dir", demoDir, "directory to build in")
	c.Flags().IntVar(&d.rows, "rows", demoRows, "about the size of each system's biggest table")
	c.Flags().BoolVar(&d.keep, "keep", false, "keep the directory of an earlier demo: refuse to replace it")
	return c
}

// demo plays the part of a person who tries everything once. Every step is a
// command that the person could have typed.
type demo struct {
	*app
	dir   string
	rows  int
	keep  bool
	world World
	plan  string
}

func (d *demo) play(ctx context.Context) error {
	all := stages(d.dir)
	if err := clearStages(all, d.keep); err != nil {
		return err
	}
	defer func() {
		for _, s := range all {
			_ = s.mark() // a lost marker only makes a rerun refuse
		}
	}()
	if err := d.build(ctx); err != nil {
		return err
	}
	for _, act := range []func(context.Context) error{d.policies, d.hold, d.archives, d.dryRun, d.approve, d.act, d.prove} {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := act(ctx); err != nil {
			return err
		}
	}
	d.next(ctx)
	return nil
}

func (d *demo) build(ctx context.Context) error {
	p := d.printer()
	p.line("Building five small systems in %s …", d.dir)
	bar := d.newProgress()
	world, err := buildWorld(ctx, d.dir, d.rows, d.now(), demoSeed, bar.world)
	bar.done()
	if err != nil {
		return fmt.Errorf("build the demo: %w", err)
	}
	d.world = world
	p.line("%s in %s: one SQLite file and one policy each; %s beside two of them.", rowsOf(world.Rows),
		plural(int64(len(world.Policies)), "system", "systems"), plural(world.Files, "file", "files"))
	return p.err
}

// say is the narration before a command.
func (d *demo) say(title, format string, args ...any) {
	p := d.printer()
	p.blank()
	p.heading("── %s", title)
	for _, l := range strings.Split(fmt.Sprintf(format, args...), "\n") {
		p.line("%s", l)
	}
	p.blank()
}

// run types a command, runs it as a person would, and wants one of the exit
// codes.
func (d *demo) run(ctx context.Context, codes []int, args ...string) (*app, error) {
	shown := make([]string, len(args))
	for i, w := range args {
		shown[i] = quote(w)
	}
	p := d.printer()
	p.line("%s", p.paint(dim, "$ "+d.program()+" --config "+quote(d.world.Config)+" "+strings.Join(shown, " ")))
	global := []string{"--config", d.world.Config}
	if d.noColor {
		global = append(global, "--no-color")
	}
	sub := newApp(d.streams)
	got := execute(ctx, sub, append(global, args...))
	for _, c := range codes {
		if got == c {
			return sub, nil
		}
	}
	return sub, verdict(got)
}

func (d *demo) policies(ctx context.Context) error {
	d.say("The policies", "Each system has one policy: a YAML file that reads like the privacy policy that was published.\n"+
		"Here is one of them, as a table for people; the files are in %s/policies.", d.dir)
	if _, err := d.run(ctx, []int{exitOK}, "policy", "validate"); err != nil {
		return err
	}
	d.printer().blank()
	_, err := d.run(ctx, []int{exitOK}, "policy", "show", "--policy", d.world.Policies[len(d.world.Policies)-1])
	return err
}

func (d *demo) hold(ctx context.Context) error {
	d.say("A litigation hold", "Somebody has gone to court. Until that is over nothing about this person may go, in any system,\n"+
		"whatever the rules say. First a look at what a hold would freeze, then the hold itself.")
	if _, err := d.run(ctx, []int{exitOK}, "hold", "preview", "--subject", d.world.Disputed); err != nil {
		return err
	}
	d.printer().blank()
	_, err := d.run(ctx, []int{exitOK}, "hold", "place", "--matter", d.world.Matter, "--subject", d.world.Disputed,
		"--reason", d.world.Reason, "--by", "Demo DPO")
	return err
}

func (d *demo) dryRun(ctx context.Context) error {
	d.say("The dry run", "What would go, and what stays, counted row by row: every row of a table is in exactly one column,\n"+
		"and the columns add up to the total. Nothing is changed: the sessions are held read-only by the database.\n"+
		"\"held\" are the rows of the hold. \"waits\" means that a person has to say yes first: to the first run of a rule,\n"+
		"to more than a share of a table at once (limit_share), and to the delete of rows so old that they were never\n"+
		"archived as the rule wants (never_archived).")
	sub, err := d.run(ctx, []int{exitOK, exitRefused}, "plan")
	d.plan = sub.planned
	return err
}

func (d *demo) approve(ctx context.Context) error {
	d.say("The approval", "A person has looked at the plan and says yes to exactly that one, by its id.")
	_, err := d.run(ctx, []int{exitOK}, "approve", d.plan, "--by", "Demo DPO", "--reason", "demo: looked at every line")
	return err
}

func (d *demo) act(ctx context.Context) error {
	d.say("The run", "Batch by batch, each in one transaction that tests clock, condition, minimum and hold once more.\n"+
		"planned = done + everything spared, always. Recordings are files whose date is in the database; documents are\n"+
		"files that go after their rows, and are tried again by each run until they are gone.")
	_, err := d.run(ctx, []int{exitOK, exitPartial}, "run", "--plan", d.plan)
	return err
}

func (d *demo) prove(ctx context.Context) error {
	d.say("The proof", "The audit log is a signed Merkle tree: edit, cut, reorder or insert a line, and this says where.")
	if _, err := d.run(ctx, []int{exitOK}, "audit", "verify"); err != nil {
		return err
	}
	d.say("The inventory", "What is there now, by class. Whatever is overdue and still there has its reason beside it. An approved plan\n"+
		"acts on its own rows and no others: what qualified since, such as files whose health data the run has\n"+
		"just cleared, waits for the next run.")
	_, err := d.run(ctx, []int{exitOK, exitPartial}, "inventory")
	return err
}

// stories are rows worth a look that are still there: one of each system.
func (d *demo) stories(ctx context.Context) []Story {
	var out []Story
	told := map[string]bool{}
	for _, s := range d.world.Stories {
		policy, _, _ := strings.Cut(s.Dataset, "/")
		if told[policy] {
			continue
		}
		silent := newApp(streams{In: d.In, Out: io.Discard, Err: io.Discard, Env: d.Env, Prog: d.Prog})
		if execute(ctx, silent, []string{"--config", d.world.Config, "explain", "--dataset", s.Dataset, "--key", s.Key}) == exitOK {
			told[policy] = true
			out = append(out, s)
		}
	}
	return out
}

// next is what to try, as lines that can be copied.
func (d *demo) next(ctx context.Context) {
	p := d.printer()
	p.blank()
	p.heading("── What to try next")
	try := func(why, format string, args ...any) {
		p.line("  # %s", why)
		p.line("  %s --config %s %s", d.program(), quote(d.world.Config), fmt.Sprintf(format, args...))
	}
	for _, s := range d.stories(ctx) {
		try(s.Why, "explain --dataset %s --key %s", quote(s.Dataset), quote(s.Key))
	}
	try("why everything about the person in the dispute is still there", "explain --subject %s", quote(d.world.Disputed))
	try("take what qualified since the plan was made; a plain run ends partial or refused (exit 3 or 4),\n  # because what was never approved waits for a person: run with --approve --by YOU, or plan and approve", "run")
	try("look ahead: what falls due by next year", "plan --as-of %s", d.now().AddDate(1, 0, 0).Format(time.DateOnly))
	try("the archives: whether each segment is there and whole", "archive verify")
	try("who is held, and since when", "hold list")
	try("end the dispute: the rows stay for the grace of 30 days", "hold release --matter %s --reason settled --by YOU", quote(d.world.Matter))
	try("stop everything, in every process", "stop-all --by YOU --reason drill")
	try("and let everything go on", "resume --by YOU --reason drill")
	try("everything that happened, line by line", "audit list")
	try("for an outside auditor", "audit export --dir %s", quote(d.dir+"-audit"))
}
