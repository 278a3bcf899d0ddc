package configs

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// What `make image` names the image is a tag that registries take, and the one that the
// examples name is among them.
func TestImageTags(t *testing.T) {
	for _, version := range []string{"d19f9df", "v1.2.3-4-gd19f9df-dirty", "v1.2.3"} {
		out, err := exec.CommandContext(t.Context(), "make", "-n", "-C", "..", "image", "VERSION="+version).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		tags := regexp.MustCompile(` -t retentiond:(\S+)`).FindAllStringSubmatch(string(out), -1)
		var names []string
		for _, m := range tags {
			names = append(names, m[1])
			if !regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`).MatchString(m[1]) {
				t.Errorf("version %s makes the tag %q, which no registry takes", version, m[1])
			}
		}
		if len(names) != 2 || names[1] != "latest" || !strings.Contains(names[0], strings.TrimPrefix(version, "v")[:5]) && !strings.HasPrefix(names[0], "1.2.3") {
			t.Errorf("version %s makes the tags %q", version, names)
		}
	}
}
