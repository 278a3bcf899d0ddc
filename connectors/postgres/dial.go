package postgres

import (
	"context"
	"net"
	"time"

	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
)

// dialer connects as the driver does by itself, and its connections read widely.
type dialer struct{ net.Dialer }

var (
	_ pq.Dialer        = (*dialer)(nil)
	_ pq.DialerContext = (*dialer)(nil)
)

// DialContext connects.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return sqlwork.Wide(c), nil
}

// DialTimeout connects in time. The driver asks for a context instead where it can.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	limited := d.Dialer
	limited.Timeout = timeout
	return limited.Dial(network, address)
}
