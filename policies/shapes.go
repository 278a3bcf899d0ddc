package policies

// Shapes of the language's mappings. Their keys are listed once, in keysOf;
// the JSON Schema is tested against that list.
const (
	shapePolicy      = "policy"
	shapeDataset     = "dataset"
	shapeChild       = "child"
	shapeRelation    = "relation"
	shapeExists      = "exists"
	shapeHop         = "hop"
	shapeRule        = "rule"
	shapeStage       = "stage"
	shapeGroup       = "clock_group"
	shapeColumn      = "clock_column"
	shapeRelated     = "clock_related"
	shapeRound       = "round"
	shapeLimits      = "limits"
	shapeVerify      = "verify"
	shapeChange      = "change"
	shapeOps         = "operators"
	shapeFiles       = "dataset_files"
	shapeFile        = "child_files"
	shapeName        = "clock_name"
	shapeMetadata    = "clock_metadata"
	shapeTag         = "clock_tag"
	shapeFileRow     = "clock_row"
	shapeWhoName     = "subject_name"
	shapeWhoMetadata = "subject_metadata"
	shapeWhoTag      = "subject_tag"
	shapeWhoRow      = "subject_row"
)

// shapes lists every shape.
func shapes() []string {
	return []string{
		shapePolicy, shapeDataset, shapeChild, shapeRelation, shapeExists, shapeHop, shapeRule, shapeStage,
		shapeGroup, shapeColumn, shapeRelated, shapeRound, shapeLimits, shapeVerify, shapeChange, shapeOps,
		shapeFiles, shapeFile, shapeName, shapeFileRow, shapeMetadata, shapeTag, shapeWhoMetadata, shapeWhoTag, shapeWhoName, shapeWhoRow,
	}
}

// keysOf returns the keys that a mapping of the shape may have.
func keysOf(shape string) []string {
	switch shape {
	case shapePolicy:
		return []string{"version", "policy", "title", "controller", "timezone", "source", "schedule", "limits", "datasets", "rules"}
	case shapeDataset:
		return []string{"table", "source", "subject", "why", "children", "exempt", "purpose", "erase", "partitions"}
	case shapeChild:
		return []string{"table", "on", "via", "where", "then"}
	case shapeRelation:
		return []string{"table", "on", "via", "where", "column"}
	case shapeExists:
		return []string{"table", "on", "via", "where"}
	case shapeHop:
		return []string{"table", "on"}
	case shapeRule:
		return []string{
			"id", "title", "dataset", "purpose", "basis", "categories", "cite", "from", "where", "at_least",
			"keep", "then", "columns", "mark", "verify", "to", "why", "stages",
			"schedule", "limits", "approve", "approvers", "visa", "enabled", "effective_from",
		}
	case shapeStage:
		return []string{"keep", "then", "columns", "mark", "verify", "to", "why"}
	}
	return smallKeysOf(shape)
}

// smallKeysOf returns the keys of the inner mappings.
func smallKeysOf(shape string) []string {
	switch shape {
	case shapeGroup:
		return []string{"latest", "earliest", "nulls", "round", "not_before", "not_after"}
	case shapeColumn:
		return []string{"column", "as", "zone", "round", "not_before", "not_after"}
	case shapeRelated:
		return []string{"table", "on", "via", "where", "column", "as", "zone", "round", "not_before", "not_after"}
	case shapeRound:
		return []string{"year_end"}
	case shapeLimits:
		return []string{"rows", "share"}
	case shapeVerify:
		return []string{"k", "quasi", "allow"}
	case shapeChange:
		return []string{
			"set", "keep_left", "keep_right", "truncate", "bucket", "round", "mask_ip", "random", "length",
		}
	case shapeOps:
		return []string{"eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "like", "null"}
	}
	return fileKeysOf(shape)
}

// fileKeysOf returns the keys of mappings about files.
func fileKeysOf(shape string) []string {
	switch shape {
	case shapeFiles:
		return []string{"files", "source", "subject", "why", "exempt", "purpose"}
	case shapeFile:
		return []string{"files", "source", "then"}
	case shapeName, shapeMetadata, shapeTag:
		return []string{map[string]string{shapeName: "name", shapeMetadata: "metadata", shapeTag: "tag"}[shape], "zone", "round", "not_before", "not_after"}
	case shapeWhoMetadata:
		return []string{"metadata"}
	case shapeWhoTag:
		return []string{"tag"}
	case shapeFileRow:
		return []string{"table", "source", "on", "column", "as", "zone", "round", "not_before", "not_after"}
	case shapeWhoName:
		return []string{"name"}
	case shapeWhoRow:
		return []string{"table", "source", "on", "column"}
	}
	return nil
}

// combinators lists the words that are no columns in a condition.
func combinators() []string { return []string{"all", "any", "not", "exists", "sql"} }
