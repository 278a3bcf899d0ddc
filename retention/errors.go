package retention

import "errors"

// Sentinels that callers branch on.
var (
	// ErrNotFound: no such plan, run, hold or page.
	ErrNotFound = errors.New("not found")
	// ErrDecided: the plan was decided, or the intent concluded, before.
	ErrDecided = errors.New("already decided")
	// ErrBusy: another run does that work already; see [BusyError].
	ErrBusy = errors.New("another run is at work")
	// ErrFenced: the lease is over, and another process may have taken over; this
	// one must stop.
	ErrFenced = errors.New("another process took over")
	// ErrTooWide: the batch's rows have more than MaxChildren children, or its range
	// more than MaxBatch rows; nothing was done. The caller takes fewer rows, or a
	// single row's children first.
	ErrTooWide = errors.New("too many rows for one transaction")
	// ErrUnplanned: more rows of a range are due than the plan has left; nothing was
	// done. The caller names the rows.
	ErrUnplanned = errors.New("more rows are due than were planned")
	// ErrNotWhole: the partition cannot go as a whole: some row of it is not due, it
	// is no longer what it was, or something depends on it; nothing was done. The
	// caller does its rows.
	ErrNotWhole = errors.New("the partition cannot be dropped as a whole")
	// ErrRowsAside, beside [ErrNotWhole]: rows of a partition that was set aside wait
	// for a person, and no other is until then.
	ErrRowsAside = errors.New("rows that were set aside wait for a person")
	// ErrLocked: the source is busy with somebody else; nothing was done. Try
	// again, smaller.
	ErrLocked = errors.New("the source is locked")
	// ErrGaveWay: the batch was at something long, and a hold waits to pass the gate;
	// nothing was done. Let the hold pass, then try again.
	ErrGaveWay = errors.New("the batch gave way to a hold that waits to pass")
	// ErrLost: the connection to the source was lost. What only reads may be asked
	// again; a batch has to be settled.
	ErrLost = errors.New("the connection was lost")
	// ErrRolledBack: the audit log is shorter than, or other than, what was once signed.
	ErrRolledBack = errors.New("the audit log is not the one that was signed")
	// ErrUnsettled: the source could not say how the batch ended; try again.
	ErrUnsettled = errors.New("not settled")
)
