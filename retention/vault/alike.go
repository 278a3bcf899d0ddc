package vault

// Forms are the plain forms of an identifier as a row has it: two that some database
// takes for one have one in common. They are for what has to know a person once the row
// is gone, and no database compares any more.
func Forms(id string) []string {
	var out []string
	for _, text := range idTexts(id) {
		out = append(out, forms(text)...)
	}
	return out
}
