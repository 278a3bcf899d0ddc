package sqlwork

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// detail is what a receipt says beside the rows that were done: counts only.
type detail struct {
	Spared   retention.Spared `json:"spared"`
	Children map[string]int64 `json:"children,omitempty"`
	// Segments have the rows now: names, counts and hashes of ciphertexts.
	Segments []retention.SealedRef `json:"segments,omitempty"`
	Copied   int64                 `json:"copied,omitempty"` // and left, see [retention.Outcome]
	Into     []retention.TableName `json:"into,omitempty"`   // of a vault in another source
}

// insertReceipt is a plain INSERT: a second receipt of an intent is an error,
// never an overwrite.
func (s *Source) insertReceipt(ctx context.Context, q Session, r retention.Receipt) error {
	more, err := json.Marshal(detail{r.Spared, r.Children, r.Segments, r.Copied, r.Into})
	if err != nil {
		return fmt.Errorf("receipt of intent %s: %w", r.Intent, err)
	}
	_, err = s.say(ctx, q, "INSERT INTO %s (intent, state, %s, detail, digest, at) VALUES (%s, %s, %s, %s, %s, %s)",
		s.own(receiptTable), s.rows(), r.Intent, string(r.State), r.Rows, string(more), r.Digest, s.e.Dialect().Now)
	return err
}

// rows is the column of that name, which some engines reserve.
func (s *Source) rows() sqlgen.SQL { return sqlgen.Raw(s.e.Dialect().Quote("rows")) }

// Settle ends an intent. Where the receipt table is missing it is made, so that
// the abandoned receipt fences a batch that is still on its way: without a
// table nothing would stop it once someone installs one. A source that cannot
// be written now is [retention.ErrUnsettled]: try again. What open says is asked
// after the insert: whoever settles the same intent waits for it, or was first and
// has concluded it before the receipt was pruned.
func (s *Source) Settle(ctx context.Context, intent string, open func(context.Context) error) (retention.Receipt, error) {
	if intent == "" {
		return retention.Receipt{}, fmt.Errorf("settle: no intent is named")
	}
	if e, ok := s.e.(Exchanger); ok {
		return s.settleWhole(ctx, e, intent, open)
	}
	return s.settle(ctx, intent, open)
}

func (s *Source) settle(ctx context.Context, intent string, open func(context.Context) error) (retention.Receipt, error) {
	var out retention.Receipt
	abandoned := func(q Session) error {
		there, err := s.e.Installed(ctx, q)
		if err == nil && !there {
			err = s.makeOwn(ctx, q)
		}
		if err == nil {
			r := retention.Receipt{Intent: intent, State: retention.ReceiptAbandoned}
			if o, ok := s.e.(Outdoors); ok {
				r, err = o.Settled(ctx, intent)
			}
			if err == nil {
				err = s.insertReceipt(ctx, q, r)
			}
		}
		if err == nil && open != nil {
			err = open(ctx)
		}
		if err == nil {
			out, err = s.readReceipt(ctx, q, intent)
		}
		return err
	}
	err := s.e.Change(ctx, Loose, s.wait, abandoned)
	if s.e.Kind(err) == Duplicate { // the batch, or an earlier settling, was first
		err = s.e.Look(AtSource(ctx), func(q Session) error {
			out, err = s.readReceipt(ctx, q, intent)
			return err
		})
	}
	if err != nil {
		return retention.Receipt{}, fmt.Errorf("settle intent %s: %w: %w", intent, retention.ErrUnsettled, err)
	}
	return out, nil
}

func (s *Source) readReceipt(ctx context.Context, q Session, intent string) (retention.Receipt, error) {
	r := retention.Receipt{Intent: intent}
	var state, more, at string
	x := s.write("SELECT state, %s, detail, digest, at FROM %s WHERE intent = %s", s.rows(), s.own(receiptTable), intent)
	if err := q.QueryRowxContext(ctx, x.Text, x.Args...).Scan(&state, &r.Rows, &more, &r.Digest, &at); err != nil {
		return r, err
	}
	r.State = retention.ReceiptState(state)
	var d detail
	if err := json.Unmarshal([]byte(more), &d); err != nil {
		return r, fmt.Errorf("receipt of intent %s: %w", intent, err)
	}
	r.Spared, r.Children, r.Segments, r.Copied, r.Into = d.Spared, d.Children, d.Segments, d.Copied, d.Into
	var err error
	r.At, err = time.Parse(time.RFC3339Nano, at)
	return r, err
}

// Prune drops done receipts; abandoned ones stay, since they fence, and so does
// the newest done one.
func (s *Source) Prune(ctx context.Context, intents []string) error {
	if len(intents) == 0 {
		return nil
	}
	return s.e.Change(ctx, Loose, s.wait, func(q Session) error {
		there, err := s.e.Installed(ctx, q)
		if err != nil || !there {
			return err
		}
		newest := s.write("SELECT coalesce(max(intent), '') FROM %s WHERE state = 'done' AND at = (SELECT max(at) FROM %s WHERE state = 'done')", s.own(receiptTable), s.own(receiptTable))
		var keep string
		if err := q.GetContext(ctx, &keep, newest.Text, newest.Args...); err != nil {
			return fmt.Errorf("%s: the newest receipt: %w", s.e.Name(), err)
		}
		return s.prune(ctx, q, intents, keep)
	})
}

// pruneAt is how many receipts one statement drops.
const pruneAt = 500

func (s *Source) prune(ctx context.Context, q Session, intents []string, keep string) error {
	for len(intents) > 0 {
		n := min(pruneAt, len(intents))
		args := make([]sqlgen.SQL, n)
		for i, id := range intents[:n] {
			args[i] = sqlgen.Arg(id)
		}
		if _, err := s.say(ctx, q, "DELETE FROM %s WHERE state = 'done' AND intent <> %s AND intent IN (%s)", s.own(receiptTable), keep, sqlgen.Join(", ", args...)); err != nil {
			return fmt.Errorf("%s: prune receipts: %w", s.e.Name(), err)
		}
		intents = intents[n:]
	}
	return nil
}
