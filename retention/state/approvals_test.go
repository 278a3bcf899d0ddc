package state

import (
	"errors"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func TestTwoApprovers(t *testing.T) { onEach(t, testTwoApprovers) }

func testTwoApprovers(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	p := plan("p1")
	p.Refusals = nil
	p.Steps[0].NeedsApproval, p.Steps[0].Approvers, p.Steps[0].Visa = true, 2, true
	must(t, b.SavePlan(ctx, p))
	a := retention.Approval{Plan: "p1", Digest: p.Digest, By: "Ada Martin", Reason: "r", Visa: "V/1"}
	var unfit *retention.UnfitApproval
	for _, bad := range []retention.Approval{{By: "Ada Martin"}, {By: " ", Visa: "V/1"}} {
		bad.Plan, bad.Digest = "p1", p.Digest
		if err := b.Decide(ctx, bad, true); !errors.As(err, &unfit) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	must(t, b.Decide(ctx, a, true))
	first := b.now()
	b.says(`"kind":"plan.approved"`, `"approval":1`, `"needs":2`, `"visa":"V/1"`)
	got, err := b.Plan(ctx, "p1")
	must(t, err)
	if got.State != retention.PlanMade || len(got.Approvals) != 1 || got.Approval != nil || got.Enough(false) {
		t.Errorf("one of two: %+v", got)
	}
	for _, bad := range []retention.Approval{{By: " ada  MARTIN ", Visa: "V/1"}, {By: "Bob", Visa: "V/2"}, {By: "Bob"}} {
		bad.Plan, bad.Digest = "p1", p.Digest
		if err := b.Decide(ctx, bad, true); !errors.As(err, &unfit) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	a.By = "Bob"
	must(t, b.Decide(ctx, a, true))
	b.says(`"approval":2`)
	got, err = b.Plan(ctx, "p1")
	must(t, err)
	if got.State != retention.PlanApproved || !got.Enough(false) || !got.Approval.Until.Equal(first.Add(7*24*time.Hour)) || got.Approval.Visa != "V/1" {
		t.Errorf("two of two: %+v", got)
	}
	got.Plan.By = "BOB"
	if got.Enough(true) {
		t.Error("who planned counts under four eyes")
	}
	ids, err := b.PlansByDigest(ctx, p.Digest)
	if err != nil || len(ids) != 1 || ids[0] != "p1" {
		t.Errorf("by digest: %v, %v", ids, err)
	}
}
