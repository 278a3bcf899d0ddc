package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention/console"
	"github.com/spf13/cobra"
)

// healthcheckAnswer is the most of an answer that is read.
const healthcheckAnswer = 64 << 10

func healthcheckCommand(a *app) *cobra.Command {
	var address string
	var ready bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the daemon of this machine whether it is alive, or ready",
		Long: `healthcheck asks the daemon that listens at http.listen: /healthz, or /readyz with --ready. It
is made for a container's health check, where there is no other program. A daemon of another
configuration file that has the port does not count, unless --address names it.

Exit codes: 0 where it is well; 1 where it is not, or does not answer.`,
		Example: `  retentiond healthcheck
  retentiond healthcheck --ready --address 127.0.0.1:8600`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			at, ours, err := a.healthAddress(address)
			if err != nil {
				return err
			}
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), wait)
			defer cancel()
			return a.healthcheck(ctx, "http://"+at+path, ours)
		}),
	}
	c.Flags().StringVar(&address, "address", "", "host:port of the daemon (default: http.listen of the configuration)")
	c.Flags().BoolVar(&ready, "ready", false, "whether it can do its work, not only whether it is alive")
	c.Flags().DurationVar(&wait, "timeout", 4*time.Second, "how long to wait for the answer")
	return c
}

// healthAddress is where the daemon is asked; one that listens everywhere is asked
// on loopback.
func (a *app) healthAddress(address string) (at, instance string, err error) {
	if address == "" {
		cfg, err := a.loadConfig()
		if err != nil {
			return "", "", err
		}
		instance = instanceOf(cfg)
		if address = cfg.HTTP.Listen; address == "" {
			return "", "", usage("set http.listen, such as 127.0.0.1:8600", "the daemon listens nowhere: http.listen is empty")
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", "", usage("such as 127.0.0.1:8600", "--address %q is no host:port", address)
	}
	switch host { // an image need not resolve localhost
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port), instance, nil
}

// instanceOf tells daemons of different configurations on one machine apart: a second
// one whose port is taken must not look well because the first one is.
func instanceOf(cfg *configs.Config) string {
	file, err := filepath.Abs(cfg.File)
	if err == nil {
		if real, err := filepath.EvalSymlinks(file); err == nil {
			file = real
		}
	}
	sum := sha256.Sum256([]byte(file + "\x00" + cfg.Audit.Origin))
	return hex.EncodeToString(sum[:8])
}

// healthcheck prints what the daemon answers. Where the address is the configuration's,
// the daemon must be one of that configuration.
func (a *app) healthcheck(ctx context.Context, url, instance string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil}}
	answer, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the daemon does not answer: %w; is `retentiond serve` running, and is http.listen its address?", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(answer.Body, healthcheckAnswer))
	if err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	if text := strings.TrimSpace(string(body)); text != "" {
		a.printed = true
		a.printer().line("%s", text)
	}
	if other := answer.Header.Get(console.InstanceHeader); instance != "" && other != instance {
		return errors.New("what answers there is not the daemon of this configuration: another process has the port; give one of them another http.listen")
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New("the daemon is not well: it answered " + answer.Status)
	}
	return nil
}
