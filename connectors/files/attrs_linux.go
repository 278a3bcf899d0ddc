package files

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// copyAttrs gives a file the extended attributes of another: lists of who may read it
// among them.
func copyAttrs(from, to int) error {
	names, err := attrNames(from)
	if err != nil {
		return fmt.Errorf("its attributes cannot be read: %w", err)
	}
	for _, name := range names {
		value, err := attrValue(from, name)
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err != nil {
			return fmt.Errorf("its attribute %s cannot be read: %w", name, err)
		}
		if has, err := attrValue(to, name); err == nil && bytes.Equal(has, value) {
			continue // the system gave it
		}
		if err := unix.Fsetxattr(to, name, value, 0); err != nil {
			return fmt.Errorf("its attribute %s cannot be kept: %w", name, err)
		}
	}
	return nil
}

func attrNames(fd int) ([]string, error) {
	b, err := grown(func(b []byte) (int, error) { return unix.Flistxattr(fd, b) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(b), func(c rune) bool { return c == 0 }), nil
}

func attrValue(fd int, name string) ([]byte, error) {
	return grown(func(b []byte) (int, error) { return unix.Fgetxattr(fd, name, b) })
}

// grown calls with as much room as it needs.
func grown(get func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := retry(func() (int, error) { return get(nil) })
		if err != nil || n == 0 {
			return nil, err
		}
		b := make([]byte, n)
		n, err = retry(func() (int, error) { return get(b) })
		if !errors.Is(err, unix.ERANGE) {
			return b[:max(n, 0)], err
		}
	}
}
