package calendar

import "strings"

// Why a text is no period, each with what the writer has to decide.
const (
	isEmpty    = "is empty: " + howToWrite
	isRange    = "is a range: decide which end applies, and write that one; where it depends on the case, write one rule for each case, with a where"
	isGeneral  = "is not binding: decide on the one period that always applies, and write only that"
	isNeed     = "is not a length of time: decide how long that is, counted from an event that the data records (from), and write e.g. 3 years"
	isForever  = "has no end: where data is kept on purpose, write exempt with the reason; otherwise decide how long"
	isMinimum  = "is a minimum: write the bare period, e.g. 3 years, under at_least"
	isMaximum  = "is a bound: keep is a maximum already; write the bare period, e.g. 3 years"
	isWorking  = "counts working days: periods run over week-ends and holidays; decide on a number of calendar days"
	isFraction = "is not in whole numbers: write a smaller unit instead, e.g. 18 months for a year and a half, and numbers without separators"
	isSigned   = "has a sign: a period runs forward from its clock; write it without"
	isDate     = "is a date: a period is a length of time that runs from a clock; write e.g. 3 years"
	isSpelled  = "is spelled out: write the number in digits, e.g. 3 years"
)

// undecided says why a folded text leaves a decision open; "" if it does not.
func undecided(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	})
	_, date := parseDate(text)
	switch {
	case text == "":
		return isEmpty
	case date:
		return isDate
	case hasFraction(text):
		return isFraction
	case text[0] == '+' || text[0] == '-' || strings.HasPrefix(text, "p-"):
		return isSigned
	case hasRange(text, words):
		return isRange
	}
	return vague(" " + strings.Join(words, " ") + " ")
}

// vague knows the words that leave a decision open. An entry without a space at
// its end is the start of a word.
func vague(text string) string {
	for _, v := range [...]struct {
		why   string
		words []string
	}{
		{isNeed, []string{" necess", " need", " require", " requis", " as long as ", " aussi longtemps ", " tant que ", " duree ", " duration ", " until ", " while "}},
		{isGeneral, []string{" general", " usual", " typical", " normal", " habituel", " en principe ", " in principle ", " environ ", " approximat", " about ", " around ", " roughly ", " circa ", " variable "}},
		{isForever, []string{" indefin", " illimit", " unlimited ", " forever ", " for ever ", " permanent", " a vie ", " life", " toujours ", " always ", " never ", " jamais ", " infini"}},
		{isMinimum, []string{" at least ", " au moins ", " minimum ", " min ", " more than ", " plus de ", " over "}},
		{isMaximum, []string{" at most ", " au plus ", " maximum ", " maximal", " max ", " up to ", " jusqu", " less than ", " moins de ", " no more ", " within ", " sous "}},
		{isWorking, []string{" ouvre", " ouvrable", " working ", " business "}},
		{isFraction, []string{" demi", " half ", " quart"}},
		{isSpelled, []string{" a year ", " a month ", " a week ", " a day ", " one ", " two ", " three ", " five ", " six ", " ten ", " un ", " une ", " deux ", " trois ", " cinq ", " dix ", " treize ", " thirteen "}},
	} {
		for _, w := range v.words {
			if strings.Contains(text, w) {
				return v.why
			}
		}
	}
	return ""
}

// hasRange finds "5-10 years", "5 à 10 ans", "5 ans ou 10 ans", "entre 5 et 10 ans".
func hasRange(text string, words []string) bool {
	if from, to, ok := strings.Cut(text, "-"); ok {
		to = strings.TrimSpace(to)
		if from != "" && to != "" && (isDigit(to[0]) || to[0] == 'p') {
			return true
		}
	}
	for i, w := range words {
		switch w {
		case "entre", "between":
			return true
		case "a", "to", "ou", "or":
			if i > 0 && i+1 < len(words) && isAmount(words[i-1]) && isAmount(words[i+1]) {
				return true
			}
		}
	}
	return strings.Contains(text, "..")
}

// isAmount reports whether a word is a number or a unit.
func isAmount(word string) bool {
	_, ok := unitOf(word)
	return ok || isDigit(word[0])
}

// hasFraction finds a point, comma or stroke between digits, and vulgar fractions.
func hasFraction(text string) bool {
	for i := 1; i+1 < len(text); i++ {
		if strings.IndexByte(".,/", text[i]) >= 0 && isDigit(text[i-1]) && isDigit(text[i+1]) {
			return true
		}
	}
	return strings.ContainsAny(text, "½¼¾⅓⅔")
}
