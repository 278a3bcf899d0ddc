package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"filippo.io/age"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Options are what a vault is made of.
type Options struct {
	Name       string     // as configured
	Path       string     // of a vault in a directory
	S3         *S3        // of a vault in a bucket
	Recipients []string   // age public keys
	Store      string     // uuid of the state store whose segments these are
	Key        *audit.Key // signs manifests
	Places     Places     // nil: what is at the place is believed to be the vault
}

// Vault is a sealed vault; see [retention.SealedVault].
type Vault struct {
	o      Options
	store  store
	to     []age.Recipient
	secret []byte
	spare  spare
	here   here
}

var _ retention.SealedVault = (*Vault)(nil)

// New makes a vault of its options. Nothing is asked of the disk or the service.
func New(o Options) (*Vault, error) {
	v := &Vault{o: o, secret: o.Key.Derive("archive index")}
	for _, r := range o.Recipients {
		x, err := age.ParseX25519Recipient(strings.TrimSpace(r))
		if err != nil {
			return nil, fmt.Errorf("vault %q: a recipient is no age public key (age1…): %w", o.Name, err)
		}
		v.to = append(v.to, x)
	}
	if len(v.to) == 0 {
		return nil, fmt.Errorf("vault %q has no recipients: nobody could ever read it", o.Name)
	}
	v.store = dir{o.Path}
	if o.S3 != nil {
		b, err := newBucket(*o.S3)
		if err != nil {
			return nil, fmt.Errorf("vault %q: %w", o.Name, err)
		}
		v.store = b
	}
	return v, nil
}

// Names of a segment's two files.
const (
	rowsFile     = ".jsonl.zst.age"
	manifestFile = ".manifest"
)

// segmentOf is the segment that a file belongs to.
func segmentOf(file string) (name string, manifest, ours bool) {
	if name, ok := strings.CutSuffix(file, manifestFile); ok {
		return name, true, true
	}
	name, ok := strings.CutSuffix(file, rowsFile)
	return name, false, ok
}

// intentPart is an intent as names of segments end with it.
func intentPart(intent string) string { return "." + strings.ReplaceAll(intent, "/", ".") }

func (v *Vault) fail(err error) error {
	return fmt.Errorf("vault %q (%s): %w", v.o.Name, v.store.place(), err)
}

// Segments reads every manifest, one at a time.
func (v *Vault) Segments(ctx context.Context, f func(*retention.Segment) error) error {
	files, err := v.list(ctx)
	if err != nil {
		return err
	}
	for _, file := range files {
		name, manifest, ours := segmentOf(file)
		if _, temp := isUnfinished(file); temp || !ours || !manifest {
			continue
		}
		s, err := v.segment(ctx, name)
		if errors.Is(err, retention.ErrNotFound) { // it ended meanwhile
			continue
		}
		if err == nil {
			err = f(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list lists the files, where the vault is there.
func (v *Vault) list(ctx context.Context) ([]string, error) {
	if err := v.atHome(ctx, false); err != nil {
		return nil, err
	}
	files, err := v.store.list(ctx)
	if err != nil {
		return nil, v.fail(err)
	}
	return files, nil
}

// Segment reads one manifest.
func (v *Vault) Segment(ctx context.Context, name string) (*retention.Segment, error) {
	if err := v.atHome(ctx, false); err != nil {
		return nil, err
	}
	return v.segment(ctx, name)
}

func (v *Vault) segment(ctx context.Context, name string) (*retention.Segment, error) {
	text, err := v.read(ctx, name+manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("vault %q has no segment %s: %w", v.o.Name, name, retention.ErrNotFound)
	}
	if err != nil {
		return nil, v.fail(err)
	}
	return v.open(name, text), nil
}

func (v *Vault) read(ctx context.Context, file string) (b []byte, err error) {
	if strings.ContainsAny(file, `/\`) {
		return nil, fs.ErrNotExist
	}
	r, err := v.store.get(ctx, file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(r)
}

// holds is whether a file holds just that.
func (v *Vault) holds(ctx context.Context, name string, want []byte) (same bool, err error) {
	r, err := v.store.get(ctx, name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return holds(r, want)
}

// Has asks for the rows.
func (v *Vault) Has(ctx context.Context, name string) (bool, error) {
	files, err := v.list(ctx)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		if f == name+rowsFile {
			return true, nil
		}
	}
	return false, nil
}

// Remove removes the rows first: a manifest without rows tells that something was
// there, rows without a manifest would tell nobody.
func (v *Vault) Remove(ctx context.Context, name string) error {
	if err := v.atHome(ctx, false); err != nil {
		return err
	}
	if err := v.Fits(ctx); err != nil {
		return err
	}
	for _, f := range []string{rowsFile, manifestFile} {
		if err := v.store.remove(ctx, name+f); err != nil {
			return v.fail(fmt.Errorf("segment %s does not end: %w", name, err))
		}
	}
	return v.atHome(ctx, false) // still: what was not found was not in the vault
}

// RemoveOf removes the files of a batch, finished or not.
func (v *Vault) RemoveOf(ctx context.Context, intent string) error {
	files, err := v.list(ctx)
	if err == nil {
		err = v.Fits(ctx)
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		finished, temp := isUnfinished(f)
		if !temp {
			finished = f
		}
		name, _, ours := segmentOf(finished)
		if !ours || !strings.HasSuffix(name, intentPart(intent)) {
			continue
		}
		if err := v.store.remove(ctx, f); err != nil {
			return v.fail(err)
		}
	}
	return nil
}

// Keep asks the vault's place to keep a segment until its end, where the place can
// (Object Lock): only once its rows left their table, since what never committed
// must go.
func (v *Vault) Keep(ctx context.Context, name string) error {
	place, ok := v.store.(keeper)
	if !ok {
		return nil
	}
	s, err := v.Segment(ctx, name)
	if err != nil {
		return err
	}
	if s.Bad != "" || !s.Ends.After(s.SealedAt) {
		return nil
	}
	for _, f := range []string{rowsFile, manifestFile} {
		if err := place.keep(ctx, name+f, s.Ends); err != nil {
			return v.fail(fmt.Errorf("segment %s is not locked: %w", name, err))
		}
	}
	return nil
}

// Check looks whether the vault is there, writes a small file and removes it.
func (v *Vault) Check(ctx context.Context) error {
	if err := v.atHome(ctx, true); err != nil {
		return err
	}
	if err := v.Fits(ctx); err != nil {
		return err
	}
	name := unfinished + "check" + intentPart(randomName())
	err := v.store.put(ctx, name, []byte("retentiond\n"))
	if err = errors.Join(err, v.store.remove(ctx, name)); err != nil {
		return v.fail(fmt.Errorf("it cannot be written to: %w", err))
	}
	return nil
}
