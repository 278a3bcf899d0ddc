package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// document writes v as the one JSON document of this command on stdout.
func (a *app) document(v any) error {
	a.printed = true
	enc := json.NewEncoder(a.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// list makes an absent list an empty one: arrays are never null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// dict makes an absent map an empty one.
func dict[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// moment is a time that may be absent: the zero time is null.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// word is a text that may be absent: the empty one is null.
func word(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
