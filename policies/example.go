package policies

import _ "embed"

//go:embed example.yaml
var example string

// Example returns the commented first policy that `retentiond init` writes. It
// names the source crm of the example configuration.
func Example() []byte { return []byte(example) }
