package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk puts the vault on a disk of 16 KiB, and returns what makes room. Where
// nobody may mount one, the vault's directory is closed instead.
func smallDisk(t *testing.T, dir string) (room func()) {
	t.Helper()
	path := filepath.Join(dir, "vault")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", path, "tmpfs", 0, "size=16k")
	if errors.Is(err, unix.EPERM) {
		if err := os.Chmod(path, 0o500); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.Chmod(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(path, 0); err != nil {
			t.Error(err)
		}
	})
	return func() {
		if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_REMOUNT, "size=16m"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVaultOverflows: on a full disk nothing leaves its table; with room again
// everything does, once (L9).
func TestVaultOverflows(t *testing.T) {
	tp := worldNamed("sealed").make(t)
	dir := tp.copy(t)
	room := smallDisk(t, dir)
	before := tp.audited(t, dir)
	cmd, out := retentiondProcess(t, dir, tp.runArgs(t, dir, false)...)
	if code := exitCode(cmd.Run()); code == exitOK {
		t.Fatalf("the disk was not full: %s", out)
	}
	tp.afterCrash(t, dir, before)
	room()
	tp.recovers(t, dir, false, before)
	tp.commandIn(t, dir, exitOK, "archive", "verify")
}
