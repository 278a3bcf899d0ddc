//go:build unix

package main

import (
	"os"
	"syscall"
	"time"
)

// crash ends this process as a power cut would. It does not return.
func crash() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nothing can be said any more
	select {}
}

// pause stops this process until somebody sends SIGCONT. The signal may stop
// another thread a moment before this one: the sleep is for that moment.
func pause() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // as above
	time.Sleep(20 * time.Millisecond)
}
