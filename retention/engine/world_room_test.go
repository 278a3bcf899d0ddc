//go:build !linux

package engine_test

import "testing"

// roomyDir is an ordinary directory: memory is not asked for here.
func roomyDir(t *testing.T) (dir string, open bool) { return t.TempDir(), false }
