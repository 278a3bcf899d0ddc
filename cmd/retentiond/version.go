package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// What the linker says of a release (Makefile, Dockerfile); nothing else sets them.
var version, revision string

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Version of this binary, and of what it was built with",
		Long:  `version prints the module's version, the Go version, the revision it was built from, and the digest of the binary itself.`,
		Example: `  retentiond version
  retentiond version --output json`,
		Args: noArgs,
		RunE: a.do(func(*cobra.Command, []string) error {
			v := readVersion()
			if a.json() {
				return a.document(v)
			}
			p := a.printer()
			p.line("retentiond %s (%s, %s)", v.Version, v.Go, v.Platform)
			if v.Revision != "" {
				p.line("revision   %s", v.Revision)
			}
			p.line("digest     %s", v.Digest)
			return p.err
		}),
	}
}

// versionDoc says which binary this is.
type versionDoc struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Revision string `json:"revision"`
	Modified bool   `json:"modified"`
	Digest   string `json:"digest"` // of the binary file; empty where it cannot be read
}

func readVersion() versionDoc {
	v := versionDoc{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Digest: digestSelf()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	v.stamped(version, revision)
	return v
}

// stamped lets what the linker says go first: a build without version control says
// nothing by itself, so that it is the same bytes wherever it is made.
func (v *versionDoc) stamped(version, revision string) {
	if version != "" {
		v.Version, v.Modified = version, strings.HasSuffix(version, "-dirty")
	}
	if revision != "" {
		v.Revision = revision
	}
}

func digestSelf() string {
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
