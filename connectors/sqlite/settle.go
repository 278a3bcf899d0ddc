package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

const nowSQL = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

// insertReceipt is a plain INSERT: a second receipt of an intent is an error,
// never an overwrite.
func insertReceipt(ctx context.Context, conn *sqlx.Conn, r retention.Receipt) error {
	_, err := conn.ExecContext(ctx, "INSERT INTO retentiond_receipt (intent, state, rows, digest, at) VALUES (?, ?, ?, ?, "+nowSQL+")",
		r.Intent, string(r.State), r.Rows, r.Digest)
	return err
}

// Settle ends an intent. Where the receipt table is missing it is made, so that
// the abandoned receipt fences a batch that is still on its way: without a
// table nothing would stop it once someone installs one. A source that cannot
// be written now is [retention.ErrUnsettled]: try again.
func (s *Source) Settle(ctx context.Context, intent string) (retention.Receipt, error) {
	var out retention.Receipt
	if intent == "" {
		return out, fmt.Errorf("settle: no intent is named")
	}
	err := s.inTx(ctx, batchWait, func(conn *sqlx.Conn) error {
		if _, err := conn.ExecContext(ctx, receiptSQL); err != nil {
			return err
		}
		err := insertReceipt(ctx, conn, retention.Receipt{Intent: intent, State: retention.ReceiptAbandoned})
		if err != nil && !duplicate(err) {
			return err
		}
		out, err = readReceipt(ctx, conn, intent)
		return err
	})
	if err != nil {
		return retention.Receipt{}, fmt.Errorf("settle intent %s: %w: %w", intent, retention.ErrUnsettled, err)
	}
	return out, nil
}

func readReceipt(ctx context.Context, conn *sqlx.Conn, intent string) (retention.Receipt, error) {
	r := retention.Receipt{Intent: intent}
	var state, at string
	err := conn.QueryRowxContext(ctx, "SELECT state, rows, digest, at FROM retentiond_receipt WHERE intent = ?", intent).Scan(&state, &r.Rows, &r.Digest, &at)
	if err != nil {
		return r, err
	}
	r.State = retention.ReceiptState(state)
	r.At, err = time.Parse(time.RFC3339Nano, at)
	return r, err
}

// Prune drops done receipts; abandoned ones stay, since they fence, and so does
// the newest done one.
func (s *Source) Prune(ctx context.Context, intents []string) error {
	if len(intents) == 0 {
		return nil
	}
	list, err := json.Marshal(intents)
	if err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return s.inTx(ctx, batchWait, func(conn *sqlx.Conn) error {
		_, err := conn.ExecContext(ctx, `DELETE FROM retentiond_receipt WHERE state = 'done'
AND intent IN (SELECT value FROM json_each(?))
AND rowid <> (SELECT max(rowid) FROM retentiond_receipt WHERE state = 'done')`, string(list))
		if err != nil && !noTable(err) {
			return fmt.Errorf("sqlite %s: prune receipts: %w", s.path, err)
		}
		return nil
	})
}
