package policies

import "github.com/retentiond/retentiond/retention"

// words is one language of [Describe].
type words struct {
	french                             bool
	header                             []string
	exempt, undecided, disabled        string
	from, where, atLeast, protect      string
	latest, earliest, allNeeded        string
	monthEnd, yearEnd, businessYearEnd string
}

func wordsOf(lang string) words {
	if lang == "fr" {
		return words{
			french:  true,
			header:  []string{"Règle", "Données", "À compter de", "Durée", "À l’échéance", "Base légale", "Source"},
			exempt:  "hors champ",
			from:    "à partir du",
			atLeast: "au moins", protect: "conservation obligatoire",
			undecided: "durée non décidée", disabled: "désactivée", where: "si",
			latest: "le dernier de", earliest: "le premier de", allNeeded: "tous requis",
			monthEnd: "fin du mois de", yearEnd: "fin de l’année civile de", businessYearEnd: "fin de l’exercice (%s) de",
		}
	}
	return words{
		header:  []string{"Rule", "Data", "From", "Period", "Then", "Legal basis", "Source"},
		exempt:  "out of coverage",
		from:    "from",
		atLeast: "at least", protect: "must be kept",
		undecided: "no period decided", disabled: "disabled", where: "where",
		latest: "the latest of", earliest: "the earliest of", allNeeded: "all needed",
		monthEnd: "end of the month of", yearEnd: "end of the year of", businessYearEnd: "end of the business year (%s) of",
	}
}

// actions is the verb of an action.
func (w words) actions(k retention.ActionKind) string {
	if !w.french {
		return string(k)
	}
	switch k {
	case retention.Delete:
		return "suppression"
	case retention.Redact:
		return "masquage"
	case retention.Anonymise:
		return "anonymisation"
	case retention.Archive:
		return "archivage"
	}
	return "signalement"
}

// basis is a legal basis of GDPR art. 6(1) in words.
func (w words) basis(b string) string {
	switch b {
	case "consent":
		return w.either("consentement", "consent")
	case "contract":
		return w.either("contrat", "contract")
	case "legal-obligation":
		return w.either("obligation légale", "legal obligation")
	case "vital-interest":
		return w.either("intérêts vitaux", "vital interest")
	case "public-task":
		return w.either("mission d’intérêt public", "public task")
	case "legitimate-interest":
		return w.either("intérêt légitime", "legitimate interest")
	}
	return b
}

func (w words) either(fr, en string) string {
	if w.french {
		return fr
	}
	return en
}
