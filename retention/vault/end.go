package vault

import (
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// endOf is the stage that ends what the stage (from 1) archives.
func endOf(r *retention.Rule, stage int) *retention.Stage {
	for i := stage; i < len(r.Stages); i++ {
		if r.Stages[i].Action.Kind == retention.Delete {
			return &r.Stages[i]
		}
	}
	return nil
}

// Layouts by which clocks are cut into segments. A segment ends with its last row:
// the shorter an archive is kept, the finer it is cut.
const (
	byMonth = "2006-01"
	byDay   = "2006-01-02"
	byHour  = "2006-01-02T15"
)

func cutOf(end *retention.Stage) string {
	if end == nil {
		return byMonth
	}
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	_, until := calendar.Due(from, end.Keep, time.UTC, calendar.Round{})
	switch long := until.Sub(from); {
	case long >= 365*24*time.Hour:
		return byMonth
	case long >= 28*24*time.Hour:
		return byDay
	}
	return byHour
}
