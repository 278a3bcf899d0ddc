package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// boundWorld binds the world's policies to its live databases.
func boundWorld(t *testing.T, w World) (bind.Result, map[string]*sqlite.Source) {
	t.Helper()
	ctx := context.Background()
	in := bind.Input{
		Policies: worldPolicies(t, w), AsOf: w.AsOf,
		Schemas: map[string]*retention.Schema{}, UUIDs: map[string]string{}, Vaults: map[string]bind.Vault{},
	}
	sources := map[string]*sqlite.Source{}
	for _, p := range w.Policies {
		in.UUIDs[p], in.Vaults[p+"_archives"] = p, bind.Vault{Source: p, Prefix: "archive_"}
	}
	for _, p := range w.Policies {
		s, err := sqlite.Open(ctx, filepath.Join(w.Dir, p+".db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if in.Schemas[p], err = s.Describe(ctx, bind.Tables(in.Policies, in.Vaults, p)); err != nil {
			t.Fatal(err)
		}
		sources[p] = s
	}
	return bind.Bind(in), sources
}

// The ready policies stand the live schemas: no error, no missing index, and
// each purpose without a rule is told.
func TestReadyPoliciesBind(t *testing.T) {
	r, _ := boundWorld(t, smallWorld(t, 1, 1))
	var undecided []string
	for _, p := range r.Problems {
		switch {
		case p.Name == "undecided":
			undecided = append(undecided, p.Policy+"/"+p.Dataset)
		case p.Level == bind.Error, p.Level == bind.Warning:
			t.Errorf("%s %s %s: %s", p.Policy, p.Rule, p.Dataset, p.Message)
		}
	}
	want := strings.Fields(`cartesia/comptes_eleves
		cned/comptes_clients cned/paiements cned/impayes cned/espace_pedagogique cned/journaux_connexion cned/temoignages
		conservatoire/comptes conservatoire/candidatures conservatoire/formulaire_contact conservatoire/documents_importes
		conservatoire/responsables_legaux
		parene/copies_identite parene/profils parene/activite_apprentissage parene/details_connexion parene/cookies
		parene/contacts_partenaires
		webinaire/webinaires webinaire/cookies_authentification`)
	if diff := cmp.Diff(want, undecided); diff != "" {
		t.Errorf("undecided datasets:\n%s", diff)
	}
}

// storyClasses says what each story's row is to a rule and stage, while person
// 42 is under a hold.
func storyClasses() map[string]retention.Class {
	return map[string]retention.Class{
		"conservatoire/identification 42 identification/2":        retention.Held,
		"conservatoire/identification 17 identification/2":        retention.Blocked,
		"conservatoire/identification 11 identification/2":        retention.Due,
		"conservatoire/identification 12 identification/1":        retention.Due,
		"conservatoire/identification 12 identification/2":        retention.Active,
		"conservatoire/identification 13 identification/1":        retention.Unresolved,
		"conservatoire/identification 14 identification/1":        retention.Open,
		"conservatoire/adresses_email 1 email-deux-finalites/1":   retention.Held,
		"conservatoire/adresses_email 2 email-deux-finalites/1":   retention.Open,
		"conservatoire/adresses_email 3 email-deux-finalites/1":   retention.Due,
		"conservatoire/transactions 1 code-verification/1":        retention.Held,
		"conservatoire/transactions 1 transactions/1":             retention.Held,
		"conservatoire/transactions 2 code-verification/1":        retention.Due,
		"conservatoire/transactions 2 transactions/1":             retention.Active,
		"conservatoire/transactions 3 code-verification/1":        retention.Open,
		"conservatoire/journaux_connexion 1 journaux-connexion/1": retention.Held,
		"conservatoire/cookies 2 cookies/1":                       retention.Due,
		"conservatoire/cookies 3 cookies/1":                       retention.Active,
		"conservatoire/cookies 4 cookies/1":                       retention.Due,
		"conservatoire/cookies 5 cookies/1":                       retention.Due,
		"cartesia/prospects 42 prospects/1":                       retention.Held,
		"cartesia/prospects 21 prospects/1":                       retention.Due,
		"cartesia/prospects 22 prospects/1":                       retention.Active,
		"cartesia/prospects 23 prospects/1":                       retention.Due,
		"cartesia/prospects 24 prospects/1":                       retention.Unresolved,
		"cartesia/prospects 25 prospects/1":                       retention.Due,
		"cartesia/prospects 26 prospects/1":                       retention.Active,
		"cartesia/egalite_des_chances 2 egalite-des-chances/1":    retention.Due,
		"cartesia/inscriptions 1 inscriptions/2":                  retention.Held,
		"cartesia/inscriptions 2 inscriptions/1":                  retention.Open,
		"cartesia/inscriptions 3 inscriptions/2":                  retention.Due,
		"cartesia/inscriptions 4 inscriptions/1":                  retention.Due,
		"cartesia/inscriptions 4 inscriptions/2":                  retention.Active,
		"cartesia/cookies c-disputed cookies/1":                   retention.Held,
		"parene/comptes 1 preuve-apres-effacement/1":              retention.Held,
		"parene/comptes 2 preuve-apres-effacement/1":              retention.Due,
		"parene/comptes 3 preuve-apres-effacement/1":              retention.Open,
		"parene/demandes_droits 1 demandes-droits/1":              retention.Held,
		"parene/demandes_droits 2 demandes-droits/1":              retention.Due,
		"parene/demandes_droits 3 demandes-droits/1":              retention.Active,
		"parene/demandes_droits 4 demandes-droits/1":              retention.Open,
		"parene/factures 1 factures-effacement/1":                 retention.Held,
		"parene/factures 2 factures-effacement/1":                 retention.Protected,
		"parene/factures 3 factures-effacement/1":                 retention.Due,
		"parene/factures 4 factures-effacement/1":                 retention.Protected,
		"cned/inscriptions 1 inscriptions/2":                      retention.Held,
		"cned/inscriptions 2 sante/1":                             retention.Due,
		"cned/inscriptions 2 inscriptions/1":                      retention.Excluded,
		"cned/inscriptions 3 sante/1":                             retention.Open,
		"cned/inscriptions 3 inscriptions/1":                      retention.Excluded,
		"cned/inscriptions 4 inscriptions/1":                      retention.Due,
		"cned/cookies 1 cookies/1":                                retention.Held,
		"cned/cookies 2 cookies-session/1":                        retention.Due,
		"cned/cookies 2 cookies/1":                                retention.Active,
		"cned/cookies 3 cookies-session/1":                        retention.Open,
		"cned/comptes_fournisseurs 1 fournisseurs/1":              retention.Held,
		"cned/comptes_fournisseurs 2 fournisseurs/1":              retention.Unresolved,
		"webinaire/organisateurs 42 inactivite/1":                 retention.Held,
		"webinaire/organisateurs 61 inactivite/1":                 retention.Active,
		"webinaire/organisateurs 61 desactivation/1":              retention.Due,
		"webinaire/organisateurs 62 inactivite/1":                 retention.Due,
		"webinaire/organisateurs 63 inactivite/1":                 retention.Active,
		"webinaire/organisateurs 64 inactivite/1":                 retention.Due,
		"webinaire/chat 1 chat/1":                                 retention.Open,
		"webinaire/chat 21 chat/1":                                retention.Due,
		"webinaire/chat 26 chat/1":                                retention.Held,
		"webinaire/votes [2,1,\"v1\"] votes/1":                    retention.Due,
		"webinaire/enregistrements 1 enregistrements/1":           retention.Held,
		"webinaire/enregistrements 2 enregistrements/1":           retention.Due,
		"webinaire/enregistrements 3 enregistrements/1":           retention.Unresolved,
		"webinaire/journaux 1 journaux/1":                         retention.Held,
		"webinaire/journaux 2 journaux/1":                         retention.Due,
		"webinaire/journaux 3 journaux/1":                         retention.Active,
	}
}

// Every story's row is what the story says, on awkward days too.
func TestWorldStoriesAreTrue(t *testing.T) {
	for _, asOf := range []string{
		"2026-03-31T10:30:00Z", "2026-02-28T12:00:00Z", "2028-02-29T12:00:00Z", "2026-01-01T00:00:00Z",
		"2026-03-29T01:30:00Z", "2026-10-25T00:30:00Z", "2026-12-31T23:30:00Z",
	} {
		t.Run(asOf, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, asOf)
			if err != nil {
				t.Fatal(err)
			}
			w, err := buildWorld(context.Background(), filepath.Join(t.TempDir(), "demo"), 5, at, 3, nil)
			if err != nil {
				t.Fatal(err)
			}
			storiesAreTrue(t, w)
		})
	}
}

// storiesAreTrue tests every story of the world.
func storiesAreTrue(t *testing.T, w World) {
	t.Helper()
	r, sources := boundWorld(t, w)
	holds := &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": {"42"}}}
	want, got := storyClasses(), map[string]retention.Class{}
	told := map[string]bool{}
	for _, s := range w.Stories {
		for _, step := range r.Steps {
			name := fmt.Sprintf("%s %s %s/%d", s.Dataset, s.Key, step.Rule.ID, step.Stage)
			if _, ok := want[name]; !ok || step.Policy.Name+"/"+step.Dataset.Name != s.Dataset {
				continue
			}
			seen, err := sources[step.Source].Evidence(context.Background(), step.Selection, holds, retention.Find{Key: &s.Key, Limit: 1})
			if err != nil || len(seen) != 1 {
				t.Fatalf("%s: %d rows, %v", name, len(seen), err)
			}
			got[name], told[s.Dataset+s.Key] = seen[0].Class, true
		}
		if !told[s.Dataset+s.Key] {
			t.Errorf("%s %s: a story without a test", s.Dataset, s.Key)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
