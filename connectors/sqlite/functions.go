package sqlite

import (
	"database/sql/driver"
	"fmt"
	"time"

	"modernc.org/sqlite"
)

// newDriver makes a driver value with the connector's functions.
func newDriver() (*sqlite.Driver, error) {
	d := &sqlite.Driver{}
	cache := &specs{}
	fixed := map[string]function{
		"retentiond_clock":        {2, clockFunction(cache)},
		"retentiond_stamp":        {1, stampFunction},
		"retentiond_truncate":     {3, changeFunction(truncate)},
		"retentiond_bucket":       {3, changeFunction(bucket)},
		"retentiond_round":        {3, changeFunction(round)},
		"retentiond_mask_ip":      {4, changeFunction(maskIP)},
		"retentiond_email_domain": {2, changeFunction(emailDomain)},
		"retentiond_keep_left":    {3, changeFunction(keepLeft)},
		"retentiond_keep_right":   {3, changeFunction(keepRight)},
	}
	for name, f := range fixed {
		if err := register(d, name, f, true); err != nil {
			return nil, err
		}
	}
	return d, register(d, "retentiond_random", function{2, random}, false)
}

type function struct {
	args int32
	call func(args []driver.Value) (driver.Value, error)
}

// register adds a function. Arguments are views into SQLite's memory (exact to
// the byte, NUL included): no function may keep them.
func register(d *sqlite.Driver, name string, f function, deterministic bool) error {
	return d.RegisterFunction(name, &sqlite.FunctionImpl{
		NArgs: f.args, Deterministic: deterministic, VolatileArgs: true,
		Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) { return f.call(args) },
	})
}

func clockFunction(cache *specs) func([]driver.Value) (driver.Value, error) {
	return func(args []driver.Value) (driver.Value, error) {
		if args[0] == nil {
			return nil, nil
		}
		text, ok := args[1].(string)
		if !ok {
			return nil, fmt.Errorf("retentiond_clock: no specification")
		}
		spec, err := cache.get(text)
		if err != nil {
			return nil, err
		}
		return spec.read(args[0]), nil
	}
}

// stampFunction writes microseconds as RFC 3339 in UTC.
func stampFunction(args []driver.Value) (driver.Value, error) {
	n, ok := args[0].(int64)
	if !ok {
		return nil, nil
	}
	return time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.999999Z"), nil
}
