//go:build !unix

package main

import "time"

// setTime sets when a file last changed.
func (d *folder) setTime(name string, at time.Time) error { return d.root.Chtimes(name, at, at) }
