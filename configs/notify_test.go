package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotifySecretsFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"url": "https://example.org/hook?token=x\n", "secret": "s\n", "password": "p\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.ReplaceAll("notify:\n  webhook: {url_file: DIR/url, secret_file: DIR/secret}\n"+
		"  mail: {server: 'm:587', from: a@b.example, to: c@d.example, user: u, password_file: DIR/password}\n", "DIR", dir)
	n := load(t, text).Notify
	if n.Webhook.URL.Reveal() != "https://example.org/hook?token=x" || n.Webhook.Secret.Reveal() != "s" || n.Mail.Password.Reveal() != "p" || len(n.Mail.To) != 1 {
		t.Errorf("%+v", n)
	}
}

func TestNotifyMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"notify: {mail: {server: 'm:587'}}":                                 "sender and recipients",
		"notify: {mail: {from: a@b.example, to: [c@d.example]}}":            "names no server",
		"notify: {webhook: {secret: zq}}":                                   "has no url",
		"notify: {webhook: {url: 'https://h', secret: zq, secret_file: x}}": "both set",
		"notify: {webhook: {url_file: /nonexistent/zq}}":                    "cannot be read",
		"notify: {slack: {url: zq}}":                                        "unknown key",
	} {
		_, err := Load(write(t, text+"\n"), env())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret zq") {
			t.Errorf("%s: a secret is shown: %v", text, err)
		}
	}
}
