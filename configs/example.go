package configs

import _ "embed"

//go:embed retentiond.yaml
var example string

// Example returns the commented configuration that `retentiond init` writes.
func Example() []byte { return []byte(example) }
