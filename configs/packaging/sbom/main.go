// Command sbom writes what a Go binary is made of as CycloneDX JSON: the modules
// that the linker put into it, as the binary itself tells. It is the same text for
// the same binary.
//
//	go run ./configs/packaging/sbom BINARY VERSION > retentiond.cdx.json
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("name one binary and its version: sbom BINARY VERSION")
	}
	b, err := Of(args[0], args[1])
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}
