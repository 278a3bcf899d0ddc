package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap/zapcore"
)

// lineCore writes what goes wrong beside a command as one line of text for
// people, amid the text of the command.
type lineCore struct {
	zapcore.LevelEnabler
	mu sync.Mutex
	p  *printer
}

// With keeps no fields: an interactive command has none of its own.
func (c *lineCore) With([]zapcore.Field) zapcore.Core { return c }

// Check adds the core where the level is enabled.
func (c *lineCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write writes the entry: its message, what it is about, and the error.
func (c *lineCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(enc)
	}
	text, cause := e.Message, enc.Fields["error"]
	var about []string
	for _, k := range slices.Sorted(maps.Keys(enc.Fields)) {
		if k != "error" {
			about = append(about, fmt.Sprintf("%s %v", k, enc.Fields[k]))
		}
	}
	if len(about) > 0 {
		text += " (" + strings.Join(about, ", ") + ")"
	}
	if cause != nil {
		text += ": " + inWords(fmt.Sprint(cause))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.line("%s %s", c.p.paint(yellow, "warning:"), c.p.typed(text))
	return nil
}

// Sync has nothing to sync.
func (c *lineCore) Sync() error { return nil }
