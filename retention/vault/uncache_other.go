//go:build !linux

package vault

import "os"

// uncache does nothing: this system takes no such advice.
func uncache(*os.File) {}
