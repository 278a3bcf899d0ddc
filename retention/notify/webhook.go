package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Webhook posts each notice as JSON. Where there is a secret, the header
// Retentiond-Signature is `t=UNIX,v1=HEX`: HMAC-SHA256 under the secret of the
// time, a dot and the body. A receiver compares it in constant time and refuses
// times that are more than a few minutes off.
type Webhook struct {
	URL    string
	Secret string // never logged
	Origin string // names the system that tells
	Now    func() time.Time
	// Patience is how long a notice is tried; 0: 15 minutes.
	Patience time.Duration

	client *http.Client
}

// SignatureHeader carries a webhook's signature.
const SignatureHeader = "Retentiond-Signature"

// NewWebhook checks the address: https, or http on loopback.
func NewWebhook(address, secret, origin string, now func() time.Time) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("notify.webhook.url is no URL: such as https://example.org/hooks/retention")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("notify.webhook.url must be https: plain http is for loopback alone")
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 15 * time.Second, MaxIdleConns: 2, IdleConnTimeout: time.Minute,
	}
	// A redirect would carry the body to somebody else.
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Webhook{URL: address, Secret: secret, Origin: origin, Now: now, client: client}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Name names the channel.
func (w *Webhook) Name() string { return "webhook" }

// body is what is posted.
type body struct {
	Version int    `json:"version"` // of this form
	Origin  string `json:"origin"`
	Notice
}

// Send posts the notice, again and again with growing pauses while the receiver is
// not to be reached or is overloaded. What it refuses otherwise is final.
func (w *Webhook) Send(ctx context.Context, n Notice) error {
	text, err := json.Marshal(body{1, w.Origin, n})
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	patience := w.Patience
	if patience <= 0 {
		patience = 15 * time.Minute
	}
	_, err = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, w.post(ctx, text) },
		backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(patience))
	return err
}

func (w *Webhook) post(ctx context.Context, text []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(text))
	if err != nil {
		return backoff.Permanent(errors.New("webhook: its URL cannot be asked"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "retentiond")
	if w.Secret != "" {
		req.Header.Set(SignatureHeader, Sign(w.Secret, w.Now(), text))
	}
	answer, err := w.client.Do(req)
	if err != nil {
		return fmt.Errorf("webhook: %w", withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()                      // it was only read
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection is used again
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500:
		return fmt.Errorf("webhook: the receiver answered %d", code)
	default:
		return backoff.Permanent(fmt.Errorf("webhook: the receiver answered %d", code))
	}
}

// withoutURL keeps the address, which may carry a token, out of errors.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Sign is the signature header of a body sent at that time.
func Sign(secret string, at time.Time, text []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(stamp + "."))
	m.Write(text)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(m.Sum(nil))
}
