package sqlgen

import (
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// Value converts a scalar as written by the column's kind. What does not
// convert is an error naming column and value.
func Value(c *retention.Column, s retention.Scalar) (any, error) {
	v, ok := s.As(c.Kind)
	if !ok {
		return nil, fmt.Errorf("column %s (%s): value %q is no %s", c.Name, c.Decl, s.Text, c.Kind)
	}
	return v, nil
}
