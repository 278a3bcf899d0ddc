package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// BOM is a CycloneDX 1.6 document, as far as we fill it.
type BOM struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     Metadata     `json:"metadata"`
	Components   []Component  `json:"components"`
	Dependencies []Dependency `json:"dependencies"`
}

// Metadata says what the document is about.
type Metadata struct {
	Component Component `json:"component"`
}

// Component is the binary, or a module in it.
type Component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Scope      string     `json:"scope,omitempty"`
	Hashes     []Hash     `json:"hashes,omitempty"`
	PURL       string     `json:"purl"`
	Properties []Property `json:"properties,omitempty"`
}

// Hash is a digest: of the file for the binary, of the module's zip (h1 of
// go.sum) for a module.
type Hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// Property is a build setting.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Dependency says what is linked into the binary.
type Dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

// Of reads the binary at path. It does not tell its own version (the linker's
// flags are not in a trimmed binary); empty: the module's.
func Of(path, version string) (BOM, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return BOM{}, fmt.Errorf("%s tells no modules: %w", path, err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return BOM{}, err
	}
	sum := sha256.Sum256(file)
	if version == "" {
		version = info.Main.Version
	}
	self := Component{Type: "application", Name: info.Main.Path, Version: version}
	self.PURL = purl(self.Name, self.Version)
	self.Ref = self.PURL
	self.Hashes = []Hash{{"SHA-256", hex.EncodeToString(sum[:])}}
	for _, s := range info.Settings {
		self.Properties = append(self.Properties, Property{"go:build:" + s.Key, s.Value})
	}
	b := BOM{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: Metadata{self}}
	std := Component{Type: "library", Name: "std", Version: info.GoVersion, Scope: "required", PURL: purl("std", strings.TrimPrefix(info.GoVersion, "go"))}
	std.Ref = std.PURL
	b.Components = append(b.Components, std)
	for _, m := range info.Deps {
		b.Components = append(b.Components, library(m))
	}
	all := Dependency{Ref: self.Ref}
	for _, c := range b.Components {
		all.On = append(all.On, c.Ref)
		b.Dependencies = append(b.Dependencies, Dependency{Ref: c.Ref})
	}
	b.Dependencies = append([]Dependency{all}, b.Dependencies...)
	return b, nil
}

// library is a module as it was linked: its replacement where there is one.
func library(m *debug.Module) Component {
	if m.Replace != nil {
		m = m.Replace
	}
	c := Component{Type: "library", Name: m.Path, Version: m.Version, Scope: "required", PURL: purl(m.Path, m.Version)}
	c.Ref = c.PURL
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:")); err == nil && len(raw) == sha256.Size {
		c.Hashes = []Hash{{"SHA-256", hex.EncodeToString(raw)}}
	}
	return c
}

// purl is a package URL (https://github.com/package-url/purl-spec, golang).
func purl(path, version string) string {
	out := "pkg:golang/" + strings.ToLower(path)
	if version != "" {
		out += "@" + strings.NewReplacer("+", "%2B", "(", "%28", ")", "%29").Replace(version)
	}
	return out
}
