package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/retentiond/retentiond/retention"
)

// digest sets the digests of the policy and the meaning of its rules. Comments,
// the order of keys, quoting and the language of periods do not change them.
func digest(p *retention.Policy) {
	p.Digest = sum(canonPolicy(p))
	for i := range p.Rules {
		r := &p.Rules[i]
		r.Meaning, r.From, r.Asks = sum(canonMeaning(p, r)), sum(canonFrom(p, r, false)), sum(canonFrom(p, r, true))
	}
}

// Canonical is the policy's canonical form, one JSON text: its SHA-256 is the
// policy's digest.
func Canonical(p *retention.Policy) []byte { return marshal(canonPolicy(p)) }

// sum is the SHA-256 of a value's JSON, whose keys encoding/json sorts.
func sum(v any) string {
	h := sha256.Sum256(marshal(v))
	return "sha256:" + hex.EncodeToString(h[:])
}

// marshal cannot fail: the canonical form holds only maps, lists, texts,
// whole and finite numbers, and booleans.
func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return []byte("unmarshalable: " + err.Error())
	}
	return text
}
