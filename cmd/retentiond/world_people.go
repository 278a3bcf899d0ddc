package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// firstPerson is the first of the numbers of ordinary people; those below are
// the people of the stories.
const firstPerson = 100

// who is a person: the same behind the same number in every system.
type who struct {
	civility, last, first, email, phone, address, postcode, city string
	birth                                                        string
}

// names are the words that people are made of.
type names struct {
	last, first, streets, mail, cities []string
	ascii                              *strings.Replacer
}

func readNames() names {
	return names{
		last: strings.Fields(`Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel
			Lefèvre Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent
			Müller Lefebvre Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia
			Perrin Robin Clément Morin Nicolas Henry Benali Nguyen Diallo Traoré`),
		first: strings.Fields(`Camille Louise Emma Jade Alice Chloé Inès Léa Manon Zoé Hélène Françoise Sophie Nathalie
			Gabriel Léo Raphaël Arthur Louis Jules Adam Maël Hugo Noé Éthan Paul Pierre Jean Michel Étienne
			Mohamed Fatou Aminata Karim Linh Yann Maïwenn Théo Anaïs Solène`),
		streets: strings.Split("rue des Lilas|avenue Jean-Jaurès|rue Victor-Hugo|place de la République|rue du Moulin|"+
			"boulevard Voltaire|chemin des Vignes|rue de l'Église|impasse des Acacias|quai de la Loire", "|"),
		mail:   strings.Fields("example.org mail.example courriel.example poste.example"),
		cities: strings.Split("75011 Paris|69003 Lyon|13006 Marseille|92100 Boulogne-Billancourt|59000 Lille", "|"),
		ascii: strings.NewReplacer("é", "e", "É", "e", "è", "e", "ê", "e", "ë", "e", "ï", "i", "ç", "c", "ü", "u",
			"ô", "o", " ", "-", "'", "-"),
	}
}

// person is who has that number.
func (d *dice) person(id int64) who {
	r := rand.New(rand.NewPCG(d.seed, uint64(id)))
	one := func(of []string) string { return of[r.IntN(len(of))] }
	p := who{civility: "Mme", last: one(d.names.last), first: one(d.names.first)}
	if r.IntN(2) == 0 {
		p.civility = "M."
	}
	if id == disputedID {
		p.civility, p.last, p.first = "Mme", "Roussel", "Camille"
	}
	p.email = strings.ToLower(d.names.ascii.Replace(fmt.Sprintf("%s.%s%d@%s", p.first, p.last, id, one(d.names.mail))))
	p.phone = fmt.Sprintf("+33 1 99 00 %02d %02d", r.IntN(100), r.IntN(100))
	p.address = fmt.Sprintf("%d %s", 1+r.IntN(120), one(d.names.streets))
	p.postcode, p.city, _ = strings.Cut(one(d.names.cities), " ")
	p.birth = fmt.Sprintf("%d-%02d-%02d", 1950+r.IntN(58), 1+r.IntN(12), 1+r.IntN(28))
	return p
}
