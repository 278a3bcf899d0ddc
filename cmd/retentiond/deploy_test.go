package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/policies"
	"go.yaml.in/yaml/v3"
)

// deployed is every YAML document of configs/, by file.
func deployed(t *testing.T) map[string][]map[string]any {
	t.Helper()
	docs := map[string][]map[string]any{}
	root := filepath.Join("..", "..", "configs")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "../../configs/")
		for dec := yaml.NewDecoder(bytes.NewReader(text)); ; {
			var doc map[string]any
			err := dec.Decode(&doc)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return nil
			}
			docs[name] = append(docs[name], doc)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// under follows keys, and indexes of lists, into a document.
func under(doc any, keys ...any) any {
	for _, k := range keys {
		switch at := doc.(type) {
		case map[string]any:
			name, _ := k.(string)
			doc = at[name]
		case []any:
			i, ok := k.(int)
			if !ok || i >= len(at) {
				return nil
			}
			doc = at[i]
		default:
			return nil
		}
	}
	return doc
}

// shipped are the configurations that examples carry, and policies beside them.
func shipped(t *testing.T) (texts map[string]string, rules map[string]string) {
	t.Helper()
	texts, rules = map[string]string{}, map[string]string{}
	for _, name := range []string{"retentiond.yaml", "packaging/retentiond.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "configs", name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for name, docs := range deployed(t) {
		for _, doc := range docs {
			if text, ok := under(doc, "configs", "retentiond", "content").(string); ok {
				texts[name] = text
			}
			data, _ := under(doc, "data").(map[string]any)
			for file, text := range data {
				into := rules
				if file == "retentiond.yaml" {
					into = texts
				}
				into[name+" "+file], _ = text.(string)
			}
		}
	}
	return texts, rules
}

// loadShipped reads a configuration whose secrets are files of a test's own.
func loadShipped(t *testing.T, text string) (*configs.Config, error) {
	t.Helper()
	dir := t.TempDir()
	files := regexp.MustCompile(`(?m)(_file: )(/run/\S+|/etc/\S+)`)
	for _, m := range files.FindAllStringSubmatch(text, -1) {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(m[2])), []byte("postgres://u:p@h/d\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text = files.ReplaceAllStringFunc(text, func(m string) string {
		key, path, _ := strings.Cut(m, " ")
		return key + " " + filepath.Join(dir, filepath.Base(path))
	})
	file := filepath.Join(dir, "retentiond.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return configs.Load(file, func(string) (string, bool) { return "", false })
}

func TestShippedConfigurationsLoad(t *testing.T) {
	texts, rules := shipped(t)
	if len(texts) < 5 || len(rules) < 2 {
		t.Fatalf("found %d configurations and %d policies only", len(texts), len(rules))
	}
	for name, text := range texts {
		cfg, err := loadShipped(t, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for file, policy := range rules {
			from, _, _ := strings.Cut(file, " ")
			if own, _, several := strings.Cut(name, " "); !several || own != from {
				continue
			}
			if _, problems := policies.Decode(file, []byte(policy), envOf(cfg)); len(problems) > 0 {
				t.Errorf("%s: %v", file, problems)
			}
		}
	}
}

// Every pod keeps to the restricted profile, and no container is the exception.
func TestShippedPodsAreRestricted(t *testing.T) {
	pods := 0
	for name, docs := range deployed(t) {
		for _, doc := range docs {
			spec := under(doc, "spec", "template", "spec")
			if job := under(doc, "spec", "jobTemplate", "spec", "template", "spec"); job != nil {
				spec = job
			}
			if spec == nil {
				continue
			}
			pods++
			checkPod(t, name, spec)
		}
	}
	if pods != 3 {
		t.Errorf("%d pods, want the deployment, the sidecar and the cron job", pods)
	}
}

func checkPod(t *testing.T, name string, spec any) {
	t.Helper()
	want := map[string]any{"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
		"seccompProfile": map[string]any{"type": "RuntimeDefault"}}
	if diff := cmp.Diff(want, under(spec, "securityContext")); diff != "" {
		t.Errorf("%s: pod: %s", name, diff)
	}
	if under(spec, "automountServiceAccountToken") != false {
		t.Errorf("%s: the pod has a token that it does not need", name)
	}
	closed := map[string]any{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
		"capabilities": map[string]any{"drop": []any{"ALL"}}}
	inits, _ := under(spec, "initContainers").([]any)
	mains, _ := under(spec, "containers").([]any)
	for _, c := range append(inits, mains...) {
		if diff := cmp.Diff(closed, under(c, "securityContext")); diff != "" {
			t.Errorf("%s: %v: %s", name, under(c, "name"), diff)
		}
		if under(c, "resources", "limits", "memory") == nil {
			t.Errorf("%s: %v has no memory limit", name, under(c, "name"))
		}
		checkArgs(t, name, under(c, "args"))
	}
}

// checkArgs finds the command that a container runs among ours.
func checkArgs(t *testing.T, name string, args any) {
	t.Helper()
	list, ok := args.([]any)
	if !ok {
		return // not our container
	}
	var words []string
	for _, a := range list {
		w, _ := a.(string)
		words = append(words, w)
	}
	cmd, rest, err := rootCommand(newApp(streams{})).Find(words)
	if err != nil || !cmd.HasParent() || len(rest) < 2 {
		t.Errorf("%s: %v is no command of ours: %v", name, words, err)
	}
}

func TestShippedDeployment(t *testing.T) {
	doc := deployed(t)["kubernetes/deployment.yaml"][0]
	if n := under(doc, "spec", "replicas"); n != 2 {
		t.Errorf("%v replicas, want 2", n)
	}
	pod := under(doc, "spec", "template", "spec", "containers", 0)
	for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
		if got := under(pod, probe, "httpGet", "path"); got != path {
			t.Errorf("%s asks %v, want %s", probe, got, path)
		}
	}
	// A grace shorter than the drain would kill a batch at work.
	if n, _ := under(doc, "spec", "template", "spec", "terminationGracePeriodSeconds").(int); n < 35 {
		t.Errorf("%d s to end, the drain takes up to 30", n)
	}
}

func TestShippedComposeIsClosed(t *testing.T) {
	s := under(deployed(t)["compose.yaml"][0], "services", "retentiond")
	got := map[string]any{}
	for _, k := range []string{"read_only", "user", "cap_drop", "security_opt"} {
		got[k] = under(s, k)
	}
	want := map[string]any{"read_only": true, "user": "65532:65532", "cap_drop": []any{"ALL"}, "security_opt": []any{"no-new-privileges:true"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
