package engine

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// UsageError is a request that cannot be understood or must not be granted as
// it stands; nothing was done.
type UsageError struct {
	Message string
	Hint    string
}

// Error returns the message; the hint is for the caller to show beside it.
func (e *UsageError) Error() string { return e.Message }

func usage(hint, format string, args ...any) error {
	return &UsageError{Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Error says which sources the hold did not pass.
func (e *GateError) Error() string {
	names := make([]string, 0, len(e.Waiting))
	for s, why := range e.Waiting {
		names = append(names, s+": "+why)
	}
	sort.Strings(names)
	return fmt.Sprintf("hold %s is placing, and every new batch sees it, but it did not pass every source: %s", e.Hold.ID, strings.Join(names, "; "))
}

func gateError(h retention.Hold, waiting map[string]error) *GateError {
	out := &GateError{Hold: h, Waiting: map[string]string{}}
	for name, err := range waiting {
		out.Waiting[name] = err.Error()
		if r := refusalOf(err); r != nil && r.Code == retention.RefuseStateMismatch {
			out.mismatch = r
		}
	}
	return out
}

// Unwrap gives the refusal where some gate is not this store's to pass: waiting
// longer does not help then.
func (e *GateError) Unwrap() error {
	if e.mismatch == nil {
		return nil
	}
	return e.mismatch
}

// refusalOf returns the refusal that an error carries, if it carries one.
func refusalOf(err error) *retention.Refusal {
	var r *retention.Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// waits is a refusal that an approval of the plan lifts.
func waits(code retention.RefusalCode, format string, args ...any) *retention.Refusal {
	r := refuse(code, format, args...)
	r.Approvable = true
	return r
}

func refuse(code retention.RefusalCode, format string, args ...any) *retention.Refusal {
	return &retention.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}
