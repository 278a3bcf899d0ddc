package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Print is a fingerprint of what [Load] would read through the paths now: names and
// contents of the files. A link or a directory that was replaced by one with other
// files has another print, whatever its name. Away are the paths that cannot be
// read at all.
func Print(paths []string) (print string, away []string) {
	h := sha256.New()
	for _, p := range paths {
		files, err := list([]string{p})
		if err != nil {
			away = append(away, p)
			_, _ = fmt.Fprintf(h, "away %q\n", p) // a hash takes everything
			continue
		}
		for _, f := range files {
			text, err := readText(f)
			_, _ = fmt.Fprintf(h, "%q %t %x\n", f, err == nil, sha256.Sum256(text))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), away
}
