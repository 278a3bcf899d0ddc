//go:build !unix

package main

import "os"

// crash ends this process at once.
func crash() { os.Exit(exitError) }

// pause does nothing: this system cannot stop a process from within.
func pause() {}
