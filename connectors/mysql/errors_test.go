package mysql

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/retentiond/retentiond/retention"
)

// A missing privilege is told once and as such, however often the error is passed on.
func TestDeniedSaysTheGrantOnce(t *testing.T) {
	e := &engine{name: "mariadb h/shop", user: "app"}
	e.database = "shop"
	for text, want := range map[string]string{
		"DELETE command denied to user 'app'@'h' for table `shop`.`p`":        "mariadb h/shop: user app lacks a privilege: GRANT DELETE ON `shop`.`p` TO that user",
		"SELECT command denied to user 'app'@'h' for table 'p'":               "mariadb h/shop: user app lacks a privilege: GRANT SELECT ON `shop`.`p` TO that user",
		"UPDATE command denied to user 'app'@'h' for column 'c' in table 'p'": "mariadb h/shop: user app lacks a privilege: GRANT UPDATE ON `shop`.`p` TO that user",
	} {
		number := uint16(errTable)
		if text[0] == 'U' {
			number = errColumn
		}
		err := e.down(fmt.Errorf("table p: %w", e.down(fmt.Errorf("act: %w", &mysql.MySQLError{Number: number, Message: text}))))
		r, ok := errors.AsType[*retention.Refusal](err)
		if !ok || r.Code != retention.RefusePrivilege || r.Message != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// What is known of the work goes before the reason: a refusal would say that nothing
// was done (L7).
func TestDeniedKeepsHowTheWorkStands(t *testing.T) {
	e := &engine{name: "mariadb h/shop", user: "app"}
	for _, state := range []error{retention.ErrUnsettled, retention.ErrNotWhole, retention.ErrLost, retention.ErrLocked} {
		err := e.down(fmt.Errorf("%w: %w", state, &mysql.MySQLError{Number: errTable, Message: "SELECT command denied to user 'app'@'h' for table 'p'"}))
		if _, refused := errors.AsType[*retention.Refusal](err); refused || !errors.Is(err, state) {
			t.Errorf("%v became %v", state, err)
		}
	}
}
