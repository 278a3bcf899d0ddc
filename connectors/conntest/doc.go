// Package conntest is the conformance suite that every connector passes before
// it enters the register: connectors/README.md, as tests. It knows no engine. A
// connector plugs in with a [Harness]: how to make a real, empty database, how
// its dialect writes types and names, and what the engine cannot do at all.
//
// Nothing is skipped silently: [Run] prints the declared capabilities and those
// that are missing, and a section that needs a missing one does not exist for
// that connector. Everything else is required.
//
// Statements in the suite are plain SQL that all engines share. Types stand in
// braces, {text}, and are written by [Harness.Type].
package conntest
