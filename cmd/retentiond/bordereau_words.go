package main

// destructionWords is one language of a list for destruction.
type destructionWords struct {
	title, controller, plan, digest, asOf, planned, visa, noVisa, none string
	header                                                             []string
	before, from                                                       string
	total, archived, refused, empty                                    string
	signatures, name, date, signature                                  string
	signers                                                            []string
	approvals, law                                                     string
}

func destructionWordsOf(lang string) destructionWords {
	if lang == "fr" {
		return destructionWords{
			title: "Bordereau d’élimination", controller: "Service producteur (responsable du traitement)", plan: "Plan", digest: "Empreinte du plan",
			asOf: "À la date du", planned: "Établi par", visa: "Visa n°", noVisa: "………………………………", none: "aucun visa n’est exigé par les règles",
			header: []string{"Règle", "Jeu de données", "Table", "Référence", "Base légale", "Durée", "Avant le", "Date la plus ancienne", "Date la plus récente", "Lignes", "Lignes liées", "Sort"},
			before: "avant le", from: "inconnue",
			total:    "Total : %s lignes, et %s lignes liées.",
			archived: "%s lignes passent à l’archivage : elles ne sont pas éliminées et ne figurent pas sur cette liste.",
			refused:  "%s lignes relèvent de règles refusées : rien n’en est éliminé et elles ne figurent pas sur cette liste.",
			empty:    "Rien n’est à éliminer.", signatures: "Signatures", name: "Nom et qualité", date: "Date", signature: "Signature",
			signers:   []string{"Le responsable du service producteur", "Le délégué à la protection des données", "La personne chargée du contrôle scientifique et technique de l’État sur les archives (visa)"},
			approvals: "Approbations reçues",
			law:       "Archives publiques : toute élimination sans visa est interdite (code du patrimoine, art. L. 212-2 et R. 212-14).",
		}
	}
	return destructionWords{
		title: "List for destruction", controller: "Originating service (controller)", plan: "Plan", digest: "Digest of the plan",
		asOf: "As of", planned: "Made by", visa: "Visa no.", noVisa: "………………………………", none: "no rule asks for a visa",
		header: []string{"Rule", "Dataset", "Table", "Reference", "Legal basis", "Period", "Before", "Oldest date", "Newest date", "Rows", "Related rows", "Action"},
		before: "before", from: "unknown",
		total:    "Total: %s rows, and %s related rows.",
		archived: "%s rows move to an archive: they are not destroyed, and not on this list.",
		refused:  "%s rows are under rules that are refused: nothing of them is destroyed, and they are not on this list.",
		empty:    "There is nothing to destroy.", signatures: "Signatures", name: "Name and function", date: "Date", signature: "Signature",
		signers:   []string{"Head of the originating service", "Data protection officer", "Archives authority (visa)"},
		approvals: "Approvals so far",
		law:       "Public archives (France): nothing may be destroyed without a visa (code du patrimoine, art. L. 212-2 and R. 212-14).",
	}
}
