package main

import (
	"fmt"

	"github.com/retentiond/retentiond/configs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLog writes the log to stderr: from warnings on, unless --log-level asks
// for more, so that nothing clutters an interactive command. Of the daemon, the log
// is what it has to say: as configured.
func (a *app) newLog(c configs.Log) (*zap.Logger, error) {
	name := "warn"
	if a.daemon {
		name = c.Level
	}
	if a.logLevel != "" {
		name = a.logLevel
	}
	level, err := zapcore.ParseLevel(name)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.RFC3339TimeEncoder
	if a.logLevel == "" && !a.json() && !a.daemon {
		return zap.New(&lineCore{LevelEnabler: level, p: a.printerTo(a.Err)}), nil
	}
	encoder := zapcore.NewJSONEncoder(cfg)
	if c.Format == "text" || isTerminal(a.Err) && !a.daemon {
		encoder = zapcore.NewConsoleEncoder(cfg)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(a.Err)), level)), nil
}
