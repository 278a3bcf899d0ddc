package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// digestBytes is how much of an HMAC an entry shows: enough to tell apart,
// short enough to list.
const digestBytes = 16

// NewSecret makes a random secret, for [Keyed] or [Salted].
func NewSecret() ([]byte, error) {
	b := make([]byte, 32)
	_, err := rand.Read(b)
	return b, err
}

// Keyed is how a subject or a person's name appears in an entry: an HMAC under
// the key of the period (the year's log), which is destroyed with the log.
func Keyed(key []byte, period, subject string) string {
	return "hmac:" + digest(key, period+"\x00"+subject)
}

// Salted is how free text (reason, matter) appears in an entry. The salt stays
// in state, beside the text: without it the digest tells nothing.
func Salted(salt []byte, text string) string {
	return "salted:" + digest(salt, text)
}

func digest(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil)[:digestBytes])
}
