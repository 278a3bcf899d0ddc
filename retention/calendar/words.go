package calendar

import "strings"

// unitOf knows the folded unit names of both languages.
func unitOf(word string) (unit, bool) {
	switch word {
	case "year", "years", "an", "ans", "annee", "annees":
		return years, true
	case "month", "months", "mois":
		return months, true
	case "week", "weeks", "semaine", "semaines":
		return weeks, true
	case "day", "days", "jour", "jours":
		return days, true
	case "hour", "hours", "heure", "heures":
		return hours, true
	case "minute", "minutes":
		return minutes, true
	case "second", "seconds", "seconde", "secondes":
		return seconds, true
	}
	return 0, false
}

// splitWords reads "1 year 6 months" and its French likes.
func splitWords(text string) (parts []part, why string) {
	fields := strings.Fields(text)
	for i := 0; i < len(fields); {
		if len(parts) > 0 && (fields[i] == "and" || fields[i] == "et") {
			i++
		}
		if i+1 >= len(fields) {
			return nil, howToWrite
		}
		if isAllDigits(fields[i]) && isAllDigits(fields[i+1]) {
			return nil, "write numbers without spaces in them; " + howToWrite
		}
		n, why := number(fields[i])
		if why != "" {
			return nil, why
		}
		u, ok := unitOf(fields[i+1])
		if !ok {
			return nil, "unknown unit " + quote(fields[i+1]) + "; " + howToWrite
		}
		parts = append(parts, part{n, u})
		i += 2
	}
	return parts, ""
}

const howToWrite = "write whole numbers and units, e.g. 13 months, 1 year 6 months, 90 days, 36 hours, 13 mois, P3Y"

// splitISO reads what follows the P of an ISO 8601 duration, folded.
func splitISO(rest string) (parts []part, why string) {
	letters, base := "ymwd", years
	for rest != "" {
		if rest[0] == 't' && letters == "ymwd" && len(rest) > 1 {
			letters, base, rest = "hms", hours, rest[1:]
			continue
		}
		end := 0
		for end < len(rest) && isDigit(rest[end]) {
			end++
		}
		if end == 0 || end == len(rest) || strings.IndexByte(letters, rest[end]) < 0 {
			return nil, "not an ISO 8601 duration; write e.g. P13M, P3Y, P1Y6M, P90D, P2W, PT36H"
		}
		n, why := number(rest[:end])
		if why != "" {
			return nil, why
		}
		parts = append(parts, part{n, base + unit(strings.IndexByte(letters, rest[end]))})
		rest = rest[end+1:]
	}
	return parts, ""
}
