package policies

import _ "embed"

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of the policy language, for
// editors. It is close, not complete: what loads is decided by [Decode].
func Schema() []byte { return []byte(schema) }
