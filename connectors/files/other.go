//go:build !unix

package files

import (
	"context"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

// Open refuses: this system has no handles of folders by which a file can be reached
// without following links.
func Open(context.Context, string, string) (*objects.Source, error) {
	return nil, &retention.Refusal{Code: retention.RefuseSourceDown, Message: "driver files needs a Unix system"}
}
