//go:build unix && !linux

package main

import (
	"os"
	"syscall"
	"time"
)

// pause stops this process until somebody sends SIGCONT. The signal may stop
// another thread a moment before this one: the sleep is for that moment.
func pause() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // nothing to say it to
	time.Sleep(20 * time.Millisecond)
}
